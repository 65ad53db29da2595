// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/fleet"
	"github.com/keymat/keymat/fleet/journal"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/mockkms"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

// TestApplyEveryAction takes keys of all kinds of changes through them, and
// finds all done when it runs again.
func TestApplyEveryAction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newEstate(t)
		h.reimport(accountA, east, "back", material.SymmetricDefault)
		h.reimport(accountB, west, "back-b", material.ECCNISTP256)
		h.create(accountA, east, "new", material.HMAC256)
		expires := importer.At(time.Now().Add(90 * 24 * time.Hour))

		k, e := h.key(accountA, west, "renewed", importer.CreateRequest{Spec: material.HMAC512}, false)
		h.change(fleet.Change{Name: "renewed", Place: h.place(accountA, west), Action: fleet.Renew, Seen: []fleet.Seen{seen(k)}, Steps: []fleet.Step{
			{Do: fleet.DoImport, Region: west, KeyARN: k.ARN, Spec: k.Spec, Escrow: e, Wrapping: light, Expiry: expires},
		}})
		rotated, _ := h.key(accountA, west, "rotated-1", importer.CreateRequest{Spec: material.SymmetricDefault}, false)
		h.change(fleet.Change{Name: "rotated", Place: h.place(accountA, west), Action: fleet.Rotate, Seen: []fleet.Seen{seen(rotated)}, Steps: []fleet.Step{
			{Do: fleet.DoRotate, Region: west, KeyARN: rotated.ARN, Spec: rotated.Spec, Escrow: h.escrow("rotated-2", rotated.Spec), Wrapping: light, Expiry: importer.Never()},
		}})
		deleted, _ := h.key(accountB, east, "deleted", importer.CreateRequest{Spec: material.SymmetricDefault}, false)
		h.change(fleet.Change{Name: "deleted", Place: h.place(accountB, east), Action: fleet.Delete, Seen: []fleet.Seen{seen(deleted)}, Steps: []fleet.Step{
			{Do: fleet.DoDelete, Region: east, KeyARN: deleted.ARN},
		}})
		m := h.escrow("many", material.SymmetricDefault)
		brought := fleet.Step{Do: fleet.DoImport, Region: east, Spec: material.SymmetricDefault, Escrow: m, Wrapping: light, Expiry: importer.Never()}
		there := brought
		there.Region = west
		h.change(fleet.Change{Name: "many", Place: h.place(accountA, east), Action: fleet.Create, Steps: []fleet.Step{
			{Do: fleet.DoCreate, Region: east, Create: importer.CreateRequest{Spec: material.SymmetricDefault, MultiRegion: true, Alias: "alias/many"}},
			brought, {Do: fleet.DoReplicate, Region: west}, there,
		}})
		h.change(fleet.Change{Name: "fine", Place: h.place(accountA, east), Action: fleet.Nothing})
		h.change(fleet.Change{Name: "hopeless", Place: h.place(accountA, east), Action: fleet.Cannot, Why: "it is managed by AWS"})

		summary, err := h.apply(t.Context(), h.options())
		h.wants(summary, err, map[fleet.Status]int{fleet.StatusDone: 7, fleet.StatusUnchanged: 1, fleet.StatusCannot: 1})
		if summary.Left() != 1 || summary.Sent == 0 || summary.Throttled != 0 {
			t.Errorf("summary %+v", summary)
		}
		h.holds(accountA, east, h.ended["back"].KeyARN, "back", material.SymmetricDefault)
		h.holds(accountB, west, h.ended["back-b"].KeyARN, "back-b", material.ECCNISTP256)
		h.holds(accountA, east, "alias/new", "new", material.HMAC256)
		h.holds(accountA, west, k.ARN, "renewed", material.HMAC512)
		h.holds(accountA, west, rotated.ARN, "rotated-2", material.SymmetricDefault)
		h.holds(accountA, east, "alias/many", "many", material.SymmetricDefault)
		h.holds(accountA, west, h.describe(accountA, east, "alias/many").ID, "many", material.SymmetricDefault)
		if got := h.describe(accountA, west, k.ARN).Expiry; !got.Equal(expires) {
			t.Errorf("renewed until %s", got)
		}
		if got := h.describe(accountB, east, deleted.ARN).State; got != types.KeyStatePendingImport {
			t.Errorf("the deleted one is %s", got)
		}
		if r := h.ended["many"]; r.Taken != 4 || r.Steps != 4 || r.KeyARN == "" || r.MaterialID == "" {
			t.Errorf("result %+v", r)
		}

		calls := len(h.mock.Calls())
		summary, err = h.apply(t.Context(), h.options())
		h.wants(summary, err, map[fleet.Status]int{fleet.StatusDone: 7, fleet.StatusUnchanged: 1, fleet.StatusCannot: 1})
		if again := h.mock.Calls()[calls:]; len(again) != 0 {
			t.Errorf("what is done is done again: %v", again)
		}
	})
}

