// SPDX-License-Identifier: Apache-2.0

package mockkms

import "sync"

// WrappingKeys is a stock of wrapping keys, for many imports in a short time:
// making an RSA key is nearly all the work of a mock. A wrapping key that was
// handed out for a KMS key is used again, for any other, once that key's
// deletion was scheduled and nothing can be imported into it. So no two fetches
// for keys that are in use get the same one, as at KMS. Several KMS may share a
// stock. All methods may be called concurrently.
type WrappingKeys struct {
	mu    sync.Mutex
	lent  map[string][]lentKey      // by ARN of the KMS key
	stock map[string][]*wrappingKey // by spec
}

type lentKey struct {
	spec string
	key  *wrappingKey
}

// NewWrappingKeys makes an empty stock.
func NewWrappingKeys() *WrappingKeys {
	return &WrappingKeys{lent: make(map[string][]lentKey), stock: make(map[string][]*wrappingKey)}
}

// WithWrappingKeys takes wrapping keys from a stock as long as it has some.
func WithWrappingKeys(w *WrappingKeys) Option { return func(k *KMS) { k.wrappingKeys = w } }

// take takes a key from the stock; it returns nil if there is none.
func (w *WrappingKeys) take(spec string) *wrappingKey {
	w.mu.Lock()
	defer w.mu.Unlock()
	have := w.stock[spec]
	if len(have) == 0 {
		return nil
	}
	w.stock[spec] = have[1:]
	return have[0]
}

// lend notes for which KMS key a wrapping key is handed out.
func (w *WrappingKeys) lend(arn, spec string, key *wrappingKey) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lent[arn] = append(w.lent[arn], lentKey{spec, key})
}

// giveBack ends the use of all wrapping keys of a KMS key.
func (w *WrappingKeys) giveBack(arn string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.lent[arn] {
		w.stock[l.spec] = append(w.stock[l.spec], l.key)
	}
	delete(w.lent, arn)
}
