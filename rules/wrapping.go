// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" // for crypto.SHA1.New
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

func wrapping() []Rule {
	return []Rule{{
		ID:         "wrapping/symmetric",
		Statement:  "Symmetric material is wrapped with RSAES_OAEP under a key of any size, and never with RSA_AES_KEY_WRAP.",
		Why:        "The pair that the guide's own example asks for is refused; the mistake shows before anything secret is touched.",
		Sources:    []Source{guideFetch(), recorded("GetParametersForImport for SYMMETRIC_DEFAULT with several pairs")},
		Promise:    Documented,
		Keys:       1,
		Experiment: wrapSymmetric,
	}, {
		ID:         "wrapping/hmac",
		Statement:  "HMAC material is wrapped with RSAES_OAEP under a key of any size, and never with RSA_AES_KEY_WRAP.",
		Why:        "Even the longest HMAC key fits into the smallest wrapping key.",
		Sources:    []Source{guideFetch(), recorded("GetParametersForImport for HMAC_224 to HMAC_512")},
		Promise:    Documented,
		Keys:       4,
		Experiment: wrapHMAC,
	}, {
		ID:         "wrapping/elliptic-curves",
		Statement:  "Private keys on P-256, P-384 and secp256k1 can be wrapped with either algorithm under a key of any size.",
		Why:        "An HSM that knows only one of the algorithms can still export to KMS.",
		Sources:    []Source{guideFetch(), recorded("importing ECC_NIST_P256, ECC_NIST_P384 and ECC_SECG_P256K1")},
		Promise:    Documented,
		Keys:       3,
		Experiment: wrapCurves,
	}, {
		ID:         "wrapping/p521",
		Statement:  "A private key on P-521 cannot be wrapped with RSAES_OAEP under RSA_2048, but with longer keys and with RSA_AES_KEY_WRAP.",
		Why:        "It is 241 bytes long, more than RSA_2048 can hold.",
		Sources:    []Source{guideFetch(), recorded("GetParametersForImport for ECC_NIST_P521")},
		Promise:    Documented,
		Keys:       1,
		Experiment: wrapP521,
	}, {
		ID:         "wrapping/ed25519",
		Statement:  "An Ed25519 private key can be imported, wrapped with RSAES_OAEP_SHA_256 under RSA_3072, but not under RSA_2048.",
		Why:        "The import page does not even list Ed25519, and although the key would fit, RSA_2048 is refused.",
		Sources:    []Source{recorded("GetParametersForImport and ImportKeyMaterial for ECC_NIST_EDWARDS25519")},
		Promise:    Observed,
		Keys:       1,
		Experiment: wrapEd25519,
	}, {
		ID:         "wrapping/rsa",
		Statement:  "RSA private keys are wrapped with RSA_AES_KEY_WRAP under a key of any size, and never with RSAES_OAEP alone.",
		Why:        "They are longer than any wrapping key can hold directly, so a wrapping in two layers has to be at hand.",
		Sources:    []Source{guideFetch(), recorded("GetParametersForImport for RSA_2048, RSA_3072 and RSA_4096")},
		Promise:    Documented,
		Keys:       3,
		Experiment: wrapRSA,
	}, {
		ID:         "wrapping/pkcs1-v1-5",
		Statement:  "RSAES_PKCS1_V1_5 is refused for every kind of material, although it can still be named.",
		Why:        "Old scripts and old HSM firmware that know nothing else stop working at the first step.",
		Sources:    []Source{reference("GetParametersForImport"), recorded("GetParametersForImport with RSAES_PKCS1_V1_5")},
		Promise:    Documented,
		Keys:       4,
		Experiment: wrapPKCS1,
	}, {
		ID:         "wrapping/wrong-padding",
		Statement:  "Material that was wrapped with PKCS #1 v1.5 padding in place of OAEP is refused without a word on why.",
		Why:        "It is what openssl does unless told otherwise, and KMS's refusal is the same as for any other damage.",
		Sources:    []Source{guideWrap(), recorded("importing a ciphertext that does not open")},
		Promise:    Documented,
		Keys:       1,
		Experiment: wrongPadding,
	}, {
		ID:         "wrapping/wrong-hash",
		Statement:  "Material that was wrapped with another OAEP hash than the one that was fetched for is refused.",
		Why:        "SHA-1 is the default of many tools, and the commonest reason for an InvalidCiphertextException.",
		Sources:    []Source{guideWrap(), recorded("importing a ciphertext that does not open")},
		Promise:    Documented,
		Keys:       1,
		Experiment: wrongHash,
	}, {
		ID:         "wrapping/mixed-hashes",
		Statement:  "OAEP and its mask generation must use the same hash.",
		Why:        "Java and some HSMs keep SHA-1 for MGF1 when SHA-256 is asked for.",
		Sources:    []Source{guideWrap(), recorded("importing a ciphertext that does not open")},
		Promise:    Documented,
		Keys:       1,
		Experiment: mixedHashes,
	}, {
		ID:         "wrapping/damaged",
		Statement:  "Wrapped material that was damaged is refused, and nothing is imported.",
		Why:        "A transmission error cannot end as a key with unknown material.",
		Sources:    []Source{reference("ImportKeyMaterial"), recorded("importing a corrupt ciphertext")},
		Promise:    Documented,
		Keys:       2,
		Experiment: damagedMaterial,
	}, {
		ID:         "wrapping/length",
		Statement:  "Material that is too short for its key is refused, and KMS says no more than for a damaged one.",
		Why:        "A 128-bit key, or a file cut short, is not padded; count the bytes before wrapping them.",
		Sources:    []Source{guidePlan(), recorded("importing 16 bytes as SYMMETRIC_DEFAULT, and HMAC keys that lack one byte")},
		Promise:    Documented,
		Keys:       2,
		Experiment: tooShort,
	}, {
		ID:         "wrapping/ber",
		Statement:  "A private key in BER is the same material as in DER, except that Ed25519 keys are taken in DER only.",
		Why:        "Keys from old exporters need not be re-encoded, and come back from a backup in either form.",
		Sources:    []Source{guidePlan(), recorded("importing the same private key in DER and in BER of indefinite length")},
		Promise:    Observed,
		Keys:       2,
		Experiment: berKeys,
	}}
}

