// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"bytes"
	_ "embed"
	"fmt"
	"maps"
	"strconv"
	"text/template"
	"time"

	"golang.org/x/crypto/ssh"
)

//go:embed reopen.yaml
var reopened string

// A Reopening is what a further ceremony with the key of an earlier one is to be.
type Reopening struct {
	File     string // what the plan will be called, for the commands in its comments
	ID       string
	Title    string
	Date     time.Time
	Purpose  Purpose
	Expected Expected // what the records of the earlier ceremony say; holders are those of its plan
	KeysOf   *Plan    // of another earlier ceremony with the material, whose KMS keys and gates stand in for those that this plan lacks; may be nil
}

// Reopen drafts the plan of a ceremony that begins with the escrow of the one by
// this plan, or with the key in its token. People, places, shares and gates stay as they were, and so do the KMS
// keys, where the ceremony is about them; what expires does so after the same time.
// [Read] reads it; whether it still holds is for [Plan.Lint] and for people to
// find. An error is a [*SketchError].
func (p *Plan) Reopen(r Reopening) ([]byte, error) {
	next := *p
	next.ID, next.Title, next.Date, next.Purpose = r.ID, r.Title, r.Date, r.Purpose
	if r.ID == p.ID {
		return nil, &SketchError{"id", "that of the earlier ceremony"}
	}
	if p.KeptInToken() && r.Purpose != ForImport {
		return nil, &SketchError{"purpose", "a token keeps the material, and is backed up and destroyed with the means of its maker"}
	}
	since := p.Date
	if r.KeysOf != nil {
		next.fill(r.KeysOf, r.Purpose)
		if len(p.Targets) == 0 {
			since = r.KeysOf.Date
		}
	}
	switch r.Purpose {
	case ForRefresh:
		next.Targets = nil
		r.Expected.Threshold, r.Expected.Holders = p.Shares.Threshold, p.Shares.Holders
	case ForImport:
		next.Targets = later(next.Targets, r.Date.Sub(since))
		if p.Purpose != ForImport { // what a new plan begins with
			next.Limits.TokenMinRemaining, next.Limits.ImportMargin = 4*time.Hour, time.Hour
		}
	}
	next.Expected = &r.Expected
	var b bytes.Buffer
	err := reopening().Execute(&b, struct {
		*Plan
		File, From, Signer string
		Order              []Gate
	}{&next, r.File, p.ID, p.approver(), r.Purpose.Gates()})
	if err != nil {
		return nil, fmt.Errorf("writing a plan: %w", err)
	}
	if _, err := Read(bytes.NewReader(b.Bytes())); err != nil {
		return nil, sketchError(err)
	}
	return b.Bytes(), nil
}

// fill takes over from another plan what one that names no KMS key lacks: the keys,
// and who confirms what is done with them.
func (p *Plan) fill(other *Plan, purpose Purpose) {
	if len(p.Targets) == 0 {
		p.Targets = other.Targets
	}
	gates := maps.Clone(p.Gates)
	for _, g := range purpose.Gates() {
		if len(gates[g]) == 0 {
			gates[g] = other.Gates[g]
		}
	}
	p.Gates = gates
}

// later are targets that expire by so much later.
func later(targets []Target, by time.Duration) (all []Target) {
	for _, t := range targets {
		if !t.ValidTo.IsZero() {
			t.ValidTo = t.ValidTo.Add(by)
		}
		all = append(all, t)
	}
	return all
}

func reopening() *template.Template {
	return template.Must(template.New("plan").Funcs(template.FuncMap{
		"quote":    strconv.Quote,
		"day":      func(t time.Time) string { return t.Format(time.DateOnly) },
		"duration": shortened,
		"key":      func(k ssh.PublicKey) string { return canonical(k) },
		"ids":      join[string],
		"roles":    join[Role],
		"expiry": func(t time.Time) string {
			if t.IsZero() {
				return canonical(t)
			}
			return t.Format(time.RFC3339)
		},
	}).Parse(reopened))
}

// approver is somebody who signs plans.
func (p *Plan) approver() string {
	for _, id := range p.Gates[GatePlan] {
		return id
	}
	return "lead"
}
