// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"encoding/hex"
	"fmt"

	"github.com/miekg/pkcs11"

	"github.com/keymat/keymat/material"
)

// checkValue has the token make the fingerprint that package material makes of the same secret, for AES-256 keys and
// secrets that KMS takes for HMAC keys. A token that declines to is no error: some have no AES-CMAC, some no MAC with a key
// shorter than the digest, and a key may be barred from signing.
func (t *Token) checkValue(k *Key) (material.Fingerprint, error) {
	m, message, name := Mechanism{Type: pkcs11.CKM_SHA256_HMAC}, []byte("keymat/kcv/v1"), material.HMACCheck
	switch k.Spec.Kind() {
	case material.KindNone:
		return material.Fingerprint{}, nil
	case material.Symmetric:
		m, message, name = Mechanism{Type: pkcs11.CKM_AES_CMAC}, make([]byte, 16), material.CMAC
	}
	if !t.Has(m.Type, pkcs11.CKF_SIGN) {
		return material.Fingerprint{}, nil
	}
	mac, err := k.session.Sign(m, k.object, message)
	if answered(err, pkcs11.CKR_KEY_SIZE_RANGE, pkcs11.CKR_KEY_FUNCTION_NOT_PERMITTED, pkcs11.CKR_KEY_TYPE_INCONSISTENT, pkcs11.CKR_MECHANISM_INVALID) {
		return material.Fingerprint{}, nil
	}
	const size = 5 // bytes of a check value
	if err != nil || len(mac) < size {
		return material.Fingerprint{}, err
	}
	return material.Fingerprint{Kind: name, Value: hex.EncodeToString(mac[:size])}, nil
}

// macs has for each HMAC spec the mechanism with its digest: what KMS GenerateMac computes with such a key (KMS API,
// MacAlgorithmSpec).
var macs = map[material.Spec]uint{
	material.HMAC224: pkcs11.CKM_SHA224_HMAC,
	material.HMAC256: pkcs11.CKM_SHA256_HMAC,
	material.HMAC384: pkcs11.CKM_SHA384_HMAC,
	material.HMAC512: pkcs11.CKM_SHA512_HMAC,
}

// A NoMACError is a token that does not compute MACs as KMS does with keys of a spec.
type NoMACError struct{ Spec material.Spec }

func (e *NoMACError) Error() string {
	return fmt.Sprintf("the token computes no MACs of %s keys", e.Spec)
}

// MAC has the token compute the MAC of a message with a key, as KMS does with keys of the HMAC spec. Errors: [*NoMACError],
// [*CallError].
func (t *Token) MAC(k *Key, spec material.Spec, message []byte) ([]byte, error) {
	m, ok := macs[spec]
	if !ok || !t.Has(m, pkcs11.CKF_SIGN) {
		return nil, &NoMACError{Spec: spec}
	}
	return k.session.Sign(Mechanism{Type: m}, k.object, message)
}
