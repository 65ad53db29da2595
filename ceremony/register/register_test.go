// SPDX-License-Identifier: Apache-2.0

package register_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/chain"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/register"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material"
)

const (
	first, second = "11111111111111111111111111111111", "22222222222222222222222222222222"
	arn           = "arn:aws:kms:eu-central-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"
	replica       = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"
)

var (
	both    = []string{"lead", "officer"}
	morning = time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
)

// days are some after the first.
func days(n int) time.Time { return morning.AddDate(0, 0, n) }

// A medium is what a register is written to in tests.
type medium struct {
	bytes.Buffer
	left int // bytes until the power goes, 0 for no end
}

func (m *medium) Write(p []byte) (int, error) {
	if m.left > 0 && len(p) > m.left {
		m.Buffer.Write(p[:m.left])
		return m.left, errors.New("no power")
	}
	return m.Buffer.Write(p)
}

func (*medium) Sync() error { return nil }

// A book is a register in tests, and its clock.
type book struct {
	*register.Writer
	*medium
	t   *testing.T
	day int
}

func newBook(t *testing.T) *book {
	t.Helper()
	b := &book{medium: &medium{}, t: t}
	var err error
	if b.Writer, err = register.Begin(b.medium, b.now, "Example", []string{"officer"}); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *book) now() time.Time { return days(b.day) }

func (b *book) must(events ...register.Event) *book {
	b.t.Helper()
	for _, e := range events {
		if err := b.Add(e, both); err != nil {
			b.t.Fatal(err)
		}
	}
	return b
}

func (b *book) key(id string) register.Key {
	b.t.Helper()
	k, err := b.Key(id)
	if err != nil {
		b.t.Fatal(err)
	}
	return k
}

// digest stands for the SHA-256 of something.
func digest(n byte) chain.Digest { return chain.Digest{0: n} }

// made is what the evidence of a first ceremony shows.
func made() register.Added {
	return register.Added{
		Key: "payments", Ceremony: "payments-2026", Purpose: plan.ForImport, Head: digest(1), Title: "Payments: the root key",
		KeySpec: material.SymmetricDefault, Usage: plan.EncryptDecrypt, Fingerprint: "cmac:0a1b2c3d4e",
		Escrow: register.Escrow{ID: first, Profile: escrow.Quorum, Scheme: escrow.SLIP39, Threshold: 3, Count: 5},
		Held:   []register.Held{{ARN: arn, MaterialID: strings.Repeat("ab", 32), ValidTo: days(300)}}, State: register.Active,
	}
}

// refreshed is what that of a later one with new shares shows.
func refreshed() register.Added {
	a := made()
	a.Ceremony, a.Purpose, a.Head, a.From, a.Escrow.ID, a.Escrow.Count, a.Held = "payments-2027", plan.ForRefresh, digest(2), first, second, 7, []register.Held{}
	return a
}

// destroyed is what that of the last one shows.
func destroyed() register.Added {
	a := made()
	a.Ceremony, a.Purpose, a.Head, a.From, a.Escrow, a.Held = "payments-2030", plan.ForDestruction, digest(3), first, register.Escrow{}, []register.Held{}
	return a
}

func moved(from, to register.State) register.Moved {
	return register.Moved{Key: "payments", From: from, To: to, On: days(1), Reason: "decided"}
}

func drilled(at time.Time, v escrow.DrillVerdict) register.Drilled {
	return register.Drilled{Key: "payments", Escrow: first, At: at, By: "officer", Verdict: v, KMS: arn, SHA256: digest(byte(at.Sub(morning).Hours()))}
}

var yearly = register.Scheduled{Key: "payments", Protects: days(730), Review: days(365), DrillEvery: 90, Reason: "policy 7"}

