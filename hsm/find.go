// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/miekg/pkcs11"
)

// Keys returns all secret and private keys that the token keeps, by label.
func (t *Token) Keys() ([]*Key, error) {
	keys, err := t.find()
	slices.SortFunc(keys, func(a, b *Key) int {
		return cmp.Or(cmp.Compare(a.Label, b.Label), bytes.Compare(a.ID, b.ID))
	})
	return keys, err
}

// Key returns the only secret or private key of that label. Errors: [*NoKeyError], [*CallError].
func (t *Token) Key(label string) (*Key, error) {
	keys, err := t.Labelled(label)
	if err != nil {
		return nil, err
	}
	if len(keys) != 1 {
		return nil, &NoKeyError{Label: label, Count: len(keys)}
	}
	return keys[0], nil
}

// Labelled returns the secret and private keys of that label.
func (t *Token) Labelled(label string) ([]*Key, error) {
	return t.find(Attribute{pkcs11.CKA_LABEL, label})
}

// Identified returns the secret and private keys with that CKA_ID.
func (t *Token) Identified(id []byte) ([]*Key, error) {
	return t.find(Attribute{pkcs11.CKA_ID, id})
}

// find returns the keys on the token that have some attributes.
func (t *Token) find(having ...Attribute) (keys []*Key, err error) {
	for _, class := range []uint{pkcs11.CKO_SECRET_KEY, pkcs11.CKO_PRIVATE_KEY} {
		template := append([]Attribute{{pkcs11.CKA_CLASS, class}, {pkcs11.CKA_TOKEN, true}}, having...)
		objects, err := t.session.Find(template)
		if err != nil {
			return nil, err
		}
		for _, o := range objects {
			k, err := t.load(o, class)
			if err != nil {
				return nil, err
			}
			keys = append(keys, k)
		}
	}
	return keys, nil
}

func (t *Token) load(o Object, class uint) (*Key, error) {
	k := &Key{session: t.session, object: o}
	if class == pkcs11.CKO_PRIVATE_KEY {
		id, err := k.bytes(pkcs11.CKA_ID)
		if err != nil {
			return nil, err
		}
		if k.public, err = t.publicHalf(id); err != nil {
			return nil, err
		}
	}
	return k, k.read(t)
}

// publicHalf finds the public key of an ID; 0 if there is none, or no telling which.
func (t *Token) publicHalf(id []byte) (Object, error) {
	if len(id) == 0 {
		return 0, nil
	}
	objects, err := t.session.Find([]Attribute{{pkcs11.CKA_CLASS, uint(pkcs11.CKO_PUBLIC_KEY)}, {pkcs11.CKA_TOKEN, true}, {pkcs11.CKA_ID, id}})
	if err != nil || len(objects) != 1 {
		return 0, err
	}
	return objects[0], nil
}

// Delete destroys a key, and the public half of a key pair with it. There is no way back.
func (t *Token) Delete(k *Key) error {
	if err := t.session.Destroy(k.object); err != nil {
		return err
	}
	if k.public == 0 {
		return nil
	}
	return t.session.Destroy(k.public)
}
