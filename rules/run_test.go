// SPDX-License-Identifier: Apache-2.0

package rules_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/mockkms"
	"github.com/keymat/keymat/rules"
)

// movable is the clock of a mock.
type movable struct{ mock *mockkms.KMS }

func (c movable) Now(context.Context) (time.Time, error) {
	clock, err := c.mock.Clock()
	return clock.Time, err
}

func (c movable) Advance(_ context.Context, d time.Duration) error {
	_, err := c.mock.MoveClock(mockkms.ClockMove{Advance: d})
	return err
}

// runBench is one on the mock, where time cannot be moved.
func runBench(mock *mockkms.KMS) *experiment.Bench {
	return &experiment.Bench{
		KMS: func(region string) (*kms.Client, error) {
			return kms.New(kms.Options{
				Region:      region,
				Credentials: credentials.NewStaticCredentialsProvider("111122223333", "secret-enough", ""),
				HTTPClient:  &http.Client{Transport: mockkms.Transport(mock)},
				Retryer:     retry.NewStandard(),
			}), nil
		},
		Region: "eu-central-1", Second: "us-east-1", Run: "test",
	}
}

// newRunner makes one with a mock of its own, whose clock can be moved.
func newRunner(t *testing.T) (*rules.Runner, *mockkms.KMS) {
	t.Helper()
	mock := mockkms.New(mockkms.WithSharedWrappingKeys())
	t.Cleanup(func() { mock.Close() })
	b := runBench(mock)
	b.Clock = movable{mock}
	return &rules.Runner{Bench: b}, mock
}

// makesKey is a rule that holds wherever a key can be made.
func makesKey(id string) rules.Rule {
	return rules.Rule{ID: id, Promise: rules.Documented, Keys: 1, Experiment: func(t *experiment.Trial) { t.NewKey(material.SymmetricDefault, nil) }}
}

// wantsEnabled is a rule that is broken everywhere.
func wantsEnabled(promise rules.Promise) rules.Rule {
	return rules.Rule{ID: "test/broken", Promise: promise, Keys: 1, Experiment: func(t *experiment.Trial) {
		t.State(t.NewKey(material.SymmetricDefault, nil), types.KeyStateEnabled)
	}}
}

func TestVerdicts(t *testing.T) {
	surprise := "the state of key A: expected Enabled, observed PendingImport"
	for _, test := range []struct {
		name    string
		rule    rules.Rule
		change  func(*rules.Runner)
		verdict rules.Verdict
		reason  string
	}{
		{"holds", makesKey("test/holds"), nil, rules.Holds, ""},
		{"broken", wantsEnabled(rules.Documented), nil, rules.Broken, surprise},
		{"observed", wantsEnabled(rules.Observed), nil, rules.Broken, surprise + "; KMS was only seen to keep this rule, and never promised it"},
		{"clock", rules.Rule{ID: "test/clock", MovesClock: true}, func(r *rules.Runner) { r.Bench.Clock = nil },
			rules.Skipped, "the clock of this KMS cannot be moved, and nobody waits that long"},
		{"Region", rules.Rule{ID: "test/region", TwoRegions: true}, func(r *rules.Runner) { r.Bench.Second = "" },
			rules.Skipped, "it needs a second Region, and none is given"},
		{"impossible", rules.Rule{ID: "test/impossible", Experiment: func(t *experiment.Trial) { t.Impossible("it is Sunday") }}, nil,
			rules.Skipped, "it is Sunday"},
		{"panic", rules.Rule{ID: "test/panic", Experiment: func(t *experiment.Trial) {
			t.NewKey(material.SymmetricDefault, nil)
			panic("a mistake")
		}}, nil, rules.Failed, "the experiment panicked: a mistake"},
		{"panic after the end", rules.Rule{ID: "test/late", Experiment: func(t *experiment.Trial) {
			t.Check("this", "so", "otherwise")
			panic("an empty answer")
		}}, nil, rules.Broken, "this: expected so, observed otherwise"},
		{"clock without saying so", rules.Rule{ID: "test/liar", Experiment: func(t *experiment.Trial) { t.Advance(time.Hour) }}, nil,
			rules.Failed, "a rule that does not say so moves the clock, with which others are tested"},
	} {
		t.Run(test.name, func(t *testing.T) {
			runner, _ := newRunner(t)
			if test.change != nil {
				test.change(runner)
			}
			results, _ := runner.Run(t.Context(), []rules.Rule{test.rule})
			got := results[0]
			if got.Verdict != test.verdict || got.Reason != test.reason || got.Rule.ID != test.rule.ID {
				t.Errorf("%s %s: %q, want %s: %q", got.Rule.ID, got.Verdict, got.Reason, test.verdict, test.reason)
			}
			if len(got.Leaving) != len(got.Keys) || got.Left != nil {
				t.Errorf("of %d keys %d go: %v", len(got.Keys), len(got.Leaving), got.Left)
			}
		})
	}
}