// TestApplyIsFrugal: a re-import costs these calls and no others; one more where
// the look of the beginning is no longer fresh.
func TestApplyIsFrugal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newEstate(t)
		h.reimport(accountA, east, "back", material.SymmetricDefault)
		calls := len(h.mock.Calls())
		summary, err := h.apply(t.Context(), h.options())
		h.wants(summary, err, map[fleet.Status]int{fleet.StatusDone: 1})
		want := "DescribeKey GetParametersForImport ImportKeyMaterial DescribeKey"
		if got := strings.Join(h.mock.Calls()[calls:], " "); got != want {
			t.Errorf("calls %s, want %s", got, want)
		}

		const later = 40
		for n := range later {
			h.reimport(accountA, east, fmt.Sprintf("later%d", n), material.SymmetricDefault)
		}
		before := h.count("DescribeKey")
		o := h.options()
		o.Quotas = nil
		summary, err = h.apply(t.Context(), o)
		h.wants(summary, err, map[fleet.Status]int{fleet.StatusDone: later + 1})
		if n := h.count("DescribeKey") - before; n <= 2*later || n >= 3*later {
			t.Errorf("%d keys are looked at %d times, of which some a third time", later, n)
		}
	})
}

// TestMovedWorld: when one key is not as the plan found it, none is touched.
func TestMovedWorld(t *testing.T) {
	for _, test := range []struct {
		name string
		move func(*testing.T, *estate, importer.Key)
		want string
	}{
		{"state", func(t *testing.T, h *estate, k importer.Key) {
			m, err := material.New(k.Spec, append([]byte(nil), h.bytes["b"]...))
			if err == nil {
				_, _, err = h.importer(accountA, east).Bring(t.Context(), k, m, light, importer.ImportRequest{Expiry: importer.Never()})
			}
			if err != nil {
				t.Fatal(err)
			}
		}, "is Enabled, and was PendingImport"},
		{"alias", func(t *testing.T, h *estate, k importer.Key) {
			if err := h.importer(accountA, east).NameKey(t.Context(), k, "alias/c"); err != nil {
				t.Fatal(err)
			}
		}, "c: alias/c already names "},
		{"deletion", func(t *testing.T, h *estate, k importer.Key) {
			if _, err := h.client(accountA, east).ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: aws.String(k.ARN)}); err != nil {
				t.Fatal(err)
			}
		}, "is PendingDeletion, and was PendingImport"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newEstate(t)
				h.reimport(accountA, east, "a", material.SymmetricDefault)
				k := h.reimport(accountA, east, "b", material.SymmetricDefault)
				h.create(accountA, east, "c", material.HMAC256)
				test.move(t, h, k)
				imports := h.count("ImportKeyMaterial")
				_, err := h.apply(t.Context(), h.options())
				moved, ok := errors.AsType[*fleet.MovedError](err)
				if checked := fleet.Check(t.Context(), h.plan, h.options()); fmt.Sprint(checked) != fmt.Sprint(err) {
					t.Errorf("checked: %v", checked)
				}
				if !ok || len(moved.Moved) != 1 || !strings.Contains(err.Error(), test.want) {
					t.Fatalf("error %v, want %q", err, test.want)
				}
				if h.count("ImportKeyMaterial") != imports || h.keys(accountA, east) != 2 {
					t.Error("something was done nevertheless")
				}
			})
		})
	}
}

// TestKeysAreIndependent: one that fails does not keep the others from theirs,
// and running again does only what is left.
func TestKeysAreIndependent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newEstate(t)
		for n := range 10 {
			h.reimport(accountA, east, fmt.Sprintf("k%d", n), material.SymmetricDefault)
		}
		kept := h.bytes["k3"]
		delete(h.bytes, "k3")
		summary, err := h.apply(t.Context(), h.options())
		h.wants(summary, err, map[fleet.Status]int{fleet.StatusDone: 9, fleet.StatusFailed: 1})
		if r := h.ended["k3"]; r.Err == nil || !strings.Contains(r.Err.Error(), "opening the escrow k3: there is no such escrow") {
			t.Errorf("result %+v", r)
		}
		h.bytes["k3"] = kept
		imports := h.count("ImportKeyMaterial")
		summary, err = h.apply(t.Context(), h.options())
		h.wants(summary, err, map[fleet.Status]int{fleet.StatusDone: 10})
		if n := h.count("ImportKeyMaterial") - imports; n != 1 {
			t.Errorf("%d imports the second time", n)
		}
	})
}

