// SPDX-License-Identifier: Apache-2.0

package hsm_test

import (
	"testing"

	"github.com/keymat/keymat/mockkms/internal/hsm"
)

func BenchmarkParseMaterial(b *testing.B) {
	for spec, name := range map[string]string{"RSA_2048": "rsa2048.der", "ECC_NIST_P256": "p256.der"} {
		material := readTestdata(b, name)
		b.Run(spec, func(b *testing.B) {
			for b.Loop() {
				parse(b, spec, material)
			}
		})
	}
}

// BenchmarkImport is what one import costs here: token, wrapping key, unwrapping.
func BenchmarkImport(b *testing.B) {
	key := wrappingKey(b)
	claims := claims("")
	claims.WrappingKey = hsm.MarshalWrappingKey(key)
	token := sealToken(b, 1, claims)
	blob := wrapWith(b, &key.PublicKey, "RSAES_OAEP_SHA_256", nil, make([]byte, 32))
	for b.Loop() {
		c, err := hsm.OpenToken([32]byte{1}, token)
		if err != nil {
			b.Fatal(err)
		}
		private, err := hsm.ParseWrappingKey(c.WrappingKey)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := hsm.Unwrap(private, "RSAES_OAEP_SHA_256", blob); err != nil {
			b.Fatal(err)
		}
	}
}
