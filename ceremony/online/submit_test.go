// SPDX-License-Identifier: Apache-2.0

package online_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keymat/keymat/ceremony/online"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/mockkms"
	"github.com/keymat/keymat/token"
)

func count(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

func wantRemedy(t *testing.T, err error, want transcript.Remedy) {
	t.Helper()
	if e, ok := errors.AsType[*online.RefusedError](err); !ok || e.Remedy != want {
		t.Errorf("error %v, want the remedy %s", err, want)
	}
}

func wantEvents(t *testing.T, b *bench, record int, want ...string) {
	t.Helper()
	if got := b.events(t, record); !slices.Equal(got, want) {
		t.Errorf("record %d has %q, want %q", record, got, want)
	}
}

// exchanged is what somebody does who puts a wrapping key of their own in the place
// of KMS's.
func exchanged(t *testing.T) func(*token.Parameters) {
	t.Helper()
	theirs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&theirs.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return func(p *token.Parameters) { p.PublicKey = der }
}

// TestSubstitution: somebody between KMS and the offline machine put a wrapping
// key of their own into the bundle, and read out the digest of that. KMS cannot
// open what was wrapped, and from then on nothing is submitted.
func TestSubstitution(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := withKey(t)
		b.desk.change = exchanged(t)
		out := b.desk.session(t, b.fetch(t))
		wantRemedy(t, b.run(t, out), transcript.Incident)
		wantEvents(t, b, 2, "open", "confirm", "submit", "refuse")
		if got := b.state(t).Incident(); got != "primary" {
			t.Errorf("the incident is at %q", got)
		}
		b.calls()

		m := b.open(t)
		agenda := m.Agenda()
		if len(agenda.Here) != 1 || agenda.Here[0].Step != phase.Investigate {
			t.Errorf("the agenda is %v", agenda.Here)
		}
		err := m.Perform(t.Context(), b.people, phase.Task{Step: phase.Submit, Machine: transcript.ImportMachine, Targets: []string{"primary"}})
		if _, ok := errors.AsType[*phase.IncidentError](err); !ok {
			t.Errorf("error %v", err)
		}
		err = m.Perform(t.Context(), b.people, agenda.Here[0])
		if _, ok := errors.AsType[*phase.IncidentError](err); !ok || !b.people.hears("the material has to be treated as exposed") {
			t.Errorf("error %v; people were told %q", err, b.people.told)
		}
		if calls := b.calls(); len(calls) > 0 {
			t.Errorf("calls %q", calls)
		}
		wantEvents(t, b, 2, "open", "confirm", "submit", "refuse", "exception", "close")
		err = b.open(t).Perform(t.Context(), b.people, agenda.Here[0])
		if _, ok := errors.AsType[*phase.IncidentError](err); !ok {
			t.Errorf("error %v", err)
		}
	})
}

// TestTokenExpires: the record goes to the offline machine, and the import comes in
// a second round with a new token.
func TestTokenExpires(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]func(t *testing.T, b *bench){
		"by our clock": func(*testing.T, *bench) { time.Sleep(24 * time.Hour) },
		"by that of KMS": func(t *testing.T, b *bench) {
			if _, err := b.mock.MoveClock(mockkms.ClockMove{Advance: 25 * time.Hour}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := withKey(t)
				out := b.desk.session(t, b.fetch(t))
				wait(t, b)
				wantRemedy(t, b.run(t, out), transcript.WrapAgain)
				if name == "by that of KMS" {
					wantEvents(t, b, 2, "open", "confirm", "submit", "refuse")
					if _, err := b.mock.MoveClock(mockkms.ClockMove{Reset: true}); err != nil {
						t.Fatal(err)
					}
				} else {
					wantEvents(t, b, 2, "open", "confirm", "refuse")
				}
				back := quickFolder(t)
				if err := b.run(t, back); err != nil {
					t.Fatal(err)
				}
				if _, ok := errors.AsType[*online.NotReadyError](b.run(t, out)); !ok {
					t.Error("the first medium was taken once more")
				}
				b.desk.takes(t, back)
				if err := b.run(t, b.desk.session(t, b.fetch(t))); err != nil {
					t.Fatal(err)
				}
				wantEvents(t, b, 4, "open", "confirm", "submit", "import", "verify", "close")
			})
		})
	}
}

// TestMargin: after the plan's margin the lead decides.
func TestMargin(t *testing.T) {
	t.Parallel()
	for choice, want := range [][]string{{"open", "confirm", "refuse"}, {"open", "confirm", "exception", "submit", "import", "verify", "close"}} {
		synctest.Test(t, func(t *testing.T) {
			b := withKey(t)
			out := b.desk.session(t, b.fetch(t))
			time.Sleep(23*time.Hour + time.Second)
			b.people.decides = choice
			err := b.run(t, out)
			if choice == 0 {
				wantRemedy(t, err, transcript.WrapAgain)
			} else if err != nil {
				t.Fatal(err)
			}
			wantEvents(t, b, 2, want...)
			question := "the import token for primary ends at 2000-01-02T00:00:00Z, and the plan wants the import 1h0m0s before: what now?"
			if !slices.Equal(b.people.asked, []string{question}) {
				t.Errorf("the lead was asked %q", b.people.asked)
			}
		})
	}
}

// TestJustInTime is the last moment before the margin.
func TestJustInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := withKey(t)
		out := b.desk.session(t, b.fetch(t))
		time.Sleep(23 * time.Hour)
		if err := b.run(t, out); err != nil || len(b.people.asked) > 0 {
			t.Errorf("error %v; the lead was asked %q", err, b.people.asked)
		}
	})
}

// TestBusy: KMS is too busy for longer than its client tries, and then not.
func TestBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := withKey(t)
		out := b.desk.session(t, b.fetch(t))
		b.mock.Inject(mockkms.Fault{Operation: "ImportKeyMaterial", Kind: mockkms.FaultThrottle, Times: 7})
		if err := b.run(t, out); err != nil {
			t.Fatal(err)
		}
		wantEvents(t, b, 2, "open", "confirm", "submit", "refuse", "submit", "refuse", "submit", "import", "verify", "close")
		if !b.people.hears("the same bytes go again in 2s") {
			t.Errorf("people were told %q", b.people.told)
		}
	})
}

// TestBusyForGood gives up at the margin, and can go on.
func TestBusyForGood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := withKey(t)
		out := b.desk.session(t, b.fetch(t))
		time.Sleep(22*time.Hour + 57*time.Minute)
		b.mock.Inject(mockkms.Fault{Operation: "ImportKeyMaterial", Kind: mockkms.FaultThrottle, Times: -1})
		wantRemedy(t, b.run(t, out), transcript.SendAgain)
		if left := time.Until(time.Date(2000, 1, 1, 23, 0, 0, 0, time.UTC)); left < 0 || left > time.Minute {
			t.Errorf("it gave up %s before the margin", left)
		}
		b.mock.ClearFaults()
		if err := b.run(t); err != nil {
			t.Error(err)
		}
	})
}

// TestDenied: what does not pass by itself is not tried again by itself.
func TestDenied(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := withKey(t)
		out := b.desk.session(t, b.fetch(t))
		b.mock.Inject(mockkms.Fault{Operation: "ImportKeyMaterial", Kind: mockkms.FaultDenied})
		wantRemedy(t, b.run(t, out), transcript.SendAgain)
		wantEvents(t, b, 2, "open", "confirm", "submit", "refuse")
		if err := b.run(t); err != nil {
			t.Fatal(err)
		}
		wantEvents(t, b, 2, "open", "confirm", "submit", "refuse", "submit", "import", "verify", "close")
	})
}
