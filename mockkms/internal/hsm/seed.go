// SPDX-License-Identifier: Apache-2.0

package hsm

import "crypto/rand"

// Lattice keys are kept as the seed they are made from: PKCS #8 with [0]
// IMPLICIT OCTET STRING inside (RFC 9881 and RFC 9935, section 6). It is what
// GenerateDataKeyPair hands out for ML-KEM, too (GenerateDataKeyPair in the KMS
// API reference).

func marshalSeed(oid, seed []byte) []byte {
	return marshalPKCS8(oid, nil, element(tagContext0, seed))
}

func parseSeed(der, oid []byte, size int) (seed []byte, ok bool) {
	info, ok := parsePKCS8(der)
	if !ok || !info.is(oid, nil) {
		return nil, false
	}
	seed, ok = readWhole(info.key, tagContext0)
	return seed, ok && len(seed) == size
}

func generateSeed(oid []byte, size int) []byte {
	seed := make([]byte, size)
	rand.Read(seed)
	return marshalSeed(oid, seed)
}
