// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"net/http"
	"strings"
	"time"
)

// A call is one request on its way through an operation.
type call struct {
	kms        *KMS
	scope      scope
	accessKey  string  // ID of the credentials it was signed with
	caller     *caller // whose they are; nil: policies are not enforced
	operation  string
	request    any       // decoded; nil before
	now        time.Time // one time for the whole call
	key        string    // ARN of the key it was about, for the log
	requestID  string
	used       [2]*key     // whose material the call works with, latest first
	fault      *Fault      // that struck the call
	conditions *Conditions // one set for the whole call
	http       *http.Request
}

// read gives f one consistent picture of the store.
func (c *call) read(f func(*records) error) error {
	return c.kms.store.View(func(tx Tx) error {
		if lag := c.conditions.Lag; lag > 0 {
			tx = &laggingTx{tx, c.kms.past.before(c.kms.clock(), lag)}
		}
		return f(c.kms.records(tx, c.now))
	})
}

// write lets f change the store; what f did counts only when it returns nil.
// f may run more than once, and holds up all other writers: nothing slow
// belongs in it.
func (c *call) write(f func(*records) error) error {
	var watched *watchedTx
	err := c.kms.store.Update(func(tx Tx) error {
		r := c.kms.records(tx, c.now)
		if err := r.settleDue(); err != nil {
			return err
		}
		if c.conditions.Lag > 0 {
			watched = &watchedTx{tx, make(map[string][]byte)}
			r.tx = watched
		}
		return f(r)
	})
	if err == nil && watched != nil {
		c.kms.past.add(watched.before, c.kms.clock(), c.conditions.Lag)
	}
	return err
}

// records is a transaction as of now.
func (k *KMS) records(tx Tx, now time.Time) *records {
	return &records{tx: tx, cache: &k.cache, now: now, keep: k.trail.keep, everywhere: k.principals != nil}
}

// find returns the key that ref names, if the rule admits the operation on it.
func (c *call) find(ref string, rule *rule) (*key, error) {
	var k *key
	err := c.read(func(r *records) (err error) {
		k, err = c.findIn(r, ref, rule)
		return err
	})
	return k, err
}

func (c *call) findIn(r *records, ref string, rule *rule) (*key, error) {
	k, err := r.find(c.scope, ref, rule.alias)
	if err != nil {
		return nil, err
	}
	c.key = k.arn()
	return k, c.admit(k, rule)
}

// change lets f change the key that ref names and writes it back, if the rule
// admits the operation on it and f returns nil.
func (c *call) change(ref string, rule *rule, f func(*records, *key) error) error {
	if c.conditions.Lag > 0 { // what is not visible yet cannot be changed
		if _, err := c.find(ref, rule); err != nil {
			return err
		}
	}
	return c.write(func(r *records) error {
		k, err := c.findIn(r, ref, rule)
		if err != nil {
			return err
		}
		k = k.clone()
		if err := f(r, k); err != nil {
			return err
		}
		return r.putFamily(k)
	})
}

// userARN is who is told to be calling. Without principals the mock knows
// accounts, not users.
func (c *call) userARN() string {
	if c.caller != nil {
		return c.caller.who.ARN
	}
	return "arn:" + c.scope.partition() + ":iam::" + c.scope.Account + ":user/mock"
}

// resource is the ARN that a key reference stands for, existing or not.
func (c *call) resource(ref string) string {
	switch {
	case ref == "":
		return "*"
	case strings.HasPrefix(ref, "arn:"):
		return ref
	case strings.HasPrefix(ref, "alias/"):
		return c.scope.aliasARN(ref)
	}
	return c.scope.keyARN(ref)
}
