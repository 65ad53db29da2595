// SPDX-License-Identifier: Apache-2.0

package transcript

import (
	"fmt"
	"slices"
	"strings"

	"github.com/keymat/keymat/ceremony/plan"
)

// Told is an event in words, for people.
type Told struct {
	Name        string // such as "share read back"
	Text        string // "" where there is nothing more to say
	Exceptional bool   // it should not have happened
	Files       []File // that it names
}

// Tell has the words for each type of event; it is the one place that has.
func Tell(event Event) Told {
	switch e := event.(type) {
	case Opened:
		return tellOpened(e)
	case Confirmed:
		return Told{Name: "gate " + string(e.Gate), Text: e.Text}
	case Noted:
		return Told{Name: "noted", Text: e.Text, Files: e.Files}
	case Exception:
		return Told{Name: "exception", Text: fmt.Sprintf("expected: %s; happened: %s; decided: %s", e.Expected, e.Happened, e.Decided), Exceptional: true}
	case Resumed:
		return Told{Name: "resumed", Text: fmt.Sprintf("after %s cut off, %d bytes with the SHA-256 %s", count(e.TornLines, "line"), e.TornBytes, e.TornSHA256), Exceptional: true}
	case Closed:
		return Told{Name: "closed", Text: "to be signed by " + listed(e.Signers)}
	}
	for _, tell := range []func(Event) Told{tellMaking, tellCustody, tellToken, tellConveyance, tellReceipt} {
		if t := tell(event); t.Name != "" {
			return t
		}
	}
	return Told{Name: Name(event)}
}

func tellOpened(e Opened) Told {
	text := fmt.Sprintf("record of %s, by the plan with the SHA-256 %s, with keymat %s", e.Ceremony, e.PlanSHA256, e.Tool.Version)
	if e.Part.Number > 0 {
		text = fmt.Sprintf("record %d of %s, on the %s machine, after the line with the SHA-256 %s, by the plan with the SHA-256 %s, with keymat %s",
			e.Part.Number+1, e.Ceremony, e.Part.Writer(), e.Part.After, e.PlanSHA256, e.Tool.Version)
	}
	if e.Rehearsal {
		text += "; a rehearsal"
	}
	return Told{Name: "opened", Text: text}
}

// tellMaking is Tell for what happens to the material.
func tellMaking(event Event) (t Told) {
	switch e := event.(type) {
	case Generated:
		t = Told{Name: "generated", Text: fmt.Sprintf("%s material, %s, with the fingerprint %s", e.KeySpec, came(e.Source), e.Fingerprint)}
		if k := e.Token; k.ID != "" {
			t.Text += fmt.Sprintf("; it is the key %s, %q, of the token %s, which says of it: %s", k.ID, k.Label, k.Token, strings.Join(k.Attributes, ", "))
		}
	case Recovered:
		t = Told{Name: "recovered", Text: fmt.Sprintf("the escrow %s was opened with the shares %s; the material has the fingerprint %s", e.Escrow, numbers(e.Shares), e.Fingerprint)}
	case Destroyed:
		t = Told{Name: "destroyed", Text: "the program cleared material and key in its memory"}
	case Voided:
		t = Told{Name: "void", Text: voided(e), Exceptional: true}
	case Interrupted:
		t = Told{Name: "interrupted", Text: "what was in memory is lost: " + e.Reason, Exceptional: true}
	}
	return t
}