// The pairs there are, cheapest first.
func pairs(algorithms ...wrap.Algorithm) []wrap.Pair {
	var all []wrap.Pair
	for _, size := range []wrap.KeySpec{wrap.RSA2048, wrap.RSA3072, wrap.RSA4096} {
		for _, a := range algorithms {
			all = append(all, wrap.Pair{Algorithm: a, KeySpec: size})
		}
	}
	return all
}

func oaep() []wrap.Pair   { return pairs(wrap.OAEPSHA256, wrap.OAEPSHA1) }
func hybrid() []wrap.Pair { return pairs(wrap.RSAAESSHA256, wrap.RSAAESSHA1) }

// pkcs1 is an algorithm that can be asked for, and that nothing here makes.
const pkcs1 wrap.Algorithm = "RSAES_PKCS1_V1_5"

// dealt is a part of the pairs that a kind of material allows. Trying all of
// them with every spec would take the time that many RSA_4096 keys take.
type dealt struct {
	spec  material.Spec
	pairs []wrap.Pair
}

// accepted imports the material with each pair, over and over again.
func accepted(t *experiment.Trial, k experiment.Key, m *material.Material, pairs ...wrap.Pair) {
	for _, p := range pairs {
		t.Import("import what was wrapped with "+p.String(), experiment.Success, k, t.Wrap(t.Fetch(k, p), m), nil)
	}
	t.State(k, types.KeyStateEnabled)
}

// refused asks for parameters for each pair. The sentence is recorded for each
// kind of key but HMAC.
func refused(t *experiment.Trial, k experiment.Key, pairs ...wrap.Pair) {
	for _, p := range pairs {
		want := experiment.Refused("ValidationException")
		if k.Spec.Kind() != material.HMAC {
			want = want.Saying(fmt.Sprintf("Wrapping algorithm %s and wrapping key spec %s cannot be used to import a %s key.",
				p.Algorithm, p.KeySpec, k.Spec))
		}
		fetchRefused(t, "fetch parameters for "+p.String(), want, k, p)
	}
}

func wrapSymmetric(t *experiment.Trial) {
	k := t.NewKey(material.SymmetricDefault, nil)
	refused(t, k, hybrid()...)
	accepted(t, k, t.Material(k.Spec), oaep()...)
}

func wrapHMAC(t *experiment.Trial) {
	for _, d := range []dealt{
		{material.HMAC224, []wrap.Pair{{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA2048}}},
		{material.HMAC256, []wrap.Pair{{Algorithm: wrap.OAEPSHA1, KeySpec: wrap.RSA2048}}},
		{material.HMAC384, []wrap.Pair{{Algorithm: wrap.OAEPSHA1, KeySpec: wrap.RSA3072}}},
		{material.HMAC512, []wrap.Pair{{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA4096}}},
	} {
		k := t.NewKey(d.spec, nil)
		refused(t, k, hybrid()...)
		accepted(t, k, t.Material(d.spec), d.pairs...)
	}
}

