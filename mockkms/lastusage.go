// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// A usage is the last successful cryptographic operation with a key.
type usage struct {
	Operation string
	At        time.Time
	Request   string // ID of the request
}

// keyName tells keys of all scopes apart.
type keyName struct {
	scope scope
	id    string
}

// usages remembers the last use of keys. What cryptography does must not wait
// for the disk, so that it is written down when the KMS closes; a process that
// is killed forgets what it saw. KMS tells last usage with a delay, too.
type usages struct {
	mu     sync.Mutex
	latest map[keyName]usage
}

func (u *usages) note(k *key, last usage) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.latest == nil {
		u.latest = make(map[keyName]usage)
	}
	u.latest[keyName{k.Scope, k.ID}] = last
}

func (u *usages) of(k *key) usage {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.latest[keyName{k.Scope, k.ID}]
}

// uses says that the call does cryptography with k. It counts once the whole
// call has succeeded; ReEncrypt uses two keys.
func (c *call) uses(k *key) {
	c.used[1] = c.used[0]
	c.used[0] = k
}

func (c *call) noteUsage() {
	for _, k := range c.used {
		if k != nil {
			c.kms.usages.note(k, usage{c.operation, c.now, c.requestID})
		}
	}
}

func usageRecord(s scope, id string) string { return s.record(usageRecords, id) }

// saveUsages writes down what was remembered, unless the store knows better.
func (k *KMS) saveUsages() error {
	k.usages.mu.Lock()
	defer k.usages.mu.Unlock()
	if len(k.usages.latest) == 0 {
		return nil
	}
	err := k.store.Update(func(tx Tx) error {
		setting, err := storedClock(tx)
		if err != nil {
			return err
		}
		r := k.records(tx, setting.at(k.clock()))
		for name, last := range k.usages.latest {
			if err := r.saveUsage(name, last); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		k.usages.latest = nil
	}
	return err
}

func (r *records) saveUsage(name keyName, last usage) error {
	if k, err := r.key(name.scope, name.id); k == nil {
		return err
	}
	if saved, err := r.usage(name.scope, name.id); err != nil || saved.At.After(last.At) {
		return err
	}
	raw, err := json.Marshal(last)
	if err != nil {
		return fmt.Errorf("encoding the last usage of %s: %w", name.id, err)
	}
	return r.tx.Put(usageRecord(name.scope, name.id), raw)
}

func (r *records) usage(s scope, id string) (u usage, err error) {
	if raw := r.tx.Get(usageRecord(s, id)); raw != nil {
		if err = json.Unmarshal(raw, &u); err != nil {
			err = fmt.Errorf("decoding the last usage of %s: %w", id, err)
		}
	}
	return u, err
}

type getKeyLastUsageAnswer struct {
	KeyId             string
	KeyCreationDate   epoch
	TrackingStartDate epoch
	KeyLastUsage      keyLastUsageData
}

type keyLastUsageData struct {
	CloudTrailEventId string `json:",omitempty"`
	KmsRequestId      string `json:",omitempty"`
	Operation         string `json:",omitempty"`
	Timestamp         epoch  `json:",omitzero"`
}

// getKeyLastUsage tells the last use in this Region. Without one the structure
// is empty (documented); tracking began with the key.
func getKeyLastUsage(c *call, k *key, _ *keyRequest) (*getKeyLastUsageAnswer, error) {
	var last usage
	err := c.read(func(r *records) (err error) {
		last, err = r.usage(k.Scope, k.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	if newer := c.kms.usages.of(k); newer.At.After(last.At) {
		last = newer
	}
	answer := &getKeyLastUsageAnswer{KeyId: k.arn(), KeyCreationDate: epochOf(k.Created), TrackingStartDate: epochOf(k.Created)}
	if !last.At.IsZero() {
		answer.KeyLastUsage = keyLastUsageData{eventID(last.Request), last.Request, last.Operation, epochOf(last.At)}
	}
	return answer, nil
}

// eventID is the ID of the CloudTrail event about a request: a UUID that is
// always the same for one request, so that nobody has to remember it.
func eventID(requestID string) string {
	h := sha256.Sum256([]byte("event of request " + requestID))
	return uuid([16]byte(h[:]))
}
