// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package cryptoki

import (
	"github.com/miekg/pkcs11"

	"github.com/keymat/keymat/hsm"
)

type session struct {
	ctx    *pkcs11.Ctx
	handle pkcs11.SessionHandle
}

// Login hands the PIN on as a string, as the library for Go takes it, which copies it to memory of C and frees that
// without wiping: it is gone with the process.
func (s *session) Login(user hsm.User, pin []byte) error {
	return answer("C_Login", s.ctx.Login(s.handle, uint(user), string(pin)))
}

func (s *session) Logout() error { return answer("C_Logout", s.ctx.Logout(s.handle)) }

func (s *session) Find(t []hsm.Attribute) (found []hsm.Object, err error) {
	if err := s.ctx.FindObjectsInit(s.handle, template(t)); err != nil {
		return nil, answer("C_FindObjectsInit", err)
	}
	for {
		some, _, err := s.ctx.FindObjects(s.handle, 64)
		if err != nil {
			_ = s.ctx.FindObjectsFinal(s.handle) // the first error counts
			return nil, answer("C_FindObjects", err)
		}
		if len(some) == 0 {
			return found, answer("C_FindObjectsFinal", s.ctx.FindObjectsFinal(s.handle))
		}
		for _, o := range some {
			found = append(found, hsm.Object(o))
		}
	}
}

func (s *session) Attribute(o hsm.Object, attribute uint) ([]byte, error) {
	got, err := s.ctx.GetAttributeValue(s.handle, pkcs11.ObjectHandle(o), []*pkcs11.Attribute{pkcs11.NewAttribute(attribute, nil)})
	if err != nil {
		return nil, answer("C_GetAttributeValue", err)
	}
	return got[0].Value, nil
}

func (s *session) Create(t []hsm.Attribute) (hsm.Object, error) {
	o, err := s.ctx.CreateObject(s.handle, template(t))
	return hsm.Object(o), answer("C_CreateObject", err)
}

func (s *session) Destroy(o hsm.Object) error {
	return answer("C_DestroyObject", s.ctx.DestroyObject(s.handle, pkcs11.ObjectHandle(o)))
}

func (s *session) GenerateKey(m hsm.Mechanism, t []hsm.Attribute) (hsm.Object, error) {
	o, err := s.ctx.GenerateKey(s.handle, mechanism(m), template(t))
	return hsm.Object(o), answer("C_GenerateKey", err)
}

func (s *session) GenerateKeyPair(m hsm.Mechanism, public, private []hsm.Attribute) (hsm.Object, hsm.Object, error) {
	pub, priv, err := s.ctx.GenerateKeyPair(s.handle, mechanism(m), template(public), template(private))
	return hsm.Object(pub), hsm.Object(priv), answer("C_GenerateKeyPair", err)
}

func (s *session) Wrap(m hsm.Mechanism, wrappingKey, key hsm.Object) ([]byte, error) {
	wrapped, err := s.ctx.WrapKey(s.handle, mechanism(m), pkcs11.ObjectHandle(wrappingKey), pkcs11.ObjectHandle(key))
	return wrapped, answer("C_WrapKey", err)
}

func (s *session) Sign(m hsm.Mechanism, key hsm.Object, data []byte) ([]byte, error) {
	if err := s.ctx.SignInit(s.handle, mechanism(m), pkcs11.ObjectHandle(key)); err != nil {
		return nil, answer("C_SignInit", err)
	}
	mac, err := s.ctx.Sign(s.handle, data)
	return mac, answer("C_Sign", err)
}

func (s *session) Close() error { return answer("C_CloseSession", s.ctx.CloseSession(s.handle)) }

func template(attributes []hsm.Attribute) []*pkcs11.Attribute {
	t := make([]*pkcs11.Attribute, len(attributes))
	for i, a := range attributes {
		t[i] = pkcs11.NewAttribute(a.Type, a.Value)
	}
	return t
}

func mechanism(m hsm.Mechanism) []*pkcs11.Mechanism {
	if m.OAEP == nil {
		return []*pkcs11.Mechanism{pkcs11.NewMechanism(m.Type, nil)}
	}
	oaep := pkcs11.NewOAEPParams(m.OAEP.Hash, m.OAEP.MGF, pkcs11.CKZ_DATA_SPECIFIED, nil)
	if m.AESBits == 0 {
		return []*pkcs11.Mechanism{pkcs11.NewMechanism(m.Type, oaep)}
	}
	both := &pkcs11.RSAAESKeyWrapParams{AESKeyBits: m.AESBits, OAEPParams: *oaep}
	return []*pkcs11.Mechanism{pkcs11.NewMechanism(m.Type, both)}
}
