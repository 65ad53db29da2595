// SPDX-License-Identifier: Apache-2.0

package rehearsal_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/rehearsal"
	"github.com/keymat/keymat/ceremony/transcript"
)

// TestGoesOn interrupts a rehearsal again and again, each time a little later, and
// begins it once more.
func TestGoesOn(t *testing.T) {
	t.Parallel()
	scenario, _ := rehearsal.Find(rehearsal.ByPlan)
	r := rehearsal.Rehearsal{Plan: read(t, draft(t, plan.Sketch{})), Dir: t.TempDir(), Tool: tool}
	for lines := 3; ; lines += 17 {
		ctx, cancel := context.WithCancel(t.Context())
		shown := 0
		r.Observe = func(e rehearsal.Event) {
			if _, ok := e.(rehearsal.Shown); ok {
				shown++
			}
			if shown == lines {
				cancel()
			}
		}
		o, err := r.Play(ctx, scenario)
		cancel()
		if errors.Is(err, context.Canceled) {
			continue
		}
		if err != nil || o.Progress != "VERIFIED 1 of 1" || !o.Good {
			t.Fatalf("%s after %d lines: %q, error %v", o.Progress, shown, o.Problems, err)
		}
		if lines < 30 {
			t.Errorf("it was interrupted up to the line %d only", lines)
		}
		break
	}
	if o, err := r.Play(t.Context(), scenario); err != nil || !o.Good || len(o.Steps) != 0 {
		t.Errorf("once more: %d steps, %q, error %v", len(o.Steps), o.Problems, err)
	}
	r.Plan = read(t, draft(t, plan.Sketch{}, "max_session: 10h", "max_session: 11h"))
	if _, err := r.Play(t.Context(), scenario); !taken(err, filepath.Join(r.Dir, rehearsal.ByPlan)) {
		t.Errorf("by another plan: error %v", err)
	}
}

// TestTakenOverOnly: a machine that took over what came to it, and could not begin a
// record of its own then, is brought the same medium again.
func TestTakenOverOnly(t *testing.T) {
	t.Parallel()
	scenario, _ := rehearsal.Find(rehearsal.ByPlan)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := rehearsal.Rehearsal{Plan: read(t, draft(t, plan.Sketch{})), Dir: t.TempDir(), Tool: tool, Observe: func(e rehearsal.Event) {
		if done, ok := e.(rehearsal.Played); ok && strings.HasPrefix(done.Task, "end: ") && done.Machine == transcript.OfflineMachine {
			cancel()
		}
	}}
	if _, err := r.Play(ctx, scenario); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	offline, office := evidence.Folder(filepath.Join(r.Dir, rehearsal.ByPlan, "offline")), evidence.Folder(filepath.Join(r.Dir, rehearsal.ByPlan, "import"))
	if office.Has(evidence.RecordFile(1)) {
		t.Fatal("it has been brought already")
	}
	if err := errors.Join(os.RemoveAll(string(office)), os.CopyFS(string(office), os.DirFS(string(offline)))); err != nil {
		t.Fatal(err)
	}
	if o, err := r.Play(t.Context(), scenario); err != nil || o.Progress != "VERIFIED 1 of 1" || !o.Good {
		t.Errorf("it ends at %s with %q, error %v", o.Progress, o.Problems, err)
	}
}

func taken(err error, folder string) bool {
	e, ok := errors.AsType[*rehearsal.TakenError](err)
	return ok && e.Folder == folder
}

func TestTaken(t *testing.T) {
	scenario, _ := rehearsal.Find(rehearsal.ByPlan)
	r := rehearsal.Rehearsal{Plan: read(t, draft(t, plan.Sketch{})), Dir: t.TempDir(), Tool: tool}
	mine := filepath.Join(r.Dir, rehearsal.ByPlan, "mine.txt")
	if err := errors.Join(os.Mkdir(filepath.Dir(mine), 0o700), os.WriteFile(mine, []byte("mine"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Play(t.Context(), scenario); !taken(err, filepath.Dir(mine)) {
		t.Errorf("error %v", err)
	}
	if content, err := os.ReadFile(mine); err != nil || string(content) != "mine" {
		t.Errorf("%q, error %v", content, err)
	}
}

// TestDoesNotStart: a machine that cannot take up what is in its folder says why.
func TestDoesNotStart(t *testing.T) {
	t.Parallel()
	scenario, _ := rehearsal.Find(rehearsal.ByPlan)
	ctx, cancel := context.WithCancel(t.Context())
	shown := 0
	r := rehearsal.Rehearsal{Plan: read(t, draft(t, plan.Sketch{})), Dir: t.TempDir(), Tool: tool, Observe: func(e rehearsal.Event) {
		if _, ok := e.(rehearsal.Shown); ok {
			if shown++; shown == 20 {
				cancel()
			}
		}
	}}
	if _, err := r.Play(ctx, scenario); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	record := filepath.Join(r.Dir, rehearsal.ByPlan, "offline", evidence.RecordFile(1))
	if err := os.WriteFile(record, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Play(t.Context(), scenario); err == nil || !strings.Contains(err.Error(), "starting the offline machine: the record is damaged") {
		t.Errorf("error %v", err)
	}
}