func wrapCurves(t *experiment.Trial) {
	for _, d := range []dealt{
		{material.ECCNISTP256, []wrap.Pair{{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA2048}, {Algorithm: wrap.RSAAESSHA1, KeySpec: wrap.RSA3072}}},
		{material.ECCNISTP384, []wrap.Pair{{Algorithm: wrap.OAEPSHA1, KeySpec: wrap.RSA3072}, {Algorithm: wrap.RSAAESSHA256, KeySpec: wrap.RSA2048}}},
		{material.ECCSECGP256K1, []wrap.Pair{{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA2048}, {Algorithm: wrap.RSAAESSHA256, KeySpec: wrap.RSA4096}}},
	} {
		accepted(t, t.NewKey(d.spec, nil), t.Material(d.spec), d.pairs...)
	}
}

func wrapP521(t *experiment.Trial) {
	k := t.NewKey(material.ECCNISTP521, nil)
	refused(t, k, oaep()[:2]...)
	accepted(t, k, t.Material(k.Spec),
		wrap.Pair{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA3072}, wrap.Pair{Algorithm: wrap.OAEPSHA1, KeySpec: wrap.RSA3072},
		wrap.Pair{Algorithm: wrap.RSAAESSHA256, KeySpec: wrap.RSA2048}, wrap.Pair{Algorithm: wrap.RSAAESSHA1, KeySpec: wrap.RSA2048})
}

func wrapEd25519(t *experiment.Trial) {
	k := t.NewKey(material.ECCNISTEdwards25519, nil)
	refused(t, k, wrap.Pair{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA2048})
	accepted(t, k, t.Material(k.Spec), wrap.Pair{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA3072})
}

func wrapRSA(t *experiment.Trial) {
	for _, spec := range []material.Spec{material.RSA3072, material.RSA4096} { // whose material takes seconds to make
		refused(t, t.NewKey(spec, nil), oaep()...)
	}
	k := t.NewKey(material.RSA2048, nil)
	refused(t, k, oaep()...)
	accepted(t, k, t.Material(k.Spec),
		wrap.Pair{Algorithm: wrap.RSAAESSHA256, KeySpec: wrap.RSA2048}, wrap.Pair{Algorithm: wrap.RSAAESSHA1, KeySpec: wrap.RSA3072},
		wrap.Pair{Algorithm: wrap.RSAAESSHA256, KeySpec: wrap.RSA4096})
}

func wrapPKCS1(t *experiment.Trial) {
	for _, spec := range []material.Spec{material.SymmetricDefault, material.HMAC256, material.ECCNISTP256, material.RSA2048} {
		k := t.NewKey(spec, nil)
		refused(t, k, pairs(pkcs1)...)
		t.State(k, types.KeyStatePendingImport)
	}
}

// byHand wraps material in a way that package wrap refuses to: encrypt gets
// the public key and the material.
func byHand(t *experiment.Trial, p *token.Parameters, m *material.Material, encrypt func(*rsa.PublicKey, []byte) ([]byte, error)) *token.Wrapped {
	w := &token.Wrapped{ImportToken: p.ImportToken}
	if t.Err() != nil {
		return w
	}
	public, err := wrap.ParsePublicKey(p.PublicKey)
	t.Must(err)
	if err == nil {
		t.Must(m.Secret().Expose(func(b []byte) (err error) {
			w.EncryptedKeyMaterial, err = encrypt(public, b)
			return err
		}))
	}
	return w
}

func wrongPadding(t *experiment.Trial) {
	k := t.NewKey(material.SymmetricDefault, nil)
	m := t.Material(k.Spec)
	p := t.Fetch(k, experiment.Quick(k.Spec))
	t.Import("import what was wrapped with PKCS #1 v1.5", badCiphertext(), k, byHand(t, p, m, func(public *rsa.PublicKey, b []byte) ([]byte, error) {
		//lint:ignore SA1019 the mistake itself
		return rsa.EncryptPKCS1v15(rand.Reader, public, b)
	}), nil)
	t.State(k, types.KeyStatePendingImport)
	t.Import("import what was wrapped with OAEP", experiment.Success, k, t.Wrap(p, m), nil)
}