// tellCustody is Tell for escrows and shares.
func tellCustody(event Event) (t Told) {
	switch e := event.(type) {
	case Escrowed:
		t = Told{Name: "escrowed", Text: fmt.Sprintf("the material with the fingerprint %s, in the escrow %s", e.Fingerprint, e.Escrow), Files: []File{e.File}}
	case Copied:
		t = Told{Name: "copied", Text: fmt.Sprintf("the escrow %s to %s, read back and opened; SHA-256 %s", e.Escrow, e.Copy, e.SHA256)}
	case Issued:
		t = Told{Name: "share issued", Text: fmt.Sprintf("share %d of %s", e.Share, e.Escrow)}
		if e.Bag != "" {
			t.Text += ", into the bag " + e.Bag + " for somebody absent"
		}
	case ReadBack:
		t = Told{Name: "share read back", Text: fmt.Sprintf("share %d of %s", e.Share, e.Escrow)}
		if e.Bag != "" {
			t.Text += ", then into the bag " + e.Bag
		}
	case Sealed:
		t = Told{Name: "sealed", Text: fmt.Sprintf("the material is recoverable from the escrow %s, with the SHA-256 %s", e.Escrow, e.SHA256), Files: []File{e.Record}}
	case Retired:
		t = Told{Name: "retired", Text: fmt.Sprintf("the escrow %s with its shares, in favour of %s", e.Escrow, e.By)}
	case Discarded:
		t = tellDiscarded(e)
	case Attested:
		t = Told{Name: "attested", Text: fmt.Sprintf("of %s: %s", e.Target, e.Text)}
	}
	return t
}

func tellDiscarded(e Discarded) Told {
	t := Told{Name: "discarded", Text: fmt.Sprintf("%s of %s", e.Copy, e.Escrow)}
	if e.Share > 0 {
		t.Text = fmt.Sprintf("share %d of %s", e.Share, e.Escrow)
	}
	if e.Bag != "" {
		t.Text += ", from the bag " + e.Bag
	}
	t.Text += ": " + e.Text
	return t
}

// tellConveyance is Tell for what goes from one machine to another.
func tellConveyance(event Event) (t Told) {
	switch e := event.(type) {
	case Bundled:
		t = Told{Name: "bundle accepted", Text: fmt.Sprintf("for %s, with import tokens valid to %s", listed(e.Targets), e.ValidTo), Files: []File{e.File}}
	case Wrapped:
		t = Told{Name: "wrapped", Text: fmt.Sprintf("for %s, with the bundle that has the SHA-256 %s; kept as %s", listed(e.Targets), e.Bundle, e.Escrow), Files: []File{e.Package}}
	}
	return t
}

// tellReceipt is Tell for the machine that imports.
func tellReceipt(event Event) (t Told) {
	switch e := event.(type) {
	case Submitted:
		t = Told{Name: "submitted", Text: fmt.Sprintf("to %s: bytes with the SHA-256 %s, of the package that has %s", e.Target, e.Wrapped, e.Package)}
	case Refused:
		t = Told{Name: "refused", Text: fmt.Sprintf("by KMS for %s: %s; %s", e.Target, e.Code, remedies[e.Remedy]), Exceptional: true}
		if e.Remedy == Incident {
			t.Name = "incident"
		}
	case Imported:
		t = Told{Name: "imported", Text: "into " + e.Target}
		if e.MaterialID != "" {
			t.Text += ", as the KeyMaterialId " + e.MaterialID
		}
	case Verified:
		t = Told{Name: "verified", Text: fmt.Sprintf("%s: %s", e.Target, e.Method)}
	case Forgotten:
		t = Told{Name: "forgotten", Text: fmt.Sprintf("%s no longer has the material: %s", e.Target, e.Reason), Exceptional: true}
	}
	return t
}

// remedies are what may follow a refusal.
var remedies = map[Remedy]string{
	SendAgain: "the same bytes may be sent again",
	WrapAgain: "it takes a new import token and a new package",
	Incident:  "the material has to be treated as exposed, and nothing more is sent",
}

func came(from plan.Source) string {
	switch from {
	case plan.FromDRBG:
		return "from the generator of the machine"
	case plan.FromComponents:
		return "from components of several people"
	case plan.FromPKCS11:
		return "from a token"
	}
	return "from " + string(from)
}

func voided(e Voided) string {
	var what []string
	if e.Material {
		what = append(what, "the material")
	}
	if e.Escrow != "" {
		what = append(what, "what was kept as "+e.Escrow)
	}
	return strings.Join(what, " and ") + " will not be used: " + e.Reason
}

func listed(ids []string) string {
	if len(ids) == 0 {
		return "nobody"
	}
	return strings.Join(ids, ", ")
}

func numbers(all []int) string {
	var texts []string
	for _, n := range slices.Sorted(slices.Values(all)) {
		texts = append(texts, fmt.Sprint(n))
	}
	return strings.Join(texts, ", ")
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
