// SPDX-License-Identifier: Apache-2.0

package plan

// A Purpose is what a ceremony is held for.
type Purpose string

// The purposes. All but the first begin with the escrow of an earlier ceremony.
const (
	ForImport      Purpose = "import"  // brings material into KMS keys
	ForRefresh     Purpose = "refresh" // deals new shares of the material, and retires the old ones with their escrow
	ForDestruction Purpose = "destroy" // destroys what brings the material back, and opens nothing
)

// Gates returns the gates that a ceremony for the purpose passes, in the order in
// which they come.
func (p Purpose) Gates() []Gate {
	switch p {
	case ForRefresh:
		return []Gate{GatePlan, GateOpen, GateIdentity, GateSealed, GateClose}
	case ForDestruction:
		return []Gate{GatePlan, GateOpen, GateClose}
	}
	return Gates()
}

// Opening is what opens an escrow, by its ID: the one that the ceremony begins with,
// or one that it makes.
func (p *Plan) Opening(escrow string) Shares {
	e := p.Expected
	if e == nil || len(e.Holders) == 0 || e.Escrow.String() != escrow {
		return p.Shares
	}
	return Shares{e.Threshold, len(e.Holders), e.Holders}
}

// purpose holds the rest of the plan against what the ceremony is for.
func (l *linter) purpose() {
	p := l.plan
	if p.Purpose == ForImport {
		return
	}
	if p.Material.Source != FromEscrow {
		l.error("purpose", "material.source", "set source to escrow", "a ceremony to %s begins with an escrow, and the source is %s", p.Purpose, p.Material.Source)
	}
	if p.Purpose == ForRefresh && len(p.Targets) > 0 {
		l.error("purpose", "targets", "leave the list empty: []", "new shares bring nothing into KMS")
	}
}

// opening looks at the shares that open the escrow of the earlier ceremony, where
// they are others than those that are dealt.
func (l *linter) opening() {
	e := l.plan.Expected
	if e == nil || e.Threshold == 0 && len(e.Holders) == 0 {
		return
	}
	switch {
	case l.plan.Purpose != ForRefresh:
		l.error("expected", "expected", "leave out threshold and holders", "the shares of the plan open the escrow, for no new ones are dealt")
	case e.Threshold == 0 || len(e.Holders) < e.Threshold:
		l.error("shares-count", "expected", "name the threshold of the old shares, and as many holders at least", "it takes %d of the old shares, and %d have holders", e.Threshold, len(e.Holders))
	}
	for _, h := range e.Holders {
		if who, ok := l.plan.Person(h.Custodian); ok && !who.Has(Custodian) {
			l.error("custodian-role", "expected."+holders(h)+".custodian", "give them the role custodian", "%s holds an old share, but is no custodian", who.ID)
		}
	}
}
