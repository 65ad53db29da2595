// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
)

// portableKeys are the rules about what, unlike symmetric ciphertexts, depends
// on the material alone.
func portableKeys() []Rule {
	return []Rule{{
		ID:         "portability/mac",
		Statement:  "MACs depend on the imported material alone: they agree with those made outside of KMS and in other keys.",
		Why:        "HMAC keys can be moved out of and between KMS keys, accounts and Regions by their material.",
		Sources:    []Source{guideImport(), recorded("GenerateMac under known material")},
		Promise:    Documented,
		Keys:       2,
		Experiment: portableMAC,
	}, {
		ID:         "portability/known-mac",
		Statement:  "KMS makes the HMACs of RFC 2104, as recorded for two keys of nothing but the letter A.",
		Why:        "What one KMS answered in another account is what yours answers: nothing but the material counts.",
		Sources:    []Source{recorded("GenerateMac with HMAC_224 and HMAC_256 keys of letters A")},
		Promise:    Observed,
		Keys:       2,
		Experiment: knownMAC,
	}, {
		ID:         "portability/public-key",
		Statement:  "The public key that KMS shows for an imported private key is its own, byte for byte.",
		Why:        "It proves which private key was imported, without having to use it.",
		Sources:    []Source{reference("GetPublicKey"), recorded("GetPublicKey after importing key pairs")},
		Promise:    Documented,
		Keys:       4,
		Experiment: ownPublicKey,
	}, {
		ID:         "portability/rsa-signature",
		Statement:  "RSA signatures are portable: one made by either KMS, a second key or crypto/rsa is accepted by the others.",
		Why:        "A signing key can come from, and go back to, another house, and nobody who verifies notices.",
		Sources:    []Source{guideImport(), recorded("Sign and Verify with imported RSA keys")},
		Promise:    Documented,
		Keys:       2,
		Experiment: rsaSignature,
	}, {
		ID:         "portability/ecdsa-signature",
		Statement:  "ECDSA signatures are portable: one made by either KMS, a second key or crypto/ecdsa is accepted by the others.",
		Why:        "A signing key can come from, and go back to, another house, and nobody who verifies notices.",
		Sources:    []Source{guideImport(), recorded("Sign and Verify with imported ECC keys")},
		Promise:    Documented,
		Keys:       2,
		Experiment: ecdsaSignature,
	}, {
		ID:         "portability/ed25519-signature",
		Statement:  "ED25519_SHA_512 signatures are those of RFC 8032: crypto/ed25519 makes the very same.",
		Why:        "Imported Ed25519 keys work with every tool that knows the RFC.",
		Sources:    []Source{recorded("Sign and Verify with ED25519_SHA_512, checked against RFC 8032")},
		Promise:    Observed,
		Keys:       1,
		Experiment: ed25519Signature,
	}, {
		ID:         "portability/rsa-ciphertext",
		Statement:  "RSA ciphertexts are portable: they open with the private key in any KMS key, and outside.",
		Why:        "Unlike a symmetric key, an RSA key re-created from its backup recovers the data.",
		Sources:    []Source{guideImport(), recorded("Decrypt after importing an RSA key for encryption")},
		Promise:    Documented,
		Keys:       2,
		Experiment: rsaCiphertext,
	}, {
		ID:         "portability/shared-secret",
		Statement:  "DeriveSharedSecret with an imported key gives the same secret as ECDH outside of KMS.",
		Why:        "Key agreement goes on with a private key that moved into KMS, or out of it.",
		Sources:    []Source{reference("DeriveSharedSecret"), recorded("DeriveSharedSecret with an imported key")},
		Promise:    Documented,
		Keys:       1,
		Experiment: sharedSecret,
	}}
}

// with makes a key of the spec for the usage, and brings it the material.
func with(t *experiment.Trial, m *material.Material, usage types.KeyUsageType) experiment.Key {
	k := t.NewKey(m.Spec(), func(in *kms.CreateKeyInput) { in.KeyUsage = usage })
	t.Bring(k, m)
	return k
}