// TestExpiredCredentials stop their place, and no other.
func TestExpiredCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newEstate(t)
		for n := range 20 {
			h.reimport(accountA, east, fmt.Sprintf("a%d", n), material.SymmetricDefault)
			h.reimport(accountB, east, fmt.Sprintf("b%d", n), material.SymmetricDefault)
		}
		expired := &expiring{ok: h.client(accountA, east).Options().Credentials}
		expired.calls.Store(60)
		good := h.client(accountB, east).Options().Credentials
		h.broken = func(p fleet.Place) aws.CredentialsProvider {
			if p.Account == accountA {
				return expired
			}
			return good
		}
		summary, err := h.apply(t.Context(), h.options())
		if err != nil || summary.Changes[fleet.StatusFailed] != 0 || summary.Changes[fleet.StatusDone] < 20 || summary.Changes[fleet.StatusLeft] == 0 {
			t.Fatalf("%+v, %v%s", summary, err, h.failures())
		}
		for name, r := range h.ended {
			if e, stopped := errors.AsType[*fleet.StoppedError](r.Err); r.Status == fleet.StatusLeft && (!stopped || e.Place != "1-us-east-1") || name[0] == 'b' && r.Status != fleet.StatusDone {
				t.Errorf("%+v", r)
			}
		}
		h.broken = nil
		summary, err = h.apply(t.Context(), h.options())
		h.wants(summary, err, map[fleet.Status]int{fleet.StatusDone: 40})
	})
}

// expiring are credentials that end after so many calls.
type expiring struct {
	ok    aws.CredentialsProvider
	calls atomic.Int64
}

func (e *expiring) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if e.calls.Add(-1) < 0 {
		return aws.Credentials{}, errors.New("the session has ended")
	}
	return e.ok.Retrieve(ctx)
}

// TestStopping: what is in flight is finished, what is not begun is left, and
// running again goes on.
func TestStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newEstate(t, mockkms.WithLatency(time.Second))
		for n := range 30 {
			h.reimport(accountA, east, fmt.Sprintf("k%d", n), material.SymmetricDefault)
		}
		ctx, cancel := context.WithCancel(t.Context())
		o := h.options()
		begun := 0
		o.Observe = func(e fleet.Event) {
			if _, ok := e.(fleet.Ended); ok {
				if begun++; begun == 8 {
					cancel()
				}
			}
		}
		summary, err := h.apply(ctx, o)
		if err != nil || summary.Changes[fleet.StatusFailed] != 0 || summary.Changes[fleet.StatusDone] < 8 || summary.Changes[fleet.StatusDone] > 8+o.AtOnce {
			t.Fatalf("%+v, %v%s", summary, err, h.failures())
		}
		enabled := 0
		for _, c := range h.plan.Changes {
			if h.describe(accountA, east, c.Seen[0].KeyARN).State == types.KeyStateEnabled {
				enabled++
			}
		}
		if enabled != summary.Changes[fleet.StatusDone] {
			t.Errorf("%d keys have their material, %d are said to", enabled, summary.Changes[fleet.StatusDone])
		}
		summary, err = h.apply(t.Context(), h.options())
		h.wants(summary, err, map[fleet.Status]int{fleet.StatusDone: 30})
	})
}

// TestPaceOfPlaces: all work at the same time, each at the pace of its quotas,
// and hardly a call is throttled.
func TestPaceOfPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newEstate(t)
		const each = 40
		for n := range each {
			h.reimport(accountA, east, fmt.Sprintf("ae%d", n), material.SymmetricDefault)
			h.reimport(accountA, west, fmt.Sprintf("aw%d", n), material.SymmetricDefault)
			h.reimport(accountB, east, fmt.Sprintf("be%d", n), material.SymmetricDefault)
		}
		h.mock.SetConditions(mockkms.Conditions{Quotas: true})
		o := h.options()
		o.Quotas = nil
		start := time.Now()
		summary, err := h.apply(t.Context(), o)
		h.wants(summary, err, map[fleet.Status]int{fleet.StatusDone: 3 * each})
		if took, allowed := time.Since(start), (each-1)*time.Second; took < allowed || took > allowed*105/100 {
			t.Errorf("took %s, the quotas allow %s", took, allowed)
		}
		if summary.Throttled*100 > summary.Sent {
			t.Errorf("%d of %d calls were throttled", summary.Throttled, summary.Sent)
		}
	})
}

