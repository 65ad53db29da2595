// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"strings"
	"sync"

	"github.com/keymat/keymat/mockkms/internal/policy"
)

// parsedPolicy holds a key's policy, read once.
type parsedPolicy struct {
	once     sync.Once
	document *policy.Document
	err      error
}

// parsedPolicy is the key's policy. One that cannot be read, as a key may have
// from a time in which nothing was enforced, is an error.
func (k *key) parsedPolicy() (*policy.Document, error) {
	p := k.parsed
	if p == nil {
		p = &parsedPolicy{}
	}
	p.once.Do(func() { p.document, p.err = policy.Parse(policy.Key, k.policy()) })
	return p.document, p.err
}

// setPolicy changes the policy of a key that is one's own.
func (k *key) setPolicy(source string) { k.Policy, k.parsed = source, &parsedPolicy{} }

// admitPolicy judges the key policy that a request brings, if it does.
func (c *call) admitPolicy(r *records, request any) error {
	var source string
	var k *key
	var bypass bool
	var err error
	switch q := request.(type) {
	case *createKeyRequest:
		source, bypass, k = q.Policy, q.BypassPolicyLockoutSafetyCheck, q.draft(c)
	case *putKeyPolicyRequest:
		source, bypass = q.Policy, q.BypassPolicyLockoutSafetyCheck
		k, err = r.find(c.scope, q.KeyId, aliasRefused)
	case *replicateKeyRequest:
		source, bypass = q.Policy, q.BypassPolicyLockoutSafetyCheck
		if k, err = r.find(c.scope, q.KeyId, aliasRefused); k != nil {
			k = k.draftReplica(q.ReplicaRegion)
		}
	}
	if source == "" || err != nil {
		return err
	}
	document, err := policy.Parse(policy.Key, source)
	if err != nil {
		return malformedPolicy("%v", err)
	}
	if err := c.checkKeyPolicy(document); err != nil || bypass {
		return err
	}
	return c.checkLockout(r, k, document)
}

// The texts of the refusals are reported, but for those that say what the mock
// cannot do, and what is wrong with a policy's syntax.

// checkKeyPolicy refuses what key policies cannot have.
func (c *call) checkKeyPolicy(d *policy.Document) error {
	for _, name := range d.Principals() {
		if !c.isPolicyPrincipal(name) {
			return malformedPolicy("Policy contains a statement with one or more invalid principals.")
		}
	}
	for _, use := range d.Conditions() {
		key := strings.ToLower(use.Key)
		switch {
		case strings.HasPrefix(key, "aws:resourcetag/"), key == "kms:resourcealiases":
			return malformedPolicy("These condition keys are not permitted in a key policy: aws:ResourceTag, kms:ResourceTag, kms:ResourceAliases")
		case use.ForAllValues && strings.HasPrefix(key, "kms:encryptioncontext:"):
			return overlyPermissive("encryption context")
		case use.ForAllValues && strings.HasPrefix(key, "aws:requesttag/"):
			return overlyPermissive("tag")
		}
	}
	if err := checkConditions(d); err != nil {
		return malformedPolicy("%v", err)
	}
	return nil
}

// overlyPermissive is documented; that this is its code is assumed.
func overlyPermissive(what string) error {
	return malformedPolicy("OverlyPermissiveCondition: Using the ForAllValues set operator with a single-valued condition key matches requests "+
		"without the specified %s or with an unspecified %s. To fix, remove ForAllValues.", what, what)
}

// isPolicyPrincipal reports whether a policy may name this principal: a service,
// an account, or a user or role that is there.
func (c *call) isPolicyPrincipal(name string) bool {
	if name == "*" || isAccount(name) {
		return true
	}
	if name == "" || strings.ContainsAny(name, "*?") {
		return false
	}
	return !isUniqueID(name) && c.scope.checkPrincipal(name, nil) == nil && c.kms.principals.exists(name)
}

// checkLockout refuses a policy under which its maker could not put another one
// (PutKeyPolicy in the API reference).
func (c *call) checkLockout(r *records, k *key, d *policy.Document) error {
	again := c.onKey("PutKeyPolicy", "", k)
	again.document = d
	decision, err := c.decide(r, &again, &putKeyPolicyRequest{})
	if err == nil && decision != policy.Allowed {
		err = malformedPolicy("The new key policy will not allow you to update the key policy in the future.")
	}
	return err
}

func malformedPolicy(format string, args ...any) *apiError {
	return refuse("MalformedPolicyDocumentException", format, args...)
}
