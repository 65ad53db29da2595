// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"fmt"
	"time"

	"github.com/keymat/keymat/importer"
)

// tell puts what happens on the way into words.
func (a *app) tell(e importer.Event) {
	switch e := e.(type) {
	case importer.Created:
		a.say("created %s (%s, %s), waiting for its material", e.Key.ARN, e.Key.Spec, e.Key.Usage)
		if e.Alias != "" {
			a.say("it can be called %s", e.Alias)
		}
	case importer.Replicated:
		a.say("created its replica %s, waiting for its material", e.Key.ARN)
	case importer.AliasMoved:
		a.say("%s names %s now, instead of %s", e.Alias, e.To, e.From)
	case importer.Fetched:
		p := e.Parameters
		a.say("fetched a %s wrapping key and an import token for %s, valid until %s", p.WrappingKeySpec, p.Algorithm, deadline(p.ValidTo, a.now()))
	case importer.Imported:
		a.tellImported(e.Receipt)
	case importer.Confirmed:
		if e.Proof.Verdict != importer.Unproven {
			a.say("%s", describeProof(e.Proof))
		}
	case importer.Rotating:
		a.tellRotating(e)
	case importer.Waiting:
		a.tellWaiting(e)
	case importer.LostAnswer:
		a.warn("%s got no answer (%v); looking whether it happened", e.Operation, e.Err)
	}
}

func (a *app) tellRotating(e importer.Rotating) {
	if e.Since.IsZero() {
		a.say("asked KMS to rotate %s to material %s", e.KeyARN, e.MaterialID)
		return
	}
	a.say("KMS has been rotating %s since %s", e.KeyARN, seconds(e.Since))
}

func (a *app) tellWaiting(e importer.Waiting) {
	if e.Elapsed == 0 {
		a.say("waiting for %s, at most %s", e.For, e.Bound)
		return
	}
	a.say("still waiting for %s (%s of at most %s)", e.For, e.Elapsed.Round(time.Second), e.Bound)
}

func (a *app) tellImported(r importer.Receipt) {
	if r.LostAnswer {
		a.say("the import had happened")
	}
	a.say("imported the material into %s; it %s", r.KeyARN, a.describeExpiry(r.Expiry))
	if r.Enabled {
		a.warn("%s was disabled; the import has enabled it", r.KeyARN)
	}
	switch {
	case r.Pending:
		a.say("the key goes on with its current material until it is rotated on demand")
	case r.State != "Enabled":
		a.warn("%s is still in state %s: it needs every material it ever had, or more time", r.KeyARN, r.State)
	}
}

func (a *app) describeExpiry(e importer.Expiry) string { return describeExpiry(e, a.now()) }

func describeExpiry(e importer.Expiry, now time.Time) string {
	if e.Never() {
		return "never expires"
	}
	return fmt.Sprintf("expires in %s, at %s", left(e.Time(), now), e)
}

// describeProof says what a confirmation showed and what it rests on.
func describeProof(p importer.Proof) string {
	switch p.Verdict {
	case importer.Proven:
		return fmt.Sprintf("KMS holds exactly this material (%s)", p.Method)
	case importer.Mismatch:
		return fmt.Sprintf("KMS holds other material (%s)", p.Method)
	}
	if p.MaterialID == "" {
		return "nothing was compared; bytes not proven"
	}
	return "KMS reports this key material ID; bytes not proven"
}
