// SPDX-License-Identifier: Apache-2.0

package material

import "crypto"

// keyPair is a checked private key of a spec that KMS imports.
type keyPair struct {
	spec   Spec
	public crypto.PublicKey
	spki   []byte // SubjectPublicKeyInfo, DER
	pkcs8  []byte // PrivateKeyInfo, DER, in the form [encodePKCS8] gives it
}

// material makes the Material whose plaintext is exactly plaintext.
func (k *keyPair) material(plaintext []byte) *Material {
	return &Material{
		spec:        k.spec,
		secret:      NewSecret(plaintext),
		public:      k.public,
		spki:        k.spki,
		fingerprint: FingerprintPublicKey(k.spki),
	}
}