// TestClockGoesBack however an experiment that moved it ended.
func TestClockGoesBack(t *testing.T) {
	for name, end := range map[string]func(*experiment.Trial){
		"well":   func(*experiment.Trial) {},
		"broken": func(t *experiment.Trial) { t.Check("this", "so", "otherwise") },
		"panic":  func(*experiment.Trial) { panic("a mistake") },
	} {
		synctest.Test(t, func(t *testing.T) {
			mock := mockkms.New()
			runner := &rules.Runner{Bench: runBench(mock)}
			runner.Bench.Clock = movable{mock}
			before, err := mock.MoveClock(mockkms.ClockMove{Advance: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			results, err := runner.Run(t.Context(), []rules.Rule{{ID: "test/clock", MovesClock: true, Experiment: func(t *experiment.Trial) {
				t.NewKey(material.SymmetricDefault, nil)
				t.Advance(48 * time.Hour)
				t.Advance(-time.Hour)
				end(t)
			}}})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			after, err := mock.Clock()
			if err != nil {
				t.Fatal(err)
			}
			if after.Offset != before.Offset {
				t.Errorf("%s: the clock is %s ahead, and was %s", name, after.Offset, before.Offset)
			}
			if got, want := results[0].Leaving[0].Deletion, after.Time.AddDate(0, 0, 7); got.Sub(want).Abs() > time.Hour {
				t.Errorf("%s: the key goes on %s, want 7 days from the time the clock was set back to, %s", name, got, want)
			}
		})
	}
}

// TestOrder: rules that leave the clock alone are tested together, the others
// after them, one by one; results keep the order of the rules.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := mockkms.New()
		var under, most atomic.Int32
		var ended []string
		rule := func(id string, moves bool) rules.Rule {
			return rules.Rule{ID: id, MovesClock: moves, Experiment: func(*experiment.Trial) {
				for n := under.Add(1); n > most.Load(); {
					most.Store(n)
				}
				if moves && under.Load() != 1 {
					t.Errorf("%s is not tested alone", id)
				}
				time.Sleep(time.Second)
				under.Add(-1)
			}}
		}
		runner := &rules.Runner{Bench: runBench(mock), Parallel: 3, Observe: func(e rules.Event) {
			if e, ok := e.(rules.Ended); ok {
				ended = append(ended, e.Result.Rule.ID)
			}
		}}
		runner.Bench.Clock = movable{mock}
		selection := []rules.Rule{rule("moves/1", true), rule("a/1", false), rule("a/2", false), rule("moves/2", true), rule("a/3", false), rule("a/4", false)}
		start := time.Now()
		results, err := runner.Run(t.Context(), selection)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range results {
			if r.Rule.ID != selection[i].ID || r.Verdict != rules.Holds {
				t.Errorf("result %d is %s of %s", i, r.Verdict, r.Rule.ID)
			}
		}
		if most.Load() != 3 || time.Since(start) != 4*time.Second {
			t.Errorf("%d at a time, in %s; want 3, in 4s", most.Load(), time.Since(start))
		}
		if !slices.Equal(ended[4:], []string{"moves/1", "moves/2"}) {
			t.Errorf("they ended in the order %q", ended)
		}
	})
}

