// SPDX-License-Identifier: Apache-2.0

package online_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/online"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/transcript"
)

// open opens the machine that imports; the digests are read out right.
func (b *bench) open(t *testing.T) *online.Machine {
	t.Helper()
	if b.people.heard == nil {
		b.people.heard = func(what string) string { return b.readOut(t, what) }
	}
	m, err := online.Open(b.importing, nil, time.Now, transcript.Tool{Version: "test"}, b.service)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// readOut gives the words of the offline machine's file that is asked for.
func (b *bench) readOut(t *testing.T, what string) string {
	_, name, _ := strings.Cut(what, "the SHA-256 of ")
	name, _, _ = strings.Cut(name, ",")
	return strings.Join(gap.Words(readFile(t, b.desk.folder, name)), " ")
}

// run does what is on the agenda until nothing is, and opens the machine anew
// before each task, as after a power cut.
func (b *bench) run(t *testing.T, media ...string) error {
	t.Helper()
	return b.runs(t.Context(), t, media...)
}

func (b *bench) runs(ctx context.Context, t *testing.T, media ...string) error {
	t.Helper()
	b.people.media = media
	for n := 0; ; n++ {
		m := b.open(t)
		tasks := m.Agenda().Here
		if len(tasks) == 0 || n > 0 && tasks[0].Step == phase.Begin {
			return m.Close()
		}
		err := m.Perform(ctx, b.people, tasks[0])
		if closed := m.Close(); closed != nil {
			t.Fatal(closed)
		}
		if err != nil {
			return err
		}
	}
}

// events are the names of what the machine that imports has recorded, in record n.
func (b *bench) events(t *testing.T, n int) (names []string) {
	t.Helper()
	record := transcript.Verify(readFile(t, b.importing, evidence.RecordFile(n)))
	for _, e := range record.Entries {
		names = append(names, transcript.Name(e.Event))
	}
	return names
}

// state is what all records add up to.
func (b *bench) state(t *testing.T) *phase.State {
	t.Helper()
	records, err := evidence.Folder(b.importing).Records()
	if err != nil {
		t.Fatal(err)
	}
	s, err := phase.Fold(b.plan, records...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
