// SPDX-License-Identifier: Apache-2.0

package report

import (
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material/entropy"
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
	if e.State != nil && e.State.Fingerprint() != "" {
		made := e.State.Fingerprint()
		differ = expected != "" && made != expected
		expected = made
		t.add(plain("records, as the machine calculated it"), plain(string(e.Plan.Material.Spec)), id(made), good("in the record").from(e.fingerprinted(made)))
	}
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
			if !e.given(c.ID.String()) {
				name(f, string(c.KeySpec), c.Fingerprint)
			}
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

// fingerprinted are the lines that say that the material has a fingerprint.
func (e *Evidence) fingerprinted(print string) []ref {
	return e.linesWith(func(entry transcript.Entry) bool {
		switch event := entry.Event.(type) {
		case transcript.Generated:
			return event.Fingerprint == print
		case transcript.Unlocked:
			return event.Fingerprint == print
		case transcript.Recovered:
			return event.Fingerprint == print
		}
		return false
	})
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
	otherwise := "There is no record of randomness in the folder, and so nothing is claimed."
	if e.Plan.KeptInToken() {
		otherwise = "The material was made in a token, and where the token takes its random numbers from is its maker's word: nothing is claimed."
	}
	s.show(t, otherwise)
	s.say("Of the bits of the key itself nothing can be claimed: every value is equally likely, and no test of one value shows more.")
	return s
}
