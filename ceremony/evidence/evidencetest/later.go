// SPDX-License-Identifier: Apache-2.0

package evidencetest

import (
	"bytes"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/material"
)

// Again puts the approved plan of a ceremony a year later, which begins with the
// escrow of an earlier one, into an empty folder.
func Again(t testing.TB, folder string, earlier *Ceremony, purpose plan.Purpose) *Ceremony {
	t.Helper()
	begin, id := Begin.AddDate(1, 0, 0), "payments-2027"
	if earlier.Plan.ID == id {
		begin, id = Begin.AddDate(2, 0, 0), "payments-2028"
	}
	text, err := earlier.Plan.Reopen(plan.Reopening{
		File: "plan.yaml", ID: id, Title: "Payments: again", Date: begin.Truncate(24 * time.Hour), Purpose: purpose,
		Expected: plan.Expected{Escrow: earlier.sealed.ID, Fingerprint: earlier.sealed.Fingerprint},
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Read(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := &Ceremony{Folder: evidence.Folder(folder), Plan: p, t: t, now: begin, sealed: earlier.sealed}
	c.Write(evidence.PlanFile, text)
	c.Sign(evidence.PlanFile, plan.Namespace, text, p.Gates[plan.GatePlan])
	return c
}

// council are those who let something be destroyed.
const council = "lead operator-1 witness"

// Refresh plays a ceremony in which new shares are dealt. What the new escrow seals is
// other material: nobody opens it.
func Refresh(t testing.TB, folder string, earlier *Ceremony) *Ceremony {
	t.Helper()
	c := Again(t, folder, earlier, plan.ForRefresh)
	old := c.sealed
	c.Open(transcript.OfflineMachine)
	c.Pass(plan.GateOpen)
	c.Recover()
	c.Pass(plan.GateIdentity)
	m, err := material.Generate(c.Plan.Material.Spec)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Destroy()
	c.escrow(m, old.Fingerprint)
	c.Seal()
	c.Add(council, transcript.Retired{Escrow: old.ID.String(), By: c.sealed.ID.String()})
	c.Leave()
	return c
}

// Destruction plays a ceremony in which everything that an earlier one has kept is
// destroyed, but for a share that is lost.
func Destruction(t testing.TB, folder string, earlier *Ceremony) *Ceremony {
	t.Helper()
	c := Again(t, folder, earlier, plan.ForDestruction)
	c.Open(transcript.OfflineMachine)
	c.Pass(plan.GateOpen)
	id := c.sealed.ID.String()
	for _, h := range c.Plan.Shares.Holders {
		e := transcript.Discarded{Escrow: id, Share: h.Share, How: transcript.Returned, Text: "it was burnt before all of us", Bag: "B-10" + h.Custodian[len(h.Custodian)-1:]}
		if h.Share == 2 {
			e = transcript.Discarded{Escrow: id, Share: h.Share, How: transcript.Elsewhere, Text: "it is lost; we have asked all who had it"}
		}
		c.Add(council, e)
	}
	for _, medium := range c.Plan.Escrow.Copies {
		c.Add(council, transcript.Discarded{Escrow: id, Copy: medium.ID, How: transcript.Returned, Text: "it was broken before all of us"})
	}
	for _, target := range c.Plan.Targets {
		c.Add(room, transcript.Attested{Target: target.ID, State: transcript.KeyPendingDeletion, Text: target.Key + " was looked up, and is PendingDeletion"})
	}
	c.Pass(plan.GateClose)
	c.Close()
	return c
}
