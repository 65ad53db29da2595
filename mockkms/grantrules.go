// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"maps"
	"slices"
	"strings"

	"github.com/keymat/keymat/mockkms/internal/policy"
)

// granted is what the grants of the key make of the action. They count at once,
// so that grant tokens add nothing.
func (a *asking) granted() (effect policy.Effect, err error) {
	prefix := grantPrefix(a.key)
	a.records.list(prefix, "", func(name string) bool {
		var g *grant
		if g, err = a.records.grant(a.key, strings.TrimPrefix(name, prefix)); err == nil && a.covers(g) {
			effect = max(effect, a.call.caller.who.Grants(g.Grantee))
		}
		return err == nil && effect != policy.Allow
	})
	return effect, err
}

// covers reports whether a grant is about the action and its constraints are met.
func (a *asking) covers(g *grant) bool {
	if !slices.Contains(g.Operations, a.action) {
		return false
	}
	if q, ok := a.asked.(*createGrantRequest); ok && a.action == "CreateGrant" {
		return g.passesOn(q)
	}
	return g.Constraints.met(a)
}

// passesOn reports whether the holder of a grant may make another one from it:
// with operations of this one only, and with equal or narrower constraints
// (recorded).
func (g *grant) passesOn(q *createGrantRequest) bool {
	for _, op := range q.Operations {
		if !slices.Contains(g.Operations, op) {
			return false
		}
	}
	if g.Constraints == nil {
		return true
	}
	if q.Constraints == nil || g.Constraints.SourceArn != "" && g.Constraints.SourceArn != q.Constraints.SourceArn {
		return false
	}
	equals, subset := q.Constraints.EncryptionContextEquals, q.Constraints.EncryptionContextSubset
	if want := g.Constraints.EncryptionContextEquals; len(want) > 0 && !maps.Equal(want, equals) {
		return false
	}
	want := g.Constraints.EncryptionContextSubset
	return contains(equals, want) || contains(subset, want)
}

// met reports whether a request meets the constraints. An encryption context is
// asked of cryptography alone (GrantConstraints in the API reference); nobody
// here calls for the sake of another resource.
func (c *constraints) met(a *asking) bool {
	switch {
	case c == nil || a.action == "DescribeKey" || a.action == "RetireGrant":
		return true
	case c.SourceArn != "":
		return false
	case len(c.EncryptionContextEquals) > 0 && !maps.Equal(c.EncryptionContextEquals, a.encryptionContext()):
		return false
	}
	return contains(a.encryptionContext(), c.EncryptionContextSubset)
}

// contains reports whether all pairs of part are in m.
func contains(m, part map[string]string) bool {
	for name, value := range part {
		if v, ok := m[name]; !ok || v != value {
			return false
		}
	}
	return true
}

// toRetire is what retiring a grant needs. Grants that are not there are told
// of later.
func (c *call) toRetire(r *records, q *retireGrantRequest) ([]permission, error) {
	ref, id := q.KeyId, q.GrantId
	if q.GrantToken != "" {
		var err error
		if ref, id, err = c.openGrantToken(q.GrantToken); err != nil {
			return nil, err
		}
	}
	if ref == "" || !isGrantID(id) {
		return nil, nil // neither can be there, which the operation says
	}
	k, err := c.lookUp(r, ref, aliasRefusedHere)
	if err != nil {
		return nil, err
	}
	g, err := r.grant(k, id)
	if g == nil {
		return nil, err
	}
	p := c.onKey("RetireGrant", ref, k)
	p.retiring = g
	return []permission{p}, nil
}

// mayRetire decides on retiring a grant, which is not for the key policy to
// allow: its retiring principal may, its grantee if it has RetireGrant, and
// whoever the account that made it lets by an identity policy (Developer Guide,
// retiring and revoking grants).
func (a *asking) mayRetire(otherwise policy.Decision) policy.Decision {
	who, g := a.call.caller.who, a.retiring
	own := policy.Policies{Identity: a.call.caller.policies}.Decide(a.request()) == policy.Allowed
	effect := max(who.Grants(g.Retiring), who.Grants(g.IssuingAccount))
	if slices.Contains(g.Operations, "RetireGrant") {
		effect = max(effect, who.Grants(g.Grantee))
	}
	switch {
	case effect == policy.Allow, effect == policy.AllowAccount && own:
		return policy.Allowed
	case otherwise == policy.Allowed:
		return policy.NotByIdentity
	}
	return otherwise
}