func wrongHash(t *experiment.Trial) {
	k := t.NewKey(material.SymmetricDefault, nil)
	m := t.Material(k.Spec)
	for _, hash := range []struct {
		fetched wrap.Algorithm
		used    crypto.Hash
	}{
		{wrap.OAEPSHA256, crypto.SHA1}, {wrap.OAEPSHA1, crypto.SHA256},
	} {
		p := t.Fetch(k, wrap.Pair{Algorithm: hash.fetched, KeySpec: wrap.RSA2048})
		t.Import(fmt.Sprintf("import what was wrapped with %s after fetching for %s", hash.used, hash.fetched), badCiphertext(), k,
			byHand(t, p, m, func(public *rsa.PublicKey, b []byte) ([]byte, error) {
				return rsa.EncryptOAEP(hash.used.New(), rand.Reader, public, b, nil)
			}), nil)
	}
	t.State(k, types.KeyStatePendingImport)
}

func mixedHashes(t *experiment.Trial) {
	k := t.NewKey(material.SymmetricDefault, nil)
	m := t.Material(k.Spec)
	p := t.Fetch(k, wrap.Pair{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA2048})
	t.Import("import what was wrapped with OAEP on SHA-256 and MGF1 on SHA-1", badCiphertext(), k,
		byHand(t, p, m, func(public *rsa.PublicKey, b []byte) ([]byte, error) {
			return rsa.EncryptOAEPWithOptions(rand.Reader, public, b, &rsa.OAEPOptions{Hash: crypto.SHA256, MGFHash: crypto.SHA1})
		}), nil)
	t.State(k, types.KeyStatePendingImport)
}

func damagedMaterial(t *experiment.Trial) {
	a := t.NewKey(material.SymmetricDefault, nil)
	w := wrapped(t, a, t.Material(a.Spec))
	t.Import("import into key A what was damaged", badCiphertext(), a, damaged(w), nil)
	t.State(a, types.KeyStatePendingImport)

	b := t.NewKey(material.ECCNISTP256, nil)
	w = t.Wrap(t.Fetch(b, wrap.Pair{Algorithm: wrap.RSAAESSHA256, KeySpec: wrap.RSA2048}), t.Material(b.Spec))
	t.Import("import into key B what was damaged in its first layer", badCiphertext(), b, damagedAt(w, 100), nil)
	t.Import("import into key B what was damaged in its second layer", badCiphertext(), b, damagedAt(w, len(w.EncryptedKeyMaterial)-1), nil)
	t.State(b, types.KeyStatePendingImport)
	t.Import("import into key B what was not", experiment.Success, b, w, nil)
}

func damagedAt(w *token.Wrapped, i int) *token.Wrapped {
	d := *w
	d.EncryptedKeyMaterial = flipped(w.EncryptedKeyMaterial, i)
	return &d
}

func tooShort(t *experiment.Trial) {
	short := func(k experiment.Key, what string, length int) {
		t.Import(what, badCiphertext(), k, byHand(t, t.Fetch(k, experiment.Quick(k.Spec)), t.Material(k.Spec),
			func(public *rsa.PublicKey, b []byte) ([]byte, error) {
				return rsa.EncryptOAEP(sha256.New(), rand.Reader, public, b[:length], nil)
			}), nil)
		t.State(k, types.KeyStatePendingImport)
	}
	short(t.NewKey(material.SymmetricDefault, nil), "import 16 bytes into a symmetric key", 16)
	short(t.NewKey(material.HMAC256, nil), "import 31 bytes into an HMAC_256 key", 31)
}

func berKeys(t *experiment.Trial) {
	a := t.NewKey(material.ECCNISTP256, nil)
	m := t.Material(a.Spec)
	t.Bring(a, m)
	asBER := func(public *rsa.PublicKey, der []byte) ([]byte, error) {
		return rsa.EncryptOAEP(sha256.New(), rand.Reader, public, indefinite(der), nil)
	}
	t.Import("import the private key of key A again, in BER", experiment.Success, a, byHand(t, t.Fetch(a, experiment.Quick(a.Spec)), m, asBER), nil)
	b := t.NewKey(material.ECCNISTEdwards25519, nil)
	t.Import("import an Ed25519 private key in BER into key B", badCiphertext(), b,
		byHand(t, t.Fetch(b, experiment.Quick(b.Spec)), t.Material(b.Spec), asBER), nil)
	t.State(b, types.KeyStatePendingImport)
}

// indefinite gives the outermost DER element, a SEQUENCE, the indefinite
// length of BER (X.690 section 8.1.3.6).
func indefinite(der []byte) []byte {
	header := 2
	if len(der) > 1 && der[1] >= 0x80 { // the length itself takes more bytes
		header += int(der[1] & 0x7f)
	}
	return slices.Concat([]byte{0x30, 0x80}, der[min(header, len(der)):], []byte{0, 0})
}
