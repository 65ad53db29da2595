// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// Public keys and signatures that AWS KMS answered on 2026-09-12, as recorded in
// testdata/aws/kms/ecc.json of github.com/radkawar/stackd (Apache-2.0, commit
// 9dc356f5e5cc). This test is inside the package because it has public keys
// only, of which no Key can be made.
func TestRecordedSignaturesVerify(t *testing.T) {
	const (
		message = "stackd ECC interoperability"
		p256Key = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEcGIr8j9vQq4yAB7OytYUGjHnGKyVq6JUTjwPam6F7dou5hpL+T9PxzarZQ7u0xBcd44U9Ut6syYz15xiUBnp0Q=="
		k1Key   = "MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEHTEKkRd6pwaxWDLQc5dQMqZG5B4T+iFYl8Ul07s8asiO+Ml4+kx4SO9+vSsF7hzk1OkI2hzEowFr14UEbQKkPA=="
		edKey   = "MCowBQYDK2VwAyEAmnl5akZRr82aTm/SBYXqN0IqltQoLHdjrOKW7LIKU7A="
	)
	tests := []struct {
		name, spec, algorithm, messageType string
		public, signature                  string
	}{
		{"P-256", ECCNISTP256, "ECDSA_SHA_256", Raw, p256Key,
			"MEQCIDgjUJrpJqGtyDgAoDHnwSEzp8DdRkDaYWhOpTefoRHHAiBmFC/VowRUma6sqwA9hh285fGZYbjQnkZcjC4bYtOEfA=="},
		{"secp256k1", ECCSECGP256K1, "ECDSA_SHA_256", Raw, k1Key,
			"MEUCIQD6dSFHN5NdOkaUdUCXo3MFobqTLFg4UKSYCopeOrpjSwIgKcC0j1hAc+ziyNuasUgP4V0MSIaHARkRgcFK6zuhXqY="},
		{"secp256k1 with large s", ECCSECGP256K1, "ECDSA_SHA_256", Digest, k1Key,
			"MEYCIQCEptb0YYUwufTnkl1JlF+7myBy2pJr61ndQGspvroUlAIhAOkVLLOXlDo5gYWMtEEFLuPmy3BZnL1tUZUh5jOuprF5"},
		{"Ed25519", ECCNISTEdwards25519, "ED25519_SHA_512", Raw, edKey,
			"/LlIG4hb/5IeqjrPH0jUm+NgE3UyPlDFulQ4wgr9eBxLa/ZEPSetXY8luFB4z0zjEs+pXiVONrhZELzak2FPBA=="},
		{"Ed25519ph", ECCNISTEdwards25519, "ED25519_PH_SHA_512", Digest, edKey,
			"lRxoBfode2A1wa9SP+A30MmtzofGyeVULvcrrwOx8uYqWkic7PuGDT+ZzEJcYI6je4GNiIq29kgJTXk5kXJOAg=="},
	}
	for _, tt := range tests {
		spec, _ := LookupSpec(tt.spec)
		k := &Key{spec: spec, secret: publicOnly(t, tt.spec, decode(t, tt.public))}
		signed := []byte(message)
		if tt.messageType == Digest {
			a, _ := findSigning(tt.algorithm)
			h := a.hash.New()
			h.Write(signed)
			signed = h.Sum(nil)
		}
		if err := k.Verify(tt.algorithm, tt.messageType, signed, decode(t, tt.signature)); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		signed[0] ^= 1
		if err := k.Verify(tt.algorithm, tt.messageType, signed, decode(t, tt.signature)); err != ErrSignature {
			t.Errorf("%s, other message: %v, want ErrSignature", tt.name, err)
		}
	}
}

func decode(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// publicOnly returns the secret of a key without its private part.
func publicOnly(t *testing.T, spec string, spki []byte) any {
	t.Helper()
	if spec == ECCSECGP256K1 {
		public, err := secp256k1.ParsePubKey(spki[len(spki)-65:])
		if err != nil {
			t.Fatal(err)
		}
		return &k1Secret{public: public}
	}
	parsed, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		t.Fatal(err)
	}
	if public, ok := parsed.(ed25519.PublicKey); ok {
		return &edSecret{public: public}
	}
	return &nistSecret{private: &ecdsa.PrivateKey{PublicKey: *parsed.(*ecdsa.PublicKey)}}
}
