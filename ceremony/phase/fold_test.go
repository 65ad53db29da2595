// SPDX-License-Identifier: Apache-2.0

package phase_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/transcript"
)

// TestPhases follows a ceremony through all phases, in their order.
func TestPhases(t *testing.T) {
	p := agreed(t)
	s := phase.Start(p)
	got := []string{s.Progress()}
	for _, m := range sameDay(p) {
		if err := s.Apply(m.event, m.actors); err != nil {
			t.Fatalf("%s: %v", transcript.Name(m.event), err)
		}
		if now := s.Progress(); now != got[len(got)-1] {
			got = append(got, now)
		}
	}
	want := []string{"PLANNED", "OPEN", "GENERATED", "ESCROWED", "SHARES_ISSUED", "SHARES_CONFIRMED", "SEALED", "WRAPPED 2 of 2",
		"CLOSED", "IMPORTED 1 of 2", "VERIFIED 1 of 2", "VERIFIED 2 of 2"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// TestFold reads the state back from what was written at each line.
func TestFold(t *testing.T) {
	p := agreed(t)
	moves := sameDay(p)
	for n := range moves {
		live := after(t, p, moves[:n+1])
		s, err := phase.Fold(p, written(t, moves[:n+1])...)
		if err != nil {
			t.Fatalf("%d lines: %v", n+1, err)
		}
		if got, want := s.Progress(), live.Progress(); got != want || s.InMemory() != live.InMemory() || s.Fingerprint() != live.Fingerprint() {
			t.Errorf("%d lines: got %s, want %s", n+1, got, want)
		}
	}
}

func TestFoldRefuses(t *testing.T) {
	p := agreed(t)
	records := written(t, sameDay(p))
	t.Run("a record that does not follow", func(t *testing.T) {
		_, err := phase.Fold(p, records[0], records[0])
		line, ok := errors.AsType[*phase.LineError](err)
		if !ok || line.Record != 2 || line.Line != 1 {
			t.Errorf("got %v", err)
		}
	})
	t.Run("the end of another record", func(t *testing.T) {
		moves := sameDay(p)
		i := len(upTo(t, moves, "bundle")) - 1
		moves[i].actors = []string{"operator-2", "witness"}
		_, err := phase.Fold(p, written(t, moves)[0], records[1])
		if e, ok := errors.AsType[*phase.PlanError](err); !ok || e.Field != "part.after" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("another plan", func(t *testing.T) {
		_, err := phase.Fold(agreed(t, "max_session: 10h", "max_session: 11h"), records...)
		if e, ok := errors.AsType[*phase.PlanError](err); !ok || e.Field != "plan_sha256" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a damaged record", func(t *testing.T) {
		damaged := *records[0]
		damaged.Faults = []transcript.Fault{{Line: 3, What: "changed"}}
		if _, err := phase.Fold(p, &damaged); !isFault(err) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("the state before the line", func(t *testing.T) {
		moves := upTo(t, sameDay(p), "escrow")
		moves = append(moves, move{transcript.Destroyed{}, room})
		s, err := phase.Fold(p, written(t, moves)...)
		if line, ok := errors.AsType[*phase.LineError](err); !ok || line.Line != len(moves) || s.Phase() != phase.Escrowed {
			t.Errorf("got %v at %s", err, s.Phase())
		}
	})
}

func isFault(err error) bool {
	_, ok := errors.AsType[*transcript.FaultError](err)
	return ok
}
