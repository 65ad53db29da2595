// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"errors"

	"github.com/keymat/keymat/mockkms/internal/policy"
)

// authorize refuses what the caller may not do, once the request is well formed
// and before anything else about it is looked at: DryRun, state, usage and
// material come later. A key that is not there comes first, in the caller's own
// account.
func (c *call) authorize(rule *rule, request any) error {
	return c.read(func(r *records) error {
		needed, err := c.permissions(r, rule, request)
		if err != nil {
			return err
		}
		for i := range needed {
			if err := c.demand(r, &needed[i], request); err != nil {
				return err
			}
		}
		return c.admitPolicy(r, request)
	})
}

// demand refuses a call without a permission that it needs. Its event names the
// key, unless that is another account's.
func (c *call) demand(r *records, p *permission, request any) error {
	switch {
	case p.key == nil:
	case p.key.Scope.Account == c.caller.who.Account:
		c.key = p.key.arn()
	case !crossesAccounts(p.action):
		return c.hidden()
	}
	decision, err := c.decide(r, p, request)
	if err == nil && decision != policy.Allowed {
		err = c.denial(p, decision)
	}
	return err
}

// decide asks all policies and, if that matters, the key's grants.
func (c *call) decide(r *records, p *permission, request any) (policy.Decision, error) {
	asked := &asking{c, r, p, request}
	all := policy.Policies{Identity: c.caller.policies}
	var failed error
	if p.key != nil {
		document, err := p.keyPolicy()
		if err != nil { // allows nothing
			c.kms.log.Warn("unreadable key policy", "key", p.resource, "error", err)
			return policy.NotByKey, nil
		}
		all.Key, all.Account = document, p.key.Scope.Account
		all.Granted = func() policy.Effect {
			effect, err := asked.granted()
			failed = err
			return effect
		}
	}
	decision := all.Decide(asked.request())
	if p.retiring != nil && decision != policy.DeniedByIdentity && decision != policy.DeniedByKey {
		decision = asked.mayRetire(decision)
	}
	return decision, failed
}

// crossesAccounts reports whether KMS lets other accounts do something with a
// key, which a policy then may allow (API reference, "cross-account use").
// RetireGrant should be among them, but was denied in all ways (recorded).
func crossesAccounts(action string) bool {
	switch action {
	case "CreateGrant", "ListGrants", "RevokeGrant", "DescribeKey", "GetPublicKey", "GetKeyRotationStatus",
		"Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo",
		"GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext",
		"GenerateMac", "VerifyMac", "Sign", "Verify", "DeriveSharedSecret", "Encapsulate", "Decapsulate":
		return true
	}
	return false
}

// lookUp is find, but does not tell of keys of other accounts that they
// are not there.
func (c *call) lookUp(r *records, ref string, rule aliasRule) (*key, error) {
	k, err := r.find(c.scope, ref, rule)
	refused := new(apiError)
	if errors.As(err, &refused) && refused.code == "NotFoundException" && c.scope.isForeign(ref) {
		err = c.hidden()
	}
	return k, err
}
