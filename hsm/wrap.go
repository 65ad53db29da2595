// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"crypto/rsa"
	"errors"
	"math/big"

	"github.com/miekg/pkcs11"

	"github.com/keymat/keymat/wrap"
)

// A WrappingKey is an RSA public key of somebody else in a token, for this session.
type WrappingKey struct {
	session Session
	public  Object
	oneTime Object // an AES key that is trusted; 0 if one is made when it is needed
	trusted bool
}

// Bring brings a wrapping key into the token, for this session. The user has to be logged in.
func (t *Token) Bring(pub *rsa.PublicKey) (*WrappingKey, error) {
	return t.bring(pub, false)
}

// Trust brings a wrapping key into the token as one that the security officer, who has to be logged in, trusts
// (CKA_TRUSTED), and for hybrid algorithms a one-time AES key made in the token likewise: the officer vouches that pub is
// what it should be, and the user, who logs in after, can wrap keys with CKA_WRAP_WITH_TRUSTED under nothing else.
func (t *Token) Trust(pub *rsa.PublicKey, a wrap.Algorithm) (*WrappingKey, error) {
	w, err := t.bring(pub, true)
	if err != nil || !a.Hybrid() {
		return w, err
	}
	if w.oneTime, err = t.oneTimeKey(true); err != nil {
		return nil, errors.Join(err, w.Discard())
	}
	return w, nil
}

// bring makes the object public, so that it outlives the logout of whoever made it.
func (t *Token) bring(pub *rsa.PublicKey, trusted bool) (*WrappingKey, error) {
	if _, err := wrap.KeySpecOf(pub); err != nil {
		return nil, err
	}
	template := []Attribute{
		{pkcs11.CKA_CLASS, uint(pkcs11.CKO_PUBLIC_KEY)},
		{pkcs11.CKA_KEY_TYPE, uint(pkcs11.CKK_RSA)},
		{pkcs11.CKA_TOKEN, false},
		{pkcs11.CKA_PRIVATE, false},
		{pkcs11.CKA_WRAP, true},
		{pkcs11.CKA_MODULUS, pub.N.Bytes()},
		{pkcs11.CKA_PUBLIC_EXPONENT, big.NewInt(int64(pub.E)).Bytes()},
	}
	if trusted {
		template = append(template, Attribute{pkcs11.CKA_TRUSTED, true})
	}
	o, err := t.session.Create(template)
	if err != nil {
		return nil, err
	}
	return &WrappingKey{session: t.session, public: o, trusted: trusted}, nil
}

// oneTimeKey makes an AES-256 key for one wrapping. That of the security officer, who has no private objects, is public
// like the wrapping key; it is as sensitive as any.
func (t *Token) oneTimeKey(trusted bool) (Object, error) {
	template := []Attribute{
		{pkcs11.CKA_CLASS, uint(pkcs11.CKO_SECRET_KEY)},
		{pkcs11.CKA_KEY_TYPE, uint(pkcs11.CKK_AES)},
		{pkcs11.CKA_VALUE_LEN, uint(32)},
		{pkcs11.CKA_TOKEN, false},
		{pkcs11.CKA_PRIVATE, !trusted},
		{pkcs11.CKA_SENSITIVE, true},
		{pkcs11.CKA_EXTRACTABLE, true},
		{pkcs11.CKA_WRAP, true},
		{pkcs11.CKA_WRAP_WITH_TRUSTED, trusted},
	}
	if trusted {
		template = append(template, Attribute{pkcs11.CKA_TRUSTED, true})
	}
	return t.session.GenerateKey(Mechanism{Type: pkcs11.CKM_AES_KEY_GEN}, template)
}

// Discard takes the wrapping key out of the token again.
func (w *WrappingKey) Discard() error {
	err := w.session.Destroy(w.public)
	if w.oneTime != 0 {
		err = errors.Join(err, w.session.Destroy(w.oneTime))
		w.oneTime = 0
	}
	return err
}

// Wrap wraps a key under w in the token. What comes out is as [wrap.Wrap] would make it of the same material: EncryptedKeyMaterial
// for KMS. A one-time key serves once. Errors: [*UnextractableError], [*UntrustedError], [*CallError].
func (t *Token) Wrap(w *WrappingKey, m Method, k *Key) ([]byte, error) {
	encrypted, err := t.wrap(w, m, k)
	switch {
	case answered(err, pkcs11.CKR_KEY_UNEXTRACTABLE):
		return nil, &UnextractableError{Label: k.Label}
	case answered(err, pkcs11.CKR_KEY_NOT_WRAPPABLE) && !w.trusted && k.Attributes.WrapWithTrusted:
		return nil, &UntrustedError{Label: k.Label}
	}
	return encrypted, err
}

func (t *Token) wrap(w *WrappingKey, m Method, k *Key) ([]byte, error) {
	if !m.Algorithm.Hybrid() {
		return t.session.Wrap(Mechanism{Type: pkcs11.CKM_RSA_PKCS_OAEP, OAEP: m.oaep()}, w.public, k.object)
	}
	if m.KeyWrap == 0 {
		return t.session.Wrap(Mechanism{Type: pkcs11.CKM_RSA_AES_KEY_WRAP, OAEP: m.oaep(), AESBits: 256}, w.public, k.object)
	}
	return t.wrapTwice(w, m, k)
}

// wrapTwice does in two calls what CKM_RSA_AES_KEY_WRAP does in one (PKCS #11 v2.40 section 2.1.21).
func (t *Token) wrapTwice(w *WrappingKey, m Method, k *Key) (encrypted []byte, err error) {
	aes := w.oneTime
	w.oneTime = 0
	if aes == 0 {
		if aes, err = t.oneTimeKey(false); err != nil {
			return nil, err
		}
	}
	defer func() { err = errors.Join(err, t.session.Destroy(aes)) }()
	wrapped, err := t.session.Wrap(Mechanism{Type: m.KeyWrap}, aes, k.object)
	if err != nil {
		return nil, err
	}
	encryptedKey, err := t.session.Wrap(Mechanism{Type: pkcs11.CKM_RSA_PKCS_OAEP, OAEP: m.oaep()}, w.public, aes)
	if err != nil {
		return nil, err
	}
	return append(encryptedKey, wrapped...), nil
}