// TestPrivate: where every rule can have a KMS of its own none waits for another.
func TestPrivate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := mockkms.New()
		runner := &rules.Runner{Bench: runBench(shared), Parallel: 3, Private: func() *experiment.Bench {
			mock := mockkms.New()
			b := runBench(mock)
			b.Clock = movable{mock}
			return b
		}}
		runner.Bench.Clock = movable{shared}
		moves := rules.Rule{ID: "test/moves", MovesClock: true, Experiment: func(t *experiment.Trial) {
			before := t.Now()
			t.Advance(24 * time.Hour)
			time.Sleep(time.Second)
			t.Check("the time since", "24h0m1s", t.Now().Sub(before).String())
		}}
		start := time.Now()
		results, err := runner.Run(t.Context(), []rules.Rule{moves, makesKey("test/a"), moves})
		if err != nil || time.Since(start) != time.Second {
			t.Errorf("it took %s, %v", time.Since(start), err)
		}
		for _, r := range results {
			if r.Verdict != rules.Holds {
				t.Errorf("%s %s: %s", r.Rule.ID, r.Verdict, r.Reason)
			}
		}
		if clock, err := shared.Clock(); err != nil || clock.Offset != 0 {
			t.Errorf("the shared clock is %s ahead, %v", clock.Offset, err)
		}
	})
}

func TestEvents(t *testing.T) {
	runner, _ := newRunner(t)
	var told []string
	runner.Observe = func(e rules.Event) {
		switch e := e.(type) {
		case rules.Began:
			told = append(told, "began "+e.Rule.ID)
		case rules.Stepped:
			told = append(told, e.RuleID+": "+e.Step.What)
		case rules.Ended:
			told = append(told, fmt.Sprint("ended ", e.Result.Rule.ID, " ", e.Result.Verdict, " ", len(e.Result.Leaving)))
		}
	}
	if _, err := runner.Run(t.Context(), []rules.Rule{makesKey("test/a")}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"began test/a", "test/a: create key A", "ended test/a holds 1"}; !reflect.DeepEqual(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

// TestStop: what would meet every rule is met once.
func TestStop(t *testing.T) {
	for _, kind := range []mockkms.FaultKind{mockkms.FaultDenied, mockkms.FaultThrottle} {
		runner, mock := newRunner(t)
		runner.Parallel = 1
		direct := runner.Bench.KMS
		runner.Bench.KMS = func(region string) (*kms.Client, error) {
			client, err := direct(region)
			return kms.New(client.Options(), func(o *kms.Options) { o.Retryer = aws.NopRetryer{} }), err
		}
		mock.Inject(mockkms.Fault{Operation: "CreateKey", Kind: kind, Skip: 1, Times: -1})
		results, err := runner.Run(t.Context(), []rules.Rule{makesKey("test/a"), makesKey("test/b"), makesKey("test/c")})
		stopped, ok := errors.AsType[*rules.StoppedError](err)
		if !ok || stopped.Rule != "test/b" {
			t.Errorf("%v: the run ended in %v", kind, err)
		}
		for i, want := range []rules.Verdict{rules.Holds, rules.Failed, rules.Failed} {
			if results[i].Verdict != want {
				t.Errorf("%v: rule %d %s, want %s", kind, i, results[i].Verdict, want)
			}
		}
		if n := timesCalled(mock, "CreateKey"); n != 2 {
			t.Errorf("%v: %d keys were asked for, want 2", kind, n)
		}
	}
}

// TestPassingError: an error inside KMS ends one experiment, not all.
func TestPassingError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the SDK pauses between attempts
		runner, mock := newRunner(t)
		runner.Parallel = 1
		mock.Inject(mockkms.Fault{Operation: "DescribeKey", Kind: mockkms.FaultInternal, Times: 3}) // all attempts of one call
		results, err := runner.Run(t.Context(), []rules.Rule{wantsEnabled(rules.Documented), makesKey("test/b")})
		if err != nil || results[0].Verdict != rules.Failed || results[1].Verdict != rules.Holds {
			t.Errorf("%s, %s, %v", results[0].Verdict, results[1].Verdict, err)
		}
	})
}

