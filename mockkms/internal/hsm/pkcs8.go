// SPDX-License-Identifier: Apache-2.0

package hsm

import "bytes"

// Object identifiers, whole DER elements.
var (
	oidRSAEncryption = []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01}
	oidECPublicKey   = []byte{0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01}
	oidEd25519       = []byte{0x06, 0x03, 0x2b, 0x65, 0x70}
	oidP256          = []byte{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}
	oidP384          = []byte{0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22}
	oidP521          = []byte{0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23}
	oidSecp256k1     = []byte{0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a}

	oidMLDSA44   = nistOID(3, 17)
	oidMLDSA65   = nistOID(3, 18)
	oidMLDSA87   = nistOID(3, 19)
	oidMLKEM512  = nistOID(4, 1)
	oidMLKEM768  = nistOID(4, 2)
	oidMLKEM1024 = nistOID(4, 3)

	derNull = []byte{0x05, 0x00}
	derZero = []byte{tagInteger, 1, 0}
	derOne  = []byte{tagInteger, 1, 1}
)

// nistOID is 2.16.840.1.101.3.4 with two more numbers: 3 begins signatures, 4
// key encapsulations.
func nistOID(kind, number byte) []byte {
	return []byte{0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, kind, number}
}

// pkcs8 is a PrivateKeyInfo taken apart (RFC 5208 section 5).
type pkcs8 struct {
	algorithm []byte // content of the AlgorithmIdentifier: object identifier and parameters
	key       []byte // content of the privateKey OCTET STRING
}

// parsePKCS8 takes apart a DER PrivateKeyInfo of version 1 (the integer 0), the
// only one of RFC 5208, which is what the KMS guide asks for. Attributes are
// let through unread.
func parsePKCS8(der []byte) (info pkcs8, ok bool) {
	body, ok := readWhole(der, tagSequence)
	if !ok {
		return pkcs8{}, false
	}
	body, ok = bytes.CutPrefix(body, derZero)
	if !ok {
		return pkcs8{}, false
	}
	if info.algorithm, body, ok = readTagged(body, tagSequence); !ok {
		return pkcs8{}, false
	}
	if info.key, body, ok = readTagged(body, tagOctetString); !ok {
		return pkcs8{}, false
	}
	if len(body) > 0 {
		if _, ok = readWhole(body, tagExplicit0); !ok {
			return pkcs8{}, false
		}
	}
	return info, true
}

// is reports whether the key's algorithm is exactly that, parameters included.
func (p pkcs8) is(oid, params []byte) bool {
	rest, ok := bytes.CutPrefix(p.algorithm, oid)
	return ok && bytes.Equal(rest, params)
}

// marshalPKCS8 encodes a PrivateKeyInfo of version 1 without attributes.
func marshalPKCS8(oid, params, key []byte) []byte {
	return element(tagSequence,
		derZero,
		element(tagSequence, oid, params),
		element(tagOctetString, key))
}

// marshalSPKI encodes a SubjectPublicKeyInfo (RFC 5280 section 4.1).
func marshalSPKI(oid, params, key []byte) []byte {
	return element(tagSequence,
		element(tagSequence, oid, params),
		element(tagBitString, []byte{0}, key))
}
