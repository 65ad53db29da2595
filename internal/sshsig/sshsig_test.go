// SPDX-License-Identifier: Apache-2.0

package sshsig_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"math/big"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/internal/sshsig"
)

func signerOf(t *testing.T, key crypto.Signer, err error) ssh.Signer {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func ed25519Signer(t *testing.T) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	return signerOf(t, key, err)
}

func ecdsaSigner(t *testing.T, curve elliptic.Curve) ssh.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	return signerOf(t, key, err)
}

func rsaSigner(t *testing.T, bits int) ssh.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	return signerOf(t, key, err)
}

func TestSignAndVerify(t *testing.T) {
	message := []byte("the plan\n")
	for name, signer := range map[string]ssh.Signer{
		"ed25519": ed25519Signer(t), "P-256": ecdsaSigner(t, elliptic.P256()), "P-384": ecdsaSigner(t, elliptic.P384()),
		"P-521": ecdsaSigner(t, elliptic.P521()), "RSA": rsaSigner(t, 2048),
	} {
		armoured, err := sshsig.Sign(message, "plan@v1", signer)
		if err != nil {
			t.Fatal(err)
		}
		key, err := sshsig.ParsePublicKey(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
		if err != nil {
			t.Fatal(err)
		}
		if err := sshsig.Verify(message, armoured, "plan@v1", key); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	message, signer := []byte("the plan\n"), ed25519Signer(t)
	armoured, err := sshsig.Sign(message, "plan@v1", signer)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(armoured), "\n")
	for name, test := range map[string]struct {
		message, armoured string
		namespace         string
		want              string
	}{
		"other bytes":         {"the plan", string(armoured), "plan@v1", "not a signature of these bytes"},
		"another namespace":   {"the plan\n", string(armoured), "plan@v2", `a signature for "plan@v1", want "plan@v2"`},
		"nothing":             {"the plan\n", "", "plan@v1", "not one armoured ssh signature"},
		"two":                 {"the plan\n", string(armoured) + string(armoured), "plan@v1", "not one armoured ssh signature"},
		"words before":        {"the plan\n", "signed: " + string(armoured), "plan@v1", "not one armoured ssh signature"},
		"words after":         {"the plan\n", string(armoured) + "yes", "plan@v1", "not one armoured ssh signature"},
		"a line left out":     {"the plan\n", strings.Join(append(lines[:2:2], lines[3:]...), "\n"), "plan@v1", "a damaged ssh signature"},
		"a blank line":        {"the plan\n", strings.Replace(string(armoured), "\n", "\n\n", 1), "plan@v1", "a damaged ssh signature"},
		"of another system":   {"the plan\n", strings.Join(append(lines[:1:1], strings.Join(lines[1:], "\r\n")), "\n"), "plan@v1", "not one armoured ssh signature"},
		"without its end":     {"the plan\n", strings.TrimSuffix(string(armoured), "\n"), "plan@v1", "not one armoured ssh signature"},
		"too large":           {"the plan\n", string(armoured) + strings.Repeat(" ", sshsig.MaxSignature), "plan@v1", "larger than 16384 bytes"},
		"of the age of stone": {"the plan\n", "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n", "plan@v1", "a damaged ssh signature"},
	} {
		err := sshsig.Verify([]byte(test.message), []byte(test.armoured), test.namespace, signer.PublicKey())
		if e, ok := errors.AsType[*sshsig.SignatureError](err); !ok || e.Reason != test.want {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
	other := ed25519Signer(t).PublicKey()
	err = sshsig.Verify(message, armoured, "plan@v1", other)
	if e, ok := errors.AsType[*sshsig.SignerError](err); !ok || e.Want != ssh.FingerprintSHA256(other) || e.Got != ssh.FingerprintSHA256(signer.PublicKey()) {
		t.Errorf("another key: got %v", err)
	}
}

// TestEveryByteCounts flips two bits of each byte, of which one is that of letter
// case.
func TestEveryByteCounts(t *testing.T) {
	message, signer := []byte("the plan\n"), ed25519Signer(t)
	armoured, err := sshsig.Sign(message, "plan@v1", signer)
	if err != nil {
		t.Fatal(err)
	}
	for i := range armoured {
		for _, bit := range []int{i % 5, 5} {
			changed := bytes.Clone(armoured)
			changed[i] ^= 1 << bit
			if err := sshsig.Verify(message, changed, "plan@v1", signer.PublicKey()); err == nil {
				t.Fatalf("bit %d of byte %d does not count", bit, i)
			}
		}
	}
}

func TestParsePublicKeyRefuses(t *testing.T) {
	good := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(ed25519Signer(t).PublicKey())))
	old, err := ssh.ParsePublicKey(ssh.Marshal(struct {
		Name       string
		P, Q, G, Y *big.Int
	}{"ssh-dss", new(big.Int).Lsh(big.NewInt(1), 1023), new(big.Int).Lsh(big.NewInt(1), 159), big.NewInt(2), big.NewInt(5)}))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"":                                    "not an ssh public key",
		"ssh-ed25519 AAAA":                    "not an ssh public key",
		"no-pty " + good:                      "not an ssh public key",
		good + "\n" + good:                    "not an ssh public key",
		"-----BEGIN OPENSSH PRIVATE KEY-----": "a private key",
		string(ssh.MarshalAuthorizedKey(old)): "a key of type ssh-dss",
	} {
		_, err := sshsig.ParsePublicKey(text)
		if e, ok := errors.AsType[*sshsig.KeyError](err); !ok || !strings.HasPrefix(e.Reason, want) {
			t.Errorf("%.30q: got %v, want %s", text, err, want)
		}
	}
	if _, err := sshsig.ParsePublicKey(good + " alice@example.org"); err != nil {
		t.Errorf("with a comment: %v", err)
	}
}

// TestShortRSA: 1024 bits were enough once. Go makes no such keys any more, so
// that one is put together.
func TestShortRSA(t *testing.T) {
	for bits, fine := range map[uint]bool{1024: false, 2047: false, 2048: true} {
		n := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), bits-1), big.NewInt(1))
		wire := ssh.Marshal(struct {
			Name string
			E, N *big.Int
		}{ssh.KeyAlgoRSA, big.NewInt(65537), n})
		key, err := ssh.ParsePublicKey(wire)
		if err != nil {
			if fine {
				t.Fatal(err)
			}
			continue
		}
		if _, err := sshsig.ParsePublicKey(string(ssh.MarshalAuthorizedKey(key))); (err == nil) != fine {
			t.Errorf("%d bits: %v", bits, err)
		}
	}
}