// TestRead reads each register back from what was written.
func TestRead(t *testing.T) {
	b := newBook(t).must(made(), yearly, drilled(days(3), escrow.DrillProven))
	b.day = 5
	b.must(moved(register.Active, register.Suspended), moved(register.Suspended, register.Active), refreshed())
	r, err := register.Read(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if r.Organisation != "Example" || r.Lines != 7 || r.Lines != b.Lines || r.Last != b.Last || r.Last == (chain.Digest{}) {
		t.Errorf("got %q, %d lines, %s", r.Organisation, r.Lines, r.Last)
	}
	got, err := r.Key("payments")
	if err != nil {
		t.Fatal(err)
	}
	want := b.key("payments")
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if len(got.History) != 6 || got.Ceremony != "payments-2027" || got.Escrow.Count != 7 || len(got.Held) != 1 || got.Drill != nil || !got.Ready.Equal(days(5)) || !got.Since.Equal(days(1)) {
		t.Errorf("got %+v", got)
	}
	if len(r.Keys()) != 1 || r.OfEscrow(second) != "payments" || r.OfEscrow(first) != "" || r.OfEscrow("") != "" {
		t.Errorf("the escrows are of %q and %q", r.OfEscrow(first), r.OfEscrow(second))
	}
}

// TestAgain: a ceremony that brings the material back adds to where it is.
func TestAgain(t *testing.T) {
	a := made()
	a.Ceremony, a.Head, a.From, a.Title = "payments-2027", digest(2), first, "Payments: again"
	a.Held = []register.Held{{ARN: replica, MaterialID: "x"}, {ARN: arn, MaterialID: "y", ValidTo: days(600)}}
	k := newBook(t).must(made(), drilled(days(3), escrow.DrillOpened), a).key("payments")
	if len(k.Held) != 2 || k.Held[1].MaterialID != "y" || k.Title != made().Title || k.Drill == nil || k.Ceremony != "payments-2027" {
		t.Errorf("got %+v", k)
	}
}

func TestStates(t *testing.T) {
	allowed := map[register.State]string{
		register.PreActivation: "active compromised destroyed",
		register.Active:        "suspended deactivated compromised destroyed",
		register.Suspended:     "active deactivated compromised destroyed",
		register.Deactivated:   "compromised destroyed",
		register.Compromised:   "destroyed",
		register.Destroyed:     "",
	}
	for _, from := range register.States() {
		for _, to := range register.States() {
			want := slices.Contains(strings.Fields(allowed[from]), string(to))
			if got := slices.Contains(from.After(), to); got != want {
				t.Errorf("from %s to %s: got %t", from, to, got)
			}
		}
	}
}

func TestRefuses(t *testing.T) {
	stranger, changed, otherSpec, late, unready := made(), refreshed(), refreshed(), refreshed(), made()
	stranger.Head = digest(9)
	changed.Fingerprint, otherSpec.KeySpec = "cmac:ffffffffff", material.HMAC256
	late.From = second
	late.Head = digest(8)
	unready.State = register.Deactivated
	suspended := refreshed()
	suspended.State = register.PreActivation
	destroyedLast := destroyed()
	destroyedLast.From = second
	elsewhere := drilled(days(1), escrow.DrillOpened)
	elsewhere.Escrow = second
	unknown := moved(register.Active, register.Suspended)
	unknown.Key = "other"
	for _, tt := range []struct {
		name   string
		before []register.Event
		event  register.Event
		by     []string
		want   string
	}{
		{"a new key that is deactivated", nil, unready, both, "payments is new, and no key goes from there to deactivated"},
		{"another key of that name", []register.Event{made()}, stranger, both, "the register has another key payments"},
		{"the same evidence", []register.Event{made()}, made(), both, "payments: the register has the ceremony payments-2026"},
		{"the same later evidence", []register.Event{made(), refreshed()}, refreshed(), both, "payments: the register has the ceremony payments-2027"},
		{"another escrow", []register.Event{made()}, late, both, "the register has another key payments"},
		{"other material", []register.Event{made()}, changed, both, `payments: fingerprint is "cmac:ffffffffff", not "cmac:0a1b2c3d4e"`},
		{"another spec", []register.Event{made()}, otherSpec, both, `payments: key_spec is "HMAC_256", not "SYMMETRIC_DEFAULT"`},
		{"back to the beginning", []register.Event{made()}, suspended, both, "payments is active, and no key goes from there to pre-activation"},
		{"an unknown key", []register.Event{made()}, unknown, both, "the register has no key other"},
		{"a schedule for nothing", nil, yearly, both, "the register has no key payments"},
		{"a drill of nothing", nil, drilled(days(1), escrow.DrillOpened), both, "the register has no key payments"},
		{"from another state", []register.Event{made()}, moved(register.Suspended, register.Active), both, `payments: state is "suspended", not "active"`},
		{"to where nothing goes", []register.Event{made(), moved(register.Active, register.Compromised)}, moved(register.Compromised, register.Active), both, "payments is compromised, and no key goes from there to active"},
		{"destroyed with an escrow", []register.Event{made()}, moved(register.Active, register.Destroyed), both, "payments is not destroyed: the escrow " + first + " brings it back"},
		{"destroyed but for what was replaced", []register.Event{made(), refreshed(), destroyedLast}, moved(register.Active, register.Destroyed), both, "payments is not destroyed: the escrow " + first + " brings it back"},
		{"one alone", []register.Event{made()}, moved(register.Active, register.Suspended), []string{"lead", "lead"}, "the line state takes two people who stand for it"},
		{"a drill with another escrow", []register.Event{made()}, elsewhere, both, `payments: escrow is "` + second + `", not "` + first + `"`},
		{"a drill twice", []register.Event{made(), drilled(days(1), escrow.DrillOpened)}, drilled(days(1), escrow.DrillOpened), both, "payments: the register has this drill"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBook(t).must(tt.before...)
			size := b.Len()
			if err := b.Add(tt.event, tt.by); err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
			if b.Len() != size {
				t.Error("it was added nevertheless")
			}
		})
	}
}

