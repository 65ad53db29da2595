// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"

	"github.com/keymat/keymat/mockkms/internal/hsm"
)

// A wrappingKey is the RSA key of one set of import parameters.
type wrappingKey struct {
	private []byte // PKCS #1
	public  []byte // SubjectPublicKeyInfo
}

// wrappingKey returns a key for one fetch of parameters for k: the shared one
// of that size, one from the stock, or a new one.
func (c *call) wrappingKey(k *key, spec string) (w *wrappingKey, err error) {
	if c.kms.shared {
		return sharedWrappingKey(spec)
	}
	stock := c.kms.wrappingKeys
	if stock != nil {
		w = stock.take(spec)
	}
	if w == nil {
		w, err = c.newWrappingKey(spec)
	}
	if stock != nil && err == nil {
		stock.lend(k.arn(), spec, w)
	}
	return w, err
}

// newWrappingKey returns one that was made ahead, or is made here and now.
func (c *call) newWrappingKey(spec string) (*wrappingKey, error) {
	private, err := c.takeWrappingKey(spec)
	if err != nil {
		return nil, err
	}
	if private == nil {
		return generateWrappingKey(spec)
	}
	parsed, err := hsm.ParseWrappingKey(private)
	if err != nil {
		return nil, fmt.Errorf("reading a wrapping key made ahead: %w", err)
	}
	return &wrappingKey{private, hsm.WrappingPublicKeyDER(parsed)}, nil
}

// takeWrappingKey removes a key made ahead from the store, or returns nil.
func (c *call) takeWrappingKey(spec string) (private []byte, err error) {
	prefix := poolRecords + spec + "/"
	stocked := false
	if err := c.read(func(r *records) error {
		stocked = len(r.list(prefix, "", firstOnly())) > 0
		return nil
	}); err != nil || !stocked {
		return nil, err
	}
	err = c.write(func(r *records) error {
		private = nil
		for _, name := range r.list(prefix, "", firstOnly()) {
			private = append([]byte(nil), r.tx.Get(name)...)
			return r.tx.Delete(name)
		}
		return nil
	})
	if err == nil && c.kms.ahead != nil {
		c.kms.ahead.wake()
	}
	return private, err
}

func firstOnly() func(string) bool {
	seen := false
	return func(string) bool {
		if seen {
			return false
		}
		seen = true
		return true
	}
}

func generateWrappingKey(spec string) (*wrappingKey, error) {
	private, err := hsm.GenerateWrappingKey(spec)
	if err != nil {
		return nil, fmt.Errorf("generating a %s wrapping key: %w", spec, err)
	}
	return &wrappingKey{hsm.MarshalWrappingKey(private), hsm.WrappingPublicKeyDER(private)}, nil
}

// sharedKeys makes each of the keys for WithSharedWrappingKeys once per process.
var sharedKeys = map[string]func() (*wrappingKey, error){
	"RSA_2048": sync.OnceValues(func() (*wrappingKey, error) { return generateWrappingKey("RSA_2048") }),
	"RSA_3072": sync.OnceValues(func() (*wrappingKey, error) { return generateWrappingKey("RSA_3072") }),
	"RSA_4096": sync.OnceValues(func() (*wrappingKey, error) { return generateWrappingKey("RSA_4096") }),
}

func sharedWrappingKey(spec string) (*wrappingKey, error) { return sharedKeys[spec]() }

// tokenSecret is the secret of this store under which import tokens are
// sealed. It is made when it is first asked for.
func (c *call) tokenSecret() (secret [32]byte, err error) {
	var stored []byte
	if err := c.read(func(r *records) error {
		stored = append(stored, r.tx.Get(secretRecord)...)
		return nil
	}); err != nil {
		return secret, err
	}
	if stored == nil {
		err = c.write(func(r *records) error {
			stored = append([]byte(nil), r.tx.Get(secretRecord)...) // another process may have been faster
			if len(stored) > 0 {
				return nil
			}
			stored = make([]byte, len(secret))
			rand.Read(stored)
			return r.tx.Put(secretRecord, stored)
		})
	}
	if err == nil && len(stored) != len(secret) {
		err = fmt.Errorf("the store's token secret has %d bytes", len(stored))
	}
	if err != nil {
		return secret, err
	}
	return [32]byte(stored), nil
}

// poolRecord names a new record for a wrapping key made ahead.
func poolRecord(spec string) string {
	var b [8]byte
	rand.Read(b[:])
	return poolRecords + spec + "/" + hex.EncodeToString(b[:])
}
