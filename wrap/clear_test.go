// SPDX-License-Identifier: Apache-2.0

package wrap

import (
	"bytes"
	"crypto/rsa"
	"math/big"
	"testing"
)

// TestAESKeyCleared lends hybrid the memory of its one-time key and looks at it afterwards, also when hybrid fails.
// It is inside the package because Wrap rightly shows no one that memory.
func TestAESKeyCleared(t *testing.T) {
	n := new(big.Int).Lsh(big.NewInt(1), 2047)
	pub := &rsa.PublicKey{N: n.SetBit(n, 0, 1), E: exponent}
	tests := []struct {
		name      string
		pub       *rsa.PublicKey
		plaintext int // bytes
		ok        bool
	}{
		{"success", pub, 1217, true},
		{"key wrap fails", pub, 15, false},
		{"RSA fails", &rsa.PublicKey{N: big.NewInt(3), E: exponent}, 1217, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			aesKey := bytes.Repeat([]byte{0xff}, aesKeyLen)
			encrypted, err := hybrid(tt.pub, RSAAESSHA256, make([]byte, tt.plaintext), aesKey)
			if (err == nil) != tt.ok || (encrypted != nil) != tt.ok {
				t.Fatalf("got %d bytes, %v", len(encrypted), err)
			}
			if !bytes.Equal(aesKey, make([]byte, aesKeyLen)) {
				t.Error("the AES key is still in memory")
			}
		})
	}
}
