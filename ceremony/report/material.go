// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"time"

	"github.com/keymat/keymat/audit"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material/entropy"
	"github.com/keymat/keymat/token"
)

// binding says whether the record vouches for a file.
func (e *Evidence) binding(f File) cell {
	same, other := e.mentions(f)
	switch {
	case len(same) > 0:
		return good("as the record has it").from(same)
	case len(other) > 0:
		return bad("not the one that the record names").from(other)
	}
	return unsure("not named in the record")
}

// identity is which key it is, by all that says so.
func identity(e *Evidence) section {
	s := section{ID: "identity", Title: "Identity of the key"}
	t := table{Caption: "Fingerprints of the material, and where they are from", Columns: []string{"Source", "Key spec", "Fingerprint", "Bound"}}
	expected := ""
	if x := e.Plan.Expected; x != nil {
		expected = x.Fingerprint
		t.add(plain("plan, as an earlier ceremony recorded it"), plain(string(e.Plan.Material.Spec)), id(x.Fingerprint), good("signed with the plan"))
	}
	differ := false
	name := func(f File, spec, fingerprint string) {
		if expected == "" {
			expected = fingerprint
		}
		differ = differ || fingerprint != expected || spec != string(e.Plan.Material.Spec)
		t.add(plain(f.What+" "+f.Name), plain(spec), id(fingerprint), e.binding(f))
	}
	for _, f := range e.Files {
		switch c := f.Content.(type) {
		case *escrow.File:
			name(f, string(c.KeySpec), c.Fingerprint)
		case entropy.Record:
			name(f, string(c.Spec), c.Fingerprint)
		case escrow.Drill:
			name(f, string(c.Escrow.KeySpec), c.Escrow.Fingerprint)
		}
	}
	if differ {
		s.Blocks = append(s.Blocks, block{Note: &cell{Text: "They are not all of one key, or not of the kind that the plan asks for.", Class: "bad"}})
	}
	s.show(t, "No file in the folder names a fingerprint. What was read aloud is in the lines of the gate identity, if anywhere.")
	return s
}

// randomness is what may be claimed, in the words of the record of randomness.
func randomness(e *Evidence) section {
	s := section{ID: "randomness", Title: "Randomness"}
	t := table{Caption: "What may be claimed of where the material came from", Columns: []string{"Record", "Claim", "Bound"}}
	for _, f := range e.Files {
		if r, ok := f.Content.(entropy.Record); ok {
			for _, claim := range r.Claims() {
				t.add(id(f.Name), plain(claim), e.binding(f))
			}
		}
	}
	s.show(t, "There is no record of randomness in the folder, and so nothing is claimed.")
	s.say("Of the bits of the key itself nothing can be claimed: every value is equally likely, and no test of one value shows more.")
	return s
}

// shares are the sets that open the escrow, and who keeps which share.
func shares(e *Evidence) section {
	s := section{ID: "shares", Title: "Escrow and shares"}
	sets := table{Caption: "Escrows in the folder", Columns: []string{"File", "ID", "Sealed", "Opens with", "Secrecy", "Bound"}}
	for _, f := range e.Files {
		if c, ok := f.Content.(*escrow.File); ok {
			opens, secrecy := plain("profile "+string(c.Profile)), plain("")
			if set := c.Shares; set != nil {
				opens, secrecy = e.quorum(set), plain(schemes[set.Scheme].claim)
			}
			sets.add(id(f.Name), id(c.ID.String()), plain(utc(c.Created)), opens, secrecy, e.binding(f))
		}
	}
	s.show(sets, "There is no escrow in the folder.")
	holders := table{Caption: "Shares, as the plan deals them; places by their codes", Columns: []string{"Share", "Custodian", "Handed over as", "Kept at"}}
	for _, h := range e.Plan.Shares.Holders {
		holders.add(plain(fmt.Sprint(h.Share)), plain(e.called(h.Custodian)), plain(string(h.Mode)), id(h.Site))
	}
	s.show(holders, "")
	copies := table{Caption: "Copies of the escrow, as the plan has them", Columns: []string{"Copy", "Medium", "Kept at"}}
	for _, c := range e.Plan.Escrow.Copies {
		copies.add(id(c.ID), plain(c.Medium), id(c.Site))
	}
	s.show(copies, "")
	s.Blocks = append(s.Blocks, block{Facts: []fact{{"Every share read back", e.passing(plan.GateSealed)}}})
	return s
}

