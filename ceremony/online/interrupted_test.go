// SPDX-License-Identifier: Apache-2.0

package online_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/keymat/keymat/ceremony/online"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/mockkms"
)

// TestLostAnswer: the import happened, and its answer was lost. The same bytes go
// once more, so that KMS is seen to open them.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := withKey(t)
		out := b.desk.session(t, b.fetch(t))
		b.calls()
		b.mock.Inject(mockkms.Fault{Operation: "ImportKeyMaterial", Kind: mockkms.FaultDropAfter})
		if err := b.run(t, out); err != nil {
			t.Fatal(err)
		}
		if n := count(b.calls(), "ImportKeyMaterial"); n != 2 {
			t.Errorf("it was submitted %d times", n)
		}
		wantEvents(t, b, 2, "open", "confirm", "submit", "submit", "import", "verify", "close")
	})
}

// TestLostAnswers: nor does an answer come to what goes once more.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k := b.create(t, importer.CreateRequest{Spec: material.HMAC256})
		b.agree(t, material.HMAC256, []string{k.ARN})
		out := b.desk.session(t, b.fetch(t))
		b.mock.Inject(mockkms.Fault{Operation: "ImportKeyMaterial", Kind: mockkms.FaultDropAfter, Times: 7})
		if err := b.run(t, out); err != nil {
			t.Fatal(err)
		}
		wantEvents(t, b, 2, "open", "confirm", "submit", "submit", "note", "submit", "note", "submit", "import", "verify", "close")
	})
}

// TestAnotherInBetween: after a refusal somebody brings other material in, so that
// ours becomes one that waits; and then an answer is lost.
func TestAnotherInBetween(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := withKey(t)
		out := b.desk.session(t, b.fetch(t))
		b.mock.Inject(mockkms.Fault{Operation: "ImportKeyMaterial", Kind: mockkms.FaultDenied})
		wantRemedy(t, b.run(t, out), transcript.SendAgain)
		k, err := b.importer(t, region).Describe(t.Context(), b.plan.Targets[0].Key)
		if err != nil {
			t.Fatal(err)
		}
		b.holds(t, k, generate(t, k.Spec))
		b.mock.Inject(mockkms.Fault{Operation: "ImportKeyMaterial", Kind: mockkms.FaultDropBefore, Times: 3})
		if err := b.run(t); err != nil {
			t.Fatal(err)
		}
		wantEvents(t, b, 2, "open", "confirm", "submit", "refuse", "submit", "note", "submit", "import", "verify", "close")
		if got := b.state(t).Targets()[0].Method; got != online.MethodPending {
			t.Errorf("verified by %q", got)
		}
	})
}

// TestSubstitutionInTheDark: somebody has exchanged the wrapping key, and brings the
// material in themselves while our submission gets no answer. The key has it then,
// and passes every comparison; but KMS cannot open our bytes.
func TestSubstitutionInTheDark(t *testing.T) {
	t.Parallel()
	for _, spec := range []material.Spec{material.SymmetricDefault, material.HMAC256} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			k := b.create(t, importer.CreateRequest{Spec: spec})
			b.agree(t, spec, []string{k.ARN})
			b.desk.change = exchanged(t)
			out := b.desk.session(t, b.fetch(t))
			ctx, cancel := context.WithCancel(t.Context())
			b.people.falls, b.people.fall = "got no answer", cancel
			b.mock.Inject(mockkms.Fault{Operation: "ImportKeyMaterial", Kind: mockkms.FaultDropBefore})
			if err := b.runs(ctx, t, out); err == nil {
				t.Fatal("it was imported")
			}
			b.holds(t, k, b.material)
			wantRemedy(t, b.run(t), transcript.Incident)
			wantEvents(t, b, 2, "open", "confirm", "submit", "submit", "refuse")
		})
	}
}

// TestNoAnswer: KMS cannot be reached for a while, so that it may or may not have
// happened; a line tells so.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := withKey(t)
		out := b.desk.session(t, b.fetch(t))
		b.mock.Inject(mockkms.Fault{Operation: "DescribeKey", Kind: mockkms.FaultInternal, Times: 3})
		b.mock.Inject(mockkms.Fault{Operation: "ImportKeyMaterial", Kind: mockkms.FaultDropBefore, Times: 3})
		if err := b.run(t, out); err != nil {
			t.Fatal(err)
		}
		wantEvents(t, b, 2, "open", "confirm", "submit", "note", "submit", "import", "verify", "close")
	})
}

// blade ends a run at a call: the call still happens, but nobody learns of its
// answer, nor makes another.
type blade struct {
	next http.RoundTripper
	left int
	fall context.CancelFunc
}

func (g *blade) RoundTrip(r *http.Request) (*http.Response, error) {
	if g.left--; g.left > 0 {
		return g.next.RoundTrip(r)
	}
	if answer, err := g.next.RoundTrip(r.Clone(context.WithoutCancel(r.Context()))); err == nil {
		answer.Body.Close()
	}
	g.fall()
	return nil, context.Canceled
}

// TestPowerCuts ends the import at each of its calls. Running it again always
// brings the material in, once, and never takes what KMS has for an incident. The
// mock refuses tokens that were used.
func TestPowerCuts(t *testing.T) {
	t.Parallel()
	for spec, calls := range map[material.Spec]int{material.SymmetricDefault: 7, material.HMAC256: 6} {
		for cut := 1; cut <= calls+1; cut++ {
			t.Run(fmt.Sprint(spec, cut), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					b := newBench(t, mockkms.WithSingleUseTokens())
					k := b.create(t, importer.CreateRequest{Spec: spec})
					b.agree(t, spec, []string{k.ARN})
					out := b.desk.session(t, b.fetch(t))
					in := b.service.In
					ctx, cancel := context.WithCancel(t.Context())
					guillotine := &blade{next: mockkms.Transport(b.mock), left: cut, fall: cancel}
					b.service.In = func(context.Context, string) (online.KMS, error) { return clientOf(guillotine, region), nil }
					if err := b.runs(ctx, t, out); (err == nil) != (cut > calls) {
						t.Errorf("an import makes more or fewer than %d calls: %v", calls, err)
					}
					b.service.In = in
					if err := b.run(t, out); err != nil {
						t.Fatal(err)
					}
					if s := b.state(t); s.Progress() != "VERIFIED 1 of 1" {
						t.Error(s.Progress())
					}
				})
			})
		}
	}
}
