// SPDX-License-Identifier: Apache-2.0

package hsm_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/keymat/keymat/mockkms/internal/hsm"
)

// What KMS answered for imported keys of the letter A (recorded for the first
// two, the others computed with openssl mac).
func TestMACKnownAnswers(t *testing.T) {
	tests := []struct {
		spec, algorithm string
		length          int
		want            string
	}{
		{"HMAC_224", "HMAC_SHA_224", 28, "53651bd6e9d7fc8a5d0145a458e913927fbe07739f26fc4c0f47e659"},
		{"HMAC_256", "HMAC_SHA_256", 32, "10dc6a3066094877059c3fc4f9b74eded0b146bc283106828018221d84d04cfc"},
		{"HMAC_384", "HMAC_SHA_384", 48, "9a8e35431f83c56513393765fc09c4d7a224e1b5ff096aa4cfae487a6070ceefd66b817fc73a5351c68a2a5b86507cfd"},
		{"HMAC_512", "HMAC_SHA_512", 64, "2f576b39b690e17a519e87002940fe1272cf20194b69cfab2994321b56f100a67a1adaba40eca3ed09e84ad4b1744ca4de037ca87e89dc595b40fefa1ce0f36c"},
	}
	for _, tt := range tests {
		k := parse(t, tt.spec, bytes.Repeat([]byte{'A'}, tt.length))
		mac, err := k.MAC(tt.algorithm, []byte("imported HMAC"))
		if got := hex.EncodeToString(mac); err != nil || got != tt.want {
			t.Errorf("%s: %s, %v, want %s", tt.spec, got, err, tt.want)
		}
		if err := k.VerifyMAC(tt.algorithm, []byte("imported HMAC"), mac); err != nil {
			t.Errorf("%s: %v", tt.spec, err)
		}
		for name, bad := range map[string][]byte{
			"short": mac[:len(mac)-1], "long": append(bytes.Clone(mac), 0), "empty": nil, "other": make([]byte, len(mac)),
		} {
			if err := k.VerifyMAC(tt.algorithm, []byte("imported HMAC"), bad); err != hsm.ErrMAC {
				t.Errorf("%s: %s mac: %v, want ErrMAC", tt.spec, name, err)
			}
		}
		if err := k.VerifyMAC(tt.algorithm, []byte("another"), mac); err != hsm.ErrMAC {
			t.Errorf("%s: other message: %v, want ErrMAC", tt.spec, err)
		}
	}
}

func TestMACAlgorithmFitsSpec(t *testing.T) {
	algorithms := []string{"HMAC_SHA_224", "HMAC_SHA_256", "HMAC_SHA_384", "HMAC_SHA_512"}
	for i, spec := range []string{"HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512", "SYMMETRIC_DEFAULT", "ECC_NIST_P256"} {
		for j, algorithm := range algorithms {
			_, err := generated(t, spec).MAC(algorithm, []byte("m"))
			e, refused := errors.AsType[*hsm.AlgorithmError](err)
			if refused != (i != j) || refused && (e.Algorithm != algorithm || e.KeySpec != spec) {
				t.Errorf("%s under %s: %v", algorithm, spec, err)
			}
			if err := generated(t, spec).VerifyMAC(algorithm, []byte("m"), nil); errors.Is(err, hsm.ErrMAC) != (i == j) {
				t.Errorf("VerifyMAC %s under %s: %v", algorithm, spec, err)
			}
		}
	}
}