// TestParametersAhead: a window in which only imports are made.
func TestParametersAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newEstate(t)
		const keys = 60
		for n := range keys {
			h.reimport(accountA, east, fmt.Sprintf("k%d", n), material.SymmetricDefault)
		}
		h.mock.SetConditions(mockkms.Conditions{Quotas: true})
		o := h.options()
		o.Quotas = nil
		var mu sync.Mutex
		ahead := make(map[string]*token.Parameters)
		keep := func(_ fleet.Change, p *token.Parameters) error {
			mu.Lock()
			defer mu.Unlock()
			ahead[p.KeyARN] = p
			return nil
		}
		have := func(arn string, _ wrap.Pair) bool { return ahead[arn] != nil }
		for run := range 2 {
			all, err := fleet.Prefetch(t.Context(), h.plan, o, have, keep)
			if err != nil || len(all) != keys || len(ahead) != keys {
				t.Fatalf("%d of %d fetched ahead: %v", len(ahead), len(all), err)
			}
			for n, p := range all {
				if p.Err != nil || p.Kept != (run == 1) || p.Change != h.plan.Changes[n].Name {
					t.Errorf("%+v", p)
				}
			}
		}
		o.Parameters = func(_ context.Context, k importer.Key, _ wrap.Pair) (*token.Parameters, error) {
			return ahead[k.ARN], nil
		}
		fetches, start := h.count("GetParametersForImport"), time.Now()
		summary, err := h.apply(t.Context(), o)
		h.wants(summary, err, map[fleet.Status]int{fleet.StatusDone: keys})
		if n := h.count("GetParametersForImport") - fetches; n != 0 {
			t.Errorf("%d fetches", n)
		}
		if took, allowed := time.Since(start), (keys-1)*time.Second/15; took > allowed*105/100 {
			t.Errorf("took %s, the quotas allow %s", took, allowed)
		}
	})
}

// TestWrongMaterial in an escrow is told, and is no reason to look again.
func TestWrongMaterial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newEstate(t)
		for _, spec := range []material.Spec{material.SymmetricDefault, material.HMAC256} {
			h.reimport(accountA, east, string(spec), spec)
			h.escrow(string(spec), spec)
		}
		for range 2 {
			summary, err := h.apply(t.Context(), h.options())
			h.wants(summary, err, map[fleet.Status]int{fleet.StatusFailed: 2})
			for _, r := range h.ended {
				if _, ok := errors.AsType[*types.IncorrectKeyMaterialException](r.Err); !ok {
					t.Errorf("%s: %v", r.Change, r.Err)
				}
			}
		}
	})
}

// TestJournalOfAnotherPlan is no plan of ours, and the same name is another's.
func TestJournalOfAnotherPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newEstate(t)
		h.reimport(accountA, east, "a", material.SymmetricDefault)
		summary, err := h.apply(t.Context(), h.options())
		h.wants(summary, err, map[fleet.Status]int{fleet.StatusDone: 1})
		h.plan.ID = "ff23456789abcdef0123456789abcdef"
		_, err = h.apply(t.Context(), h.options())
		if _, moved := errors.AsType[*fleet.MovedError](err); !moved {
			t.Errorf("another plan takes the first one's work for its own: %v", err)
		}
	})
}

// TestJournalClosed: without a journal nothing is begun.
func TestJournalClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newEstate(t)
		k := h.reimport(accountA, east, "a", material.SymmetricDefault)
		j, err := journal.Open(t.Context(), h.path, journal.Refuse)
		if err != nil {
			t.Fatal(err)
		}
		o := h.options()
		o.Journal = j
		o.Observe = func(e fleet.Event) {
			if _, ok := e.(fleet.Looked); ok {
				j.Close()
			}
		}
		if _, err := fleet.Apply(t.Context(), h.plan, o); err == nil || !strings.Contains(err.Error(), "writing the journal") {
			t.Errorf("error %v", err)
		}
		if got := h.describe(accountA, east, k.ARN).State; got != types.KeyStatePendingImport {
			t.Errorf("the key is %s", got)
		}
	})
}
