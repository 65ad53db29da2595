// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"fmt"
)

// parseRaw takes symmetric and HMAC material, which is nothing but bytes.
func parseRaw(s *Spec, material []byte) (*Key, error) {
	if n := len(material); n < s.size || n > s.most {
		want := fmt.Sprintf("%d", s.size)
		if s.most != s.size {
			want = fmt.Sprintf("%d to %d", s.size, s.most)
		}
		return nil, &MaterialError{KeySpec: s.name, Reason: fmt.Sprintf("%d bytes, not %s", n, want)}
	}
	return &Key{spec: s, canonical: bytes.Clone(material)}, nil
}

func generateRaw(s *Spec) ([]byte, error) {
	material := make([]byte, s.size)
	rand.Read(material) // never fails since Go 1.24
	return material, nil
}

// MAC computes the HMAC of a message with the key spec's algorithm, whole as
// KMS returns it. The error is an [*AlgorithmError].
func (k *Key) MAC(algorithm string, message []byte) ([]byte, error) {
	if !k.spec.Allows(GenerateVerifyMAC, algorithm) {
		return nil, &AlgorithmError{Algorithm: algorithm, KeySpec: k.spec.name}
	}
	h := hmac.New(macHash(algorithm).New, k.canonical)
	h.Write(message)
	return h.Sum(nil), nil
}

// VerifyMAC checks the MAC of a message. Errors: [*AlgorithmError], and [ErrMAC]
// for a wrong MAC as for one cut short (recorded).
func (k *Key) VerifyMAC(algorithm string, message, mac []byte) error {
	want, err := k.MAC(algorithm, message)
	if err != nil {
		return err
	}
	if !hmac.Equal(mac, want) {
		return ErrMAC
	}
	return nil
}