// TestDestroyed: the last line of a life comes after the escrow is gone.
func TestDestroyed(t *testing.T) {
	b := newBook(t).must(made(), yearly, destroyed(), moved(register.Active, register.Destroyed))
	if k := b.key("payments"); k.State != register.Destroyed || k.Escrow.ID != "" {
		t.Errorf("got %+v", k)
	}
	if due := b.Due(days(10000)); len(due) > 0 {
		t.Errorf("due is %v", due)
	}
	if _, err := register.Read(b.Bytes()); err != nil {
		t.Error(err)
	}
}

// TestReplaced: the escrow that another has replaced is destroyed by itself.
func TestReplaced(t *testing.T) {
	b := newBook(t).must(made(), refreshed())
	if k := b.key("payments"); !slices.Equal(k.Retired(), []register.Retired{{Escrow: first, At: days(0)}}) {
		t.Errorf("replaced are %+v", k.Retired())
	}
	line := b.Place(destroyed())
	if line.Key != "payments" || line.Escrow.ID != second || line.State != register.Active {
		t.Fatalf("got %+v", line)
	}
	b.must(line)
	if k := b.key("payments"); k.Escrow.ID != second || k.Ceremony != "payments-2030" || len(k.Retired()) != 0 {
		t.Errorf("got %+v", k)
	}
	again := made()
	again.Head, again.From = digest(7), first
	if err := b.Add(again, both); err == nil || err.Error() != `payments: from is "`+first+`", not "`+second+`"` {
		t.Errorf("an import from an escrow that was replaced: %v", err)
	}
	last := destroyed()
	last.Head, last.From = digest(8), second
	b.must(b.Place(last))
	if k := b.key("payments"); k.Escrow.ID != "" {
		t.Errorf("got %+v", k.Escrow)
	}
}