// private is the private key of a pair; the zero value once the trial has ended.
func private[K any](t *experiment.Trial, m *material.Material) (key K) {
	if t.Err() != nil {
		return key
	}
	t.Must(m.Secret().Expose(func(b []byte) error {
		parsed, err := x509.ParsePKCS8PrivateKey(b)
		if err != nil {
			return err
		}
		var ok bool
		if key, ok = parsed.(K); !ok {
			return errors.New("it is a private key of another kind")
		}
		return nil
	}))
	return key
}

// local compares a computation of our own with what KMS did.
func local(t *experiment.Trial, what string, fits func() bool) {
	if t.Err() != nil {
		return
	}
	got := "fits"
	if !fits() {
		got = "does not fit"
	}
	t.Check(what, "fits", got)
}

var message = []byte("signed here, verified there")

func portableMAC(t *experiment.Trial) {
	m := t.Material(material.HMAC256)
	a, b := with(t, m, types.KeyUsageTypeGenerateVerifyMac), with(t, m, types.KeyUsageTypeGenerateVerifyMac)
	own, err := m.MAC(message)
	t.Must(err)
	t.Same("the MAC made here and by key A", own, generateMAC(t, a, message))
	t.Same("the MAC made here and by key B", own, generateMAC(t, b, message))
	verifyMAC(t, "verify with key B the MAC made here", b, message, own)
	experiment.Do(t, "verify it with a bit changed", experiment.Refused("KMSInvalidMacException").Silent(), t.KMS.VerifyMac,
		&kms.VerifyMacInput{KeyId: aws.String(b.ARN), Message: message, Mac: flipped(own, 0), MacAlgorithm: macAlgorithm(b)})
}

func knownMAC(t *experiment.Trial) {
	for _, known := range []struct {
		spec material.Spec
		mac  string
	}{
		{material.HMAC224, "53651bd6e9d7fc8a5d0145a458e913927fbe07739f26fc4c0f47e659"},
		{material.HMAC256, "10dc6a3066094877059c3fc4f9b74eded0b146bc283106828018221d84d04cfc"},
	} {
		m, err := material.New(known.spec, bytes.Repeat([]byte("A"), known.spec.GenerateLength()))
		t.Must(err)
		if err != nil {
			return
		}
		k := with(t, m, types.KeyUsageTypeGenerateVerifyMac)
		t.Check("the MAC of imported HMAC", known.mac, hex.EncodeToString(generateMAC(t, k, []byte("imported HMAC"))))
	}
}

func ownPublicKey(t *experiment.Trial) {
	for _, spec := range []material.Spec{material.RSA2048, material.ECCNISTP384, material.ECCSECGP256K1, material.ECCNISTEdwards25519} {
		m := t.Material(spec)
		k := with(t, m, types.KeyUsageTypeSignVerify)
		if t.Err() == nil {
			t.Same("the public key", m.PublicKeyDER(), publicKey(t, k))
		}
	}
}

// signatures has two keys with the same material and the private key itself
// verify each other's signatures.
func signatures(t *experiment.Trial, m *material.Material, algorithm types.SigningAlgorithmSpec,
	signed func(crypto.Signer) ([]byte, error), verified func(signature []byte) bool) {
	a, b := with(t, m, types.KeyUsageTypeSignVerify), with(t, m, types.KeyUsageTypeSignVerify)
	signature := sign(t, a, algorithm, message)
	local(t, "the signature of key A, verified here", func() bool { return verified(signature) })
	verify(t, "verify it with key B", b, algorithm, message, signature)
	key := private[crypto.Signer](t, m)
	if t.Err() != nil {
		return
	}
	own, err := signed(key)
	t.Must(err)
	verify(t, "verify with key A a signature made here", a, algorithm, message, own)
}

