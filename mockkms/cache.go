// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"bytes"
	"fmt"
	"sync"
)

// A keyCache saves decoding, and parsing key material, again and again. The
// store stays the only truth, also when other processes write to it: an entry
// counts only while the stored record has the very bytes it was made from.
type keyCache struct {
	mu      sync.RWMutex
	entries map[string]cachedKey
}

type cachedKey struct {
	raw []byte
	key *key
}

// maxCached keys are remembered; at a few kilobytes each that is little.
const maxCached = 2048

// decode returns the key that the record of that name holds.
func (c *keyCache) decode(name string, raw []byte) (*key, error) {
	c.mu.RLock()
	e, ok := c.entries[name]
	c.mu.RUnlock()
	if ok && bytes.Equal(e.raw, raw) {
		return e.key, nil
	}
	k, err := decodeKey(raw)
	if err != nil {
		return nil, fmt.Errorf("decoding record %s: %w", name, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= maxCached || c.entries == nil {
		c.entries = make(map[string]cachedKey)
	}
	c.entries[name] = cachedKey{bytes.Clone(raw), k}
	return k, nil
}