// TestInterrupt in the middle of experiments: their keys go all the same.
func TestInterrupt(t *testing.T) {
	runner, mock := newRunner(t)
	ctx, interrupt := context.WithCancel(t.Context())
	cut := rules.Rule{ID: "test/cut", Experiment: func(t *experiment.Trial) {
		t.NewKey(material.SymmetricDefault, nil)
		interrupt()
		t.NewKey(material.SymmetricDefault, nil)
	}}
	results, err := runner.Run(ctx, []rules.Rule{cut, {ID: "test/never", MovesClock: true}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the run ended in %v", err)
	}
	if got := results[0]; got.Verdict != rules.Failed || len(got.Keys) != 1 || len(got.Leaving) != 1 {
		t.Errorf("%s: %d keys, of which %d go", got.Verdict, len(got.Keys), len(got.Leaving))
	}
	if got := results[1]; got.Verdict != rules.Failed || !got.Started.IsZero() {
		t.Errorf("what follows %s, begun %s", got.Verdict, got.Started)
	}
	if calls := strings.Join(mock.Calls(), " "); calls != "CreateKey ScheduleKeyDeletion" {
		t.Errorf("calls: %s", calls)
	}
}

// TestKeysThatStay are told, and end the run: the next ones would stay, too.
func TestKeysThatStay(t *testing.T) {
	runner, mock := newRunner(t)
	runner.Parallel = 1
	mock.Inject(mockkms.Fault{Operation: "ScheduleKeyDeletion", Kind: mockkms.FaultDenied})
	results, err := runner.Run(t.Context(), []rules.Rule{makesKey("test/a"), makesKey("test/b")})
	left, ok := errors.AsType[*experiment.LeftError](results[0].Left)
	if !ok || left.ARN != results[0].Keys[0].ARN || results[0].Verdict != rules.Holds {
		t.Errorf("%s, left %v", results[0].Verdict, results[0].Left)
	}
	if stopped, ok := errors.AsType[*rules.StoppedError](err); !ok || stopped.Rule != "test/a" || timesCalled(mock, "CreateKey") != 1 {
		t.Errorf("the run ended in %v, after %d keys", err, timesCalled(mock, "CreateKey"))
	}
}

func timesCalled(mock *mockkms.KMS, operation string) (n int) {
	for _, c := range mock.Calls() {
		if c == operation {
			n++
		}
	}
	return n
}

func TestSelect(t *testing.T) {
	all := []rules.Rule{{ID: "a/one"}, {ID: "a/two"}, {ID: "b/one"}, {ID: "ab/three"}}
	for _, test := range []struct{ names, want string }{
		{"", "a/one a/two b/one ab/three"},
		{"a", "a/one a/two"},
		{"b/one a/two", "a/two b/one"},
		{"*/one", "a/one b/one"},
		{"a*/t*", "a/two ab/three"},
		{"a a/one", "a/one a/two"},
	} {
		selection, err := rules.Select(all, strings.Fields(test.names)...)
		var got []string
		for _, r := range selection {
			got = append(got, r.ID)
		}
		if err != nil || strings.Join(got, " ") != test.want {
			t.Errorf("%q picks %q, %v; want %s", test.names, got, err, test.want)
		}
	}
	for _, name := range []string{"c", "a/three", "one", "", "a/"} {
		_, err := rules.Select(all, name)
		if unknown, ok := errors.AsType[*rules.UnknownError](err); !ok || unknown.Name != name {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := rules.Select(all, "[a"); err == nil {
		t.Error("a broken pattern was taken")
	}
	if got := rules.Groups(all); !slices.Equal(got, []string{"a", "b", "ab"}) {
		t.Errorf("groups %q", got)
	}
}
