// SPDX-License-Identifier: Apache-2.0

package hsm_test

import (
	"crypto/fips140"
	"os"
	"os/exec"
	"testing"

	"github.com/keymat/keymat/mockkms/internal/hsm"
)

// Under GODEBUG=fips140=only everything works but SHA-1, which is refused with
// an error of its own, not with a panic. The setting is read when a process
// starts, so the test runs itself once more.
func TestFIPSOnly(t *testing.T) {
	if !fips140.Enforced() {
		again := exec.Command(os.Args[0], "-test.run=^TestFIPSOnly$", "-test.v")
		again.Env = append(os.Environ(), "GODEBUG=fips140=only")
		if out, err := again.CombinedOutput(); err != nil {
			t.Errorf("under fips140=only: %v\n%s", err, out)
		}
		return
	}
	for _, spec := range allSpecs {
		if spec == "RSA_3072" || spec == "RSA_4096" {
			continue // the same code, seconds of work
		}
		k := generated(t, spec)
		for _, algorithm := range k.Spec().Algorithms("SIGN_VERIFY") {
			messageType, message := "RAW", make([]byte, 64)
			if algorithm == "ED25519_PH_SHA_512" {
				messageType = "DIGEST"
			}
			if signature, err := k.Sign(algorithm, messageType, message); err != nil {
				t.Errorf("%s: %v", algorithm, err)
			} else if err := k.Verify(algorithm, messageType, message, signature); err != nil {
				t.Errorf("%s: %v", algorithm, err)
			}
		}
		for _, algorithm := range k.Spec().Algorithms("GENERATE_VERIFY_MAC") {
			if _, err := k.MAC(algorithm, nil); err != nil {
				t.Errorf("%s: %v", algorithm, err)
			}
		}
		for _, algorithm := range k.Spec().Algorithms("KEY_AGREEMENT") {
			if _, err := k.DeriveSharedSecret(algorithm, k.PublicKeyDER()); err != nil {
				t.Errorf("%s: %v", spec, err)
			}
		}
	}
	c := newCipher(t, 1, 'A')
	if _, err := c.Open(seal(t, c, []byte("p"), nil), nil); err != nil {
		t.Errorf("ciphertext: %v", err)
	}
	if _, err := hsm.OpenToken([32]byte{1}, sealToken(t, 1, claims("ref"))); err != nil {
		t.Errorf("token: %v", err)
	}
	key, k := wrappingKey(t), generated(t, "RSA_2048")
	for _, algorithm := range []string{"RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_256"} {
		blob := wrapWith(t, &key.PublicKey, algorithm, make([]byte, 32), make([]byte, 32))
		if _, err := hsm.Unwrap(key, algorithm, blob); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
	}
	for _, algorithm := range []string{"RSAES_OAEP_SHA_1", "RSA_AES_KEY_WRAP_SHA_1"} {
		if _, err := hsm.Unwrap(key, algorithm, make([]byte, 256)); err != hsm.ErrFIPS {
			t.Errorf("%s: %v, want ErrFIPS", algorithm, err)
		}
	}
	if _, err := k.Encrypt("RSAES_OAEP_SHA_1", nil); err != hsm.ErrFIPS {
		t.Errorf("Encrypt: %v, want ErrFIPS", err)
	}
	if _, err := k.Decrypt("RSAES_OAEP_SHA_1", nil); err != hsm.ErrFIPS {
		t.Errorf("Decrypt: %v, want ErrFIPS", err)
	}
}
