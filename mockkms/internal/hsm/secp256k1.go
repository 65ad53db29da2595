// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"crypto/rand"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// k1Secret signs with a key on secp256k1, which the standard library lacks.
type k1Secret struct {
	private *secp256k1.PrivateKey
	public  *secp256k1.PublicKey
}

func openK1(_ *curve, scalar []byte) (secret any, point []byte, ok bool) {
	var d secp256k1.ModNScalar
	if overflow := d.SetByteSlice(scalar); overflow || d.IsZero() {
		return nil, nil, false
	}
	private := secp256k1.NewPrivateKey(&d)
	public := private.PubKey()
	return &k1Secret{private, public}, public.SerializeUncompressed(), true
}

func generateK1(*curve) ([]byte, error) {
	private, err := secp256k1.GeneratePrivateKey()
	if err != nil {
		return nil, err
	}
	return private.Serialize(), nil
}

// sign implements signer: ECDSA (SEC 1 section 4.1.3) with a nonce of RFC 6979
// hedged with fresh randomness. The library's own Sign will not do: it answers
// the same signature each time, and always the one with the smaller s, whereas
// those of KMS are randomised and some have the larger s (recorded). Who sends
// them to a ledger has to learn to negate s, so the mock must not hide it.
func (k *k1Secret) sign(_ signingAlgorithm, digest []byte) ([]byte, error) {
	var fresh [32]byte
	rand.Read(fresh[:])
	scalar := k.private.Key.Bytes()

	var e, r, s secp256k1.ModNScalar
	e.SetByteSlice(digest)
	for attempt := uint32(0); ; attempt++ {
		nonce := secp256k1.NonceRFC6979(scalar[:], digest, fresh[:], nil, attempt)
		var point secp256k1.JacobianPoint
		secp256k1.ScalarBaseMultNonConst(nonce, &point)
		point.ToAffine()
		r.SetBytes(point.X.Bytes()) // reduced modulo the group order
		s.Mul2(&r, &k.private.Key).Add(&e).Mul(nonce.InverseNonConst())
		if !r.IsZero() && !s.IsZero() {
			break
		}
	}
	rb, sb := r.Bytes(), s.Bytes()
	return element(tagSequence, unsignedInteger(rb[:]), unsignedInteger(sb[:])), nil
}

func (k *k1Secret) verify(_ signingAlgorithm, digest, signature []byte) bool {
	parsed, err := ecdsa.ParseDERSignature(signature)
	return err == nil && parsed.Verify(digest, k.public)
}

// unsignedInteger encodes a positive big-endian number as a DER INTEGER.
func unsignedInteger(b []byte) []byte {
	for len(b) > 1 && b[0] == 0 {
		b = b[1:]
	}
	if b[0]&0x80 != 0 {
		return element(tagInteger, []byte{0}, b)
	}
	return element(tagInteger, b)
}
