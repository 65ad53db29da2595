// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"time"

	"github.com/keymat/keymat/audit"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
)

// conveyance is what went from machine to machine.
func conveyance(e *Evidence) section {
	s := section{ID: "conveyance", Title: "Bundles and packages"}
	bundles := table{Caption: "What was fetched from KMS, by target", Columns: []string{"File", "Target", "Fetched", "By", "Request", "Key", "Bound"}}
	packages := table{Caption: "What was wrapped, by target", Columns: []string{"File", "Target", "Import", "KMS forgets it", "Known answers", "Bundle", "Escrow", "Bound"}}
	for _, f := range e.Files {
		switch c := f.Content.(type) {
		case *gap.Bundle:
			for _, x := range c.Fetched {
				bundles.add(id(f.Name), id(x.Target), plain(utc(x.At)), id(x.Caller), id(x.RequestID), plain(fmt.Sprintf("%s, %s, %s", x.Key.Spec, x.Key.Origin, x.Key.State)), e.binding(f))
			}
		case *gap.Package:
			for _, x := range c.Wrapped {
				packages.add(id(f.Name), id(x.Target), plain(string(x.Import)), plain(expiry(x.ValidTo)), plain(fmt.Sprint(len(x.KnownAnswers))),
					id(transcript.Digest(c.Bundle).String()), id(c.Escrow.String()), e.binding(f))
			}
		}
	}
	s.show(bundles, "There is no bundle in the folder.")
	s.show(packages, "There is no package in the folder.")
	s.Blocks = append(s.Blocks, block{Facts: []fact{{"What was fetched compared", e.passing(plan.GateBundle)}, {"What was submitted compared", e.passing(plan.GateImport)}}})
	return s
}

func expiry(at time.Time) string {
	if at.IsZero() {
		return "never expires"
	}
	return utc(at)
}

// imports are what went to KMS and what KMS said, as far as there is a trace.
func imports(e *Evidence) section {
	s := section{ID: "imports", Title: "Imports"}
	targets := table{Caption: "KMS keys that get the material, by the plan", Columns: []string{"Target", "Key", "Region", "Wrapping", "Import", "Valid to"}}
	for _, t := range e.Plan.Targets {
		targets.add(id(t.ID), id(t.Key), plain(t.Region), plain(fmt.Sprintf("%s, %s", t.Wrapping.Algorithm, t.Wrapping.KeySpec)), plain(string(t.Import)), plain(expiry(t.ValidTo)))
	}
	s.show(targets, "")
	receipts := table{Caption: "What KMS answered, and how it was seen that it holds the material", Columns: []string{"Target", "Submitted", "Imported", "KeyMaterialId", "Verified by", "What that shows"}}
	for _, t := range e.Plan.Targets {
		receipts.add(e.receipt(t.ID)...)
	}
	s.show(receipts, "")
	trace := table{Caption: "What the folder holds of fetch, wrap, import and drill", Columns: []string{"File", "What", "Key", "Says", "Bound"}}
	for _, f := range e.Files {
		for _, said := range saying(f) {
			trace.add(id(f.Name), plain(f.What), id(said.key), plain(said.text), e.binding(f))
		}
	}
	s.show(trace, "Nothing in the folder tells of a fetch, a wrapped package, an import or a drill.")
	return s
}

// receipt is what the records say of the import into a target; later lines count
// for more.
func (e *Evidence) receipt(target string) []cell {
	submitted, imported, keyID, method, shows := unsure("no"), unsure("not in this record"), id(""), unsure("not in this record"), plain("")
	var tries []ref
	for _, l := range e.lines() {
		at := []ref{l.ref}
		switch event := l.Event.(type) {
		case transcript.Submitted:
			if event.Target == target {
				tries = append(tries, l.ref)
				submitted = plain(count(len(tries), "time")).from(tries)
			}
		case transcript.Refused:
			if event.Target == target {
				imported = bad("refused: " + event.Code).from(at)
			}
		case transcript.Imported:
			if event.Target == target {
				imported, keyID = good("taken").from(at), id(event.MaterialID)
			}
		case transcript.Verified:
			if event.Target == target {
				method, shows = plain(event.Method).from(at), plain(strength(e.Plan.Material.Spec))
			}
		case transcript.Forgotten:
			if event.Target == target {
				imported, keyID, method, shows = unsure("KMS no longer has it: "+event.Reason).from(at), id(""), unsure("not since"), plain("")
			}
		}
	}
	return []cell{id(target), submitted, imported, keyID, method, shows}
}

// strength is what a verification by use can show of a kind of key at best.
func strength(s material.Spec) string {
	switch {
	case s == material.SymmetricDefault:
		return "KMS took the very bytes that were wrapped offline, and says so itself: nothing outside KMS can try its ciphertexts"
	case !s.KeyPair():
		return "where KMS accepted a known answer and refused a false one: that it holds this material"
	}
	return "where KMS's public key is that of the material: that it holds this material"
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
		all = append(all, said{c.KeyARN, fmt.Sprintf("%s: %s, %s%s", utc(c.At), c.Verdict, c.Method, asID(c.MaterialID))})
	case []audit.Receipt:
		for _, r := range c {
			all = append(all, said{r.KeyARN, fmt.Sprintf("imported %s, expires %s%s", r.At.UTC().Format(time.RFC3339), r.Expires, asID(r.MaterialID))})
		}
	}
	return all
}

func asID(id string) string {
	if id == "" {
		return ""
	}
	return ", KeyMaterialId " + id
}
