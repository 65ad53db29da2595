// SPDX-License-Identifier: Apache-2.0

package rehearsal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/escrow"
)

// broughtBack is a ceremony that brings material into KMS again, which is gone there.
func broughtBack() []sequel {
	return []sequel{{purpose: plan.ForImport, since: materialGone, disturb: func(*stage) *disturbance {
		return &disturbance{check: quorumOpened}
	}}}
}

// newShares are dealt, one of them to somebody new, and are what brings the material
// back into KMS the year after.
func newShares() []sequel {
	return []sequel{
		{purpose: plan.ForRefresh, joining: successor, correct: hand, disturb: func(*stage) *disturbance {
			return &disturbance{check: oldSharesDead}
		}},
		{purpose: plan.ForImport, since: materialGone, disturb: oldCard},
	}
}

// destruction leaves nothing: what custodians bring is burnt, one share was destroyed
// elsewhere, and a copy is lost.
func destruction() []sequel {
	return []sequel{{purpose: plan.ForDestruction, since: materialGone, disturb: burnt}}
}

// materialGone is what an administrator does who deletes the material in every KMS
// key.
func materialGone(ctx context.Context, s *stage) error {
	for _, t := range s.keyed().plan.Targets {
		im, err := s.world.importer(ctx, t.Region)
		if err != nil {
			return err
		}
		k, err := im.Describe(ctx, t.Key)
		if err == nil && k.State != types.KeyStatePendingImport { // it may have expired
			_, err = im.DeleteMaterial(ctx, k, "")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// leaver is the custodian who leaves.
func leaver(p *plan.Plan) plan.Holder { return p.Shares.Holders[len(p.Shares.Holders)-1] }

// successor is somebody new, who does as their predecessor did.
func successor(s *stage) ([]plan.Person, error) {
	who, _ := s.plan.Person(leaver(s.plan).Custodian)
	who.ID, who.Name, who.Roles = successorOf(who.ID), "SUCCESSOR OF "+who.Name, []plan.Role{plan.Custodian}
	signer, err := s.cast.signer(who.ID)
	if err != nil {
		return nil, err
	}
	who.Key = signer.PublicKey()
	return []plan.Person{who}, nil
}

func successorOf(custodian string) string { return "new-" + custodian }

// hand gives the share of whoever leaves to their successor.
func hand(s *stage, drafted []byte) ([]byte, error) {
	d, err := parse(drafted)
	if err != nil {
		return nil, err
	}
	last := len(s.plan.Shares.Holders) - 1
	err = d.replace(successorOf(leaver(s.plan).Custodian), "$.shares.holders[%d].custodian", last)
	return d.bytes(), err
}

// oldSharesDead tries the old shares on the new escrow.
func oldSharesDead(s *stage, state *phase.State) (bad []string) {
	kept, _ := state.Kept()
	f, err := s.escrowFile(kept.ID)
	if err != nil {
		return []string{err.Error()}
	}
	for _, h := range s.before.plan.Shares.Holders {
		old, err := s.before.shareOf(h, s.plan.Expected.Escrow.String())
		if err != nil {
			bad = append(bad, err.Error())
		} else if err := f.CheckShare(old); err == nil {
			bad = append(bad, fmt.Sprintf("the old share %d passes for a new one", h.Share))
		}
	}
	return bad
}

// oldCard has the first custodian bring the card that they should have given up.
func oldCard(s *stage) *disturbance {
	const refused = "an old share was refused"
	d := &disturbance{}
	d.owe(refused)
	first, dealt := s.plan.Shares.Holders[0], s.before.before
	brought := false
	d.read = func(h plan.Holder, _ string, text []byte) []byte {
		if h.Share != first.Share || brought {
			return text
		}
		brought = true
		old, err := dealt.keptShare(dealt.plan.Shares.Holders[0], s.before.plan.Expected.Escrow.String())
		if err != nil {
			return text
		}
		return old
	}
	d.failed = func(t phase.Task, err error) bool { // where it takes everybody
		_, few := errors.AsType[*escrow.MissingSharesError](err)
		return few && t.Step == phase.Recover
	}
	d.after = func(t phase.Task) error {
		for _, e := range s.entries(transcript.OfflineMachine) {
			if x, ok := e.Event.(transcript.Exception); ok && strings.HasPrefix(x.Expected, fmt.Sprintf("share %d, ", first.Share)) {
				d.met(refused)
			}
		}
		return nil
	}
	d.check = quorumOpened
	return d
}

// burnt has people destroy what they have.
func burnt(s *stage) *disturbance {
	shares, copies := s.plan.Shares.Holders, s.plan.Escrow.Copies
	d := &disturbance{}
	d.before = func(t phase.Task) error {
		d.decisions = nil
		switch {
		case t.Share == leaver(s.plan).Share && len(shares) > 1:
			d.decisions = []string{"it was destroyed before, or elsewhere"}
		case t.Copy == copies[len(copies)-1].ID && len(copies) > 1:
			d.decisions = []string{"it is lost"}
		}
		return nil
	}
	d.after = func(t phase.Task) error {
		switch {
		case t.Step == phase.Discard && t.Share != 0:
			return s.before.burn(t.Share)
		case t.Step == phase.Discard:
			return os.RemoveAll(s.before.mediumOf(t.Copy))
		}
		return nil
	}
	d.check = func(s *stage, state *phase.State) (bad []string) {
		for _, t := range state.Targets() {
			if t.Attested != transcript.KeyPendingImport {
				bad = append(bad, fmt.Sprintf("%s is said to be otherwise than without material: %q", t.ID, t.Attested))
			}
		}
		for _, e := range s.entries(s.latest()) {
			switch e := e.Event.(type) {
			case transcript.Exception:
				bad = append(bad, "there was an exception: "+e.Happened)
			case transcript.Discarded:
				if e.Share != 0 && e.How == transcript.Returned && e.Bag == "" {
					bad = append(bad, fmt.Sprintf("share %d came out of no bag", e.Share))
				}
			}
		}
		return append(bad, s.before.survivors()...)
	}
	return d
}

// burn destroys a share: what is written down, and what is on its custodian's medium.
func (s *stage) burn(share int) error {
	for _, h := range s.plan.Shares.Holders {
		if h.Share != share {
			continue
		}
		written, err := filepath.Glob(s.cast.path(h.Custodian, fmt.Sprintf("share-%d-*.txt", share)))
		if err != nil {
			return err
		}
		for _, name := range append(written, s.mediumOf(h.Custodian)) {
			if err := os.RemoveAll(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// survivors are shares and copies that people still have.
func (s *stage) survivors() (bad []string) {
	for _, pattern := range []string{s.cast.path("*", "share-*"), filepath.Join(s.dir, mediaDir, "*", "share-*")} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return []string{err.Error()}
		}
		for _, name := range found {
			bad = append(bad, "a share is left: "+name)
		}
	}
	for _, c := range s.plan.Escrow.Copies {
		if _, err := os.Lstat(s.mediumOf(c.ID)); err == nil {
			bad = append(bad, "a copy is left: "+c.ID)
		}
	}
	return bad
}

// escrowFile is an escrow, from the first of the media that it was copied to.
func (s *stage) escrowFile(id string) (*escrow.File, error) {
	medium := evidence.Folder(s.mediumOf(s.plan.Escrow.Copies[0].ID))
	content, err := medium.Read(evidence.EscrowFile(id), escrow.MaxFile)
	if err == nil {
		content, err = gap.Unstamp(escrow.Kind, content, true)
	}
	if err != nil {
		return nil, err
	}
	return escrow.Read(bytes.NewReader(content))
}