// quorum holds the shares of an escrow against the plan.
func (e *Evidence) quorum(set *escrow.ShareSet) cell {
	text := fmt.Sprintf("%d of %d shares, %s", set.Threshold, set.Count, schemes[set.Scheme].name)
	if set.Threshold != e.Plan.Shares.Threshold || set.Count != e.Plan.Shares.Count || set.Scheme != e.Plan.Escrow.Scheme {
		return bad(text + ": not what the plan asks for")
	}
	return plain(text)
}

// imports are what went to KMS and what KMS said, as far as there is a trace.
func imports(e *Evidence) section {
	s := section{ID: "imports", Title: "Imports"}
	targets := table{Caption: "KMS keys that get the material, by the plan", Columns: []string{"Target", "Key", "Region", "Wrapping", "Import", "Valid to"}}
	for _, t := range e.Plan.Targets {
		valid := "never expires"
		if !t.ValidTo.IsZero() {
			valid = utc(t.ValidTo)
		}
		targets.add(id(t.ID), id(t.Key), plain(t.Region), plain(fmt.Sprintf("%s, %s", t.Wrapping.Algorithm, t.Wrapping.KeySpec)), plain(string(t.Import)), plain(valid))
	}
	s.show(targets, "")
	trace := table{Caption: "What the folder holds of fetch, wrap, import and drill", Columns: []string{"File", "What", "Key", "Says", "Bound"}}
	for _, f := range e.Files {
		for _, said := range saying(f) {
			trace.add(id(f.Name), plain(f.What), id(said.key), plain(said.text), e.binding(f))
		}
	}
	s.show(trace, "Nothing in the folder tells of a fetch, a wrapped package, an import or a drill.")
	s.Blocks = append(s.Blocks, block{Facts: []fact{{"What was fetched compared", e.passing(plan.GateBundle)}, {"What was submitted compared", e.passing(plan.GateImport)}}})
	return s
}

type said struct{ key, text string }

// saying is what a file says of a KMS key.
func saying(f File) (all []said) {
	switch c := f.Content.(type) {
	case *token.Parameters:
		all = append(all, said{c.KeyARN, fmt.Sprintf("%s, %s, token valid to %s", c.Algorithm, c.WrappingKeySpec, utc(c.ValidTo))})
	case *token.Wrapped:
		all = append(all, said{c.KeyARN, fmt.Sprintf("%s under the public key with the SHA-256 %s, token valid to %s", c.Algorithm, c.PublicKeySHA256, utc(c.ValidTo))})
	case escrow.Drill:
		all = append(all, said{c.KeyARN, fmt.Sprintf("%s: %s, %s%s", utc(c.At), c.Verdict, c.Method, material(c.MaterialID))})
	case []audit.Receipt:
		for _, r := range c {
			all = append(all, said{r.KeyARN, fmt.Sprintf("imported %s, expires %s%s", r.At.UTC().Format(time.RFC3339), r.Expires, material(r.MaterialID))})
		}
	}
	return all
}

func material(id string) string {
	if id == "" {
		return ""
	}
	return ", KeyMaterialId " + id
}

// folder lists the files, and which of them the record vouches for.
func folder(e *Evidence) section {
	s := section{ID: "files", Title: "Files"}
	s.say("A file of a kind that is not known may hold a secret: its digest is left out unless the record has it already.")
	t := table{Caption: "Files of the folder, those below it left out", Columns: []string{"File", "What", "Bytes", "SHA-256", "Bound"}}
	for _, f := range e.Files {
		digest, bound := id(f.SHA256.String()), e.binding(f)
		if standing[f.Name] != "" || f.What != "" && f.Content == nil {
			bound = plain("verified")
			if len(e.Problems) > 0 {
				bound = unsure("see verification")
			}
		}
		if same, _ := e.mentions(f); f.What == "" && len(same) == 0 {
			digest = unsure("left out")
		}
		what := f.What
		if what == "" {
			what = "of no kind that is known here"
		}
		t.add(id(f.Name), plain(what), plain(fmt.Sprint(f.Size)), digest, bound)
	}
	s.show(t, "The folder is empty.")
	missing := table{Caption: "Files that the record names and the folder does not hold", Columns: []string{"File", "Bytes", "SHA-256"}}
	for _, entry := range e.Transcript.Entries {
		for _, named := range tell(entry.Event).files {
			if !e.holds(named.Name) {
				missing.add(id(named.Name).from([]int{lineOf(entry)}), plain(fmt.Sprint(named.Size)), id(named.SHA256.String()))
			}
		}
	}
	s.show(missing, "The folder holds every file that the record names.")
	return s
}

func (e *Evidence) holds(name string) bool {
	for _, f := range e.Files {
		if f.Name == name {
			return true
		}
	}
	return false
}