func TestDue(t *testing.T) {
	for _, tt := range []struct {
		name   string
		events []register.Event
		want   []string
	}{
		{"nothing is planned", []register.Event{made()}, []string{"expiry 300"}},
		{"everything", []register.Event{made(), yearly}, []string{"drill 90", "expiry 300", "review 365", "end-protect 730"}},
		{"after a drill", []register.Event{made(), yearly, drilled(days(10), escrow.DrillUnproven)}, []string{"drill 100", "expiry 300", "review 365", "end-protect 730"}},
		{"after an older drill", []register.Event{made(), yearly, drilled(days(10), escrow.DrillProven), drilled(days(9), escrow.DrillProven)}, []string{"drill 100", "expiry 300", "review 365", "end-protect 730"}},
		{"after a drill that failed", []register.Event{made(), yearly, drilled(days(10), escrow.DrillMismatch)}, []string{"drill 90", "expiry 300", "review 365", "end-protect 730"}},
		{"deactivated", []register.Event{made(), yearly, moved(register.Active, register.Deactivated)}, []string{"drill 90", "expiry 300", "review 365"}},
		{"compromised", []register.Event{made(), yearly, moved(register.Active, register.Compromised)}, []string{"drill 90", "expiry 300", "review 365"}},
		{"suspended", []register.Event{made(), yearly, moved(register.Active, register.Suspended)}, []string{"drill 90", "expiry 300", "review 365", "end-protect 730"}},
		{"new shares that nobody drilled", []register.Event{made(), yearly, drilled(days(10), escrow.DrillProven), refreshed()}, []string{"discard 30", "drill 90", "expiry 300", "review 365", "end-protect 730"}},
		{"without an escrow", []register.Event{made(), yearly, destroyed()}, []string{"expiry 300", "review 365", "end-protect 730"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBook(t).must(tt.events...)
			var got []string
			for _, d := range b.Due(days(10000)) {
				got = append(got, fmt.Sprintf("%s %d", d.Matter, int(d.At.Sub(morning).Hours()/24)))
				if (d.ARN != "") != (d.Matter == register.Expiry) {
					t.Errorf("%+v", d)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	b := newBook(t).must(made())
	if early, just := b.Due(days(300).Add(-time.Second)), b.Due(days(300)); len(early) != 0 || len(just) != 1 {
		t.Errorf("got %v a second before, %v at the time", early, just)
	}
}

// TestChanged: whoever changes a register leaves traces.
func TestChanged(t *testing.T) {
	content := newBook(t).must(made(), yearly, moved(register.Active, register.Suspended)).Bytes()
	lines := bytes.SplitAfter(content, []byte("\n"))
	for name, changed := range map[string][]byte{
		"a byte":           bytes.Replace(content, []byte("policy 7"), []byte("policy 8"), 1),
		"a line left out":  slices.Concat(lines[0], lines[1], lines[3]),
		"lines exchanged":  slices.Concat(lines[0], lines[2], lines[1], lines[3]),
		"another kind":     bytes.Replace(content, []byte("keymat/register"), []byte("keymat/other000"), 1),
		"no beginning":     slices.Concat(lines[1], lines[2]),
		"cut off":          content[:len(content)-1],
		"nothing":          nil,
		"a second opening": slices.Concat(content, lines[0]),
	} {
		_, err := register.Read(changed)
		if _, ok := errors.AsType[*chain.FaultError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestImpossible: a chain that is whole may still say what cannot be.
func TestImpossible(t *testing.T) {
	b := newBook(t).must(made())
	other := newBook(t).must(made(), yearly)
	forged := bytes.Replace(b.Bytes(), []byte(`"state":"active"`), []byte(`"state":"compromised"`), 1)
	_, err := register.Read(forged)
	if e, ok := errors.AsType[*register.LineError](err); !ok || e.Line != 2 {
		t.Errorf("got %v", err)
	}
	if _, err := register.Read(other.Bytes()); err != nil {
		t.Error(err)
	}
}

// TestPowerCut cuts a line off anywhere: the next one says so, and nothing else is
// lost.
func TestPowerCut(t *testing.T) {
	whole := newBook(t).must(made())
	size := whole.Len()
	full := newBook(t).must(made(), yearly).Len() - size
	for left := 1; left < full; left += 17 {
		b := newBook(t).must(made())
		b.left = left
		if err := b.Add(yearly, both); err == nil {
			t.Fatal("there was power")
		}
		b.left = 0
		w, err := register.Resume(b.medium, bytes.Clone(b.Bytes()), b.now)
		if err != nil {
			t.Fatalf("%d bytes: %v", left, err)
		}
		if err := w.Add(yearly, both); err != nil {
			t.Fatal(err)
		}
		r, err := register.Read(b.Bytes())
		if err != nil {
			t.Fatalf("%d bytes: %v", left, err)
		}
		if k, err := r.Key("payments"); err != nil || k.Scheduled.DrillEvery != 90 || len(k.History) != 2 {
			t.Errorf("%d bytes: %+v, %v", left, k, err)
		}
	}
}

func TestSecret(t *testing.T) {
	e := moved(register.Active, register.Compromised)
	e.Key, e.Reason = "payments", "somebody saw AGE-SECRET-KEY-1"
	err := newBook(t).must(made()).Add(e, both)
	if _, ok := errors.AsType[*chain.SecretError](err); !ok {
		t.Errorf("got %v", err)
	}
}
