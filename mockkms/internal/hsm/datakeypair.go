// SPDX-License-Identifier: Apache-2.0

package hsm

// GenerateDataKeyPair makes a key pair for use outside of KMS: PKCS #8 and
// SubjectPublicKeyInfo. The private keys of Weierstrass curves repeat the curve
// in the inner ECPrivateKey, unlike [GenerateMaterial]'s: the recorded lengths
// of 150, 194, 250 and 144 bytes show it. The error is an [*UnknownSpecError].
func GenerateDataKeyPair(spec string) (private, public []byte, err error) {
	material, err := GenerateMaterial(spec)
	if err != nil {
		return nil, nil, err
	}
	k, err := ParseMaterial(spec, material)
	if err != nil {
		return nil, nil, err
	}
	if c := k.spec.curve; c != nil {
		return withCurveRepeated(c, k.canonical), k.public, nil
	}
	return k.canonical, k.public, nil
}

// withCurveRepeated re-encodes a canonical key on curve c.
func withCurveRepeated(c *curve, canonical []byte) []byte {
	info, _ := parsePKCS8(canonical)
	scalar, point, _ := parseECPrivateKey(c, info.key)
	return marshalPKCS8(oidECPublicKey, c.oid, element(tagSequence,
		derOne,
		element(tagOctetString, scalar),
		element(tagExplicit0, c.oid),
		element(tagExplicit1, element(tagBitString, []byte{0}, point))))
}