func rsaSignature(t *experiment.Trial) {
	m := t.Material(material.RSA2048)
	digest := sha256.Sum256(message)
	pss := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	signatures(t, m, types.SigningAlgorithmSpecRsassaPssSha256,
		func(key crypto.Signer) ([]byte, error) { return key.Sign(rand.Reader, digest[:], pss) },
		func(signature []byte) bool {
			return rsa.VerifyPSS(m.Public().(*rsa.PublicKey), crypto.SHA256, digest[:], signature, pss) == nil
		})
}

func ecdsaSignature(t *experiment.Trial) {
	m := t.Material(material.ECCNISTP256)
	digest := sha256.Sum256(message)
	signatures(t, m, types.SigningAlgorithmSpecEcdsaSha256,
		func(key crypto.Signer) ([]byte, error) { return key.Sign(rand.Reader, digest[:], crypto.SHA256) },
		func(signature []byte) bool {
			return ecdsa.VerifyASN1(m.Public().(*ecdsa.PublicKey), digest[:], signature)
		})
}

func ed25519Signature(t *experiment.Trial) {
	m := t.Material(material.ECCNISTEdwards25519)
	k := with(t, m, types.KeyUsageTypeSignVerify)
	key := private[ed25519.PrivateKey](t, m)
	if t.Err() == nil {
		t.Same("the signature made here and by KMS", ed25519.Sign(key, message), sign(t, k, types.SigningAlgorithmSpecEd25519Sha512, message))
	}
}

func rsaCiphertext(t *experiment.Trial) {
	m := t.Material(material.RSA2048)
	a, b := with(t, m, types.KeyUsageTypeEncryptDecrypt), with(t, m, types.KeyUsageTypeEncryptDecrypt)
	key := private[*rsa.PrivateKey](t, m)
	if t.Err() != nil {
		return
	}
	own, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &key.PublicKey, message, nil)
	t.Must(err)
	const algorithm = types.EncryptionAlgorithmSpecRsaesOaepSha256
	for _, k := range []experiment.Key{a, b} {
		out := experiment.Do(t, "decrypt with "+k.Label+" what was encrypted here", experiment.Success, t.KMS.Decrypt,
			&kms.DecryptInput{KeyId: aws.String(k.ARN), CiphertextBlob: own, EncryptionAlgorithm: algorithm})
		t.Same("the plaintext", message, out.Plaintext)
	}
	out := experiment.Do(t, "encrypt with key A", experiment.Success, t.KMS.Encrypt,
		&kms.EncryptInput{KeyId: aws.String(a.ARN), Plaintext: message, EncryptionAlgorithm: algorithm})
	local(t, "decrypt it here", func() bool {
		plaintext, err := rsa.DecryptOAEP(sha256.New(), nil, key, out.CiphertextBlob, nil)
		return err == nil && bytes.Equal(plaintext, message)
	})
}

func sharedSecret(t *experiment.Trial) {
	m := t.Material(material.ECCNISTP256)
	k := with(t, m, types.KeyUsageTypeKeyAgreement)
	peer, err := ecdh.P256().GenerateKey(rand.Reader)
	t.Must(err)
	key := private[*ecdsa.PrivateKey](t, m)
	if t.Err() != nil {
		return
	}
	public, err := x509.MarshalPKIXPublicKey(peer.PublicKey())
	t.Must(err)
	ours, err := key.ECDH()
	t.Must(err)
	if t.Err() != nil {
		return
	}
	own, err := ours.ECDH(peer.PublicKey())
	t.Must(err)
	out := experiment.Do(t, "agree on a secret with a key pair made here", experiment.Success, t.KMS.DeriveSharedSecret,
		&kms.DeriveSharedSecretInput{KeyId: aws.String(k.ARN), KeyAgreementAlgorithm: types.KeyAgreementAlgorithmSpecEcdh, PublicKey: public})
	t.Same("the secret derived here and by KMS", own, out.SharedSecret)
}
