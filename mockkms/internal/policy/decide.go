// SPDX-License-Identifier: Apache-2.0

package policy

// A Decision is the answer to a request, and why.
type Decision int

// The decisions. Where several reasons to refuse meet, one is given: an
// explicit deny before a missing allow, and of two missing ones the key's.
const (
	Allowed          Decision = iota + 1
	DeniedByIdentity          // an identity policy denies
	DeniedByKey               // the key policy denies
	NotByIdentity             // no identity policy allows, and one would have to
	NotByKey                  // neither key policy nor grant allows
)

// Policies are all that is said on a request.
type Policies struct {
	Identity []*Document // the principal's
	Key      *Document   // nil: the action is on no key
	Account  string      // that owns the key
	// Granted is what grants make of it: Allow, AllowAccount or NoOpinion. It
	// is asked only if that matters; nil: there are none.
	Granted func() Effect
}

// Decide combines the policies as the KMS Developer Guide does (key policies;
// troubleshooting key access). An explicit deny wins. Within the key's account
// an allow by name, or a grant, suffices, while an allow to the account needs
// an identity policy's. From another account both sides must allow, and so they
// must with a grant (recorded). The root user needs no identity policy: what its
// account may do it may.
func (p Policies) Decide(r *Request) Decision {
	identity := p.identity(r)
	if identity == Deny {
		return DeniedByIdentity
	}
	own := identity == Allow || r.Principal.Root()
	if p.Key == nil {
		return need(own, NotByIdentity)
	}
	key := p.Key.Evaluate(r).Effect
	if key == Deny {
		return DeniedByKey
	}
	home := r.Principal.Account == p.Account
	if p.Granted != nil && (key == NoOpinion || key == AllowAccount && !own) {
		key = max(key, p.Granted())
	}
	switch {
	case key == NoOpinion:
		return NotByKey
	case key == Allow && home:
		return Allowed
	}
	return need(own, NotByIdentity)
}

// identity is what the principal's own policies make of the request.
func (p Policies) identity(r *Request) Effect {
	effect := NoOpinion
	for _, d := range p.Identity {
		effect = max(effect, d.Evaluate(r).Effect)
	}
	return effect
}

func need(allowed bool, otherwise Decision) Decision {
	if allowed {
		return Allowed
	}
	return otherwise
}
