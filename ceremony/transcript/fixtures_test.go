// SPDX-License-Identifier: Apache-2.0

package transcript_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// A disk is a medium that may lose power: after so many bytes nothing is written
// any more.
type disk struct {
	bytes.Buffer
	left  int // bytes, negative for no end
	syncs int
}

var errPower = errors.New("no power")

func newDisk() *disk { return &disk{left: -1} }

func (d *disk) Write(p []byte) (int, error) {
	if d.left < 0 {
		return d.Buffer.Write(p)
	}
	n := min(d.left, len(p))
	d.Buffer.Write(p[:n])
	d.left -= n
	if n < len(p) {
		return n, errPower
	}
	return n, nil
}

func (d *disk) Sync() error {
	d.syncs++
	return nil
}

// clock moves on by a second each time.
func clock() func() time.Time {
	now := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	return func() time.Time {
		now = now.Add(time.Second)
		return now
	}
}

var opened = transcript.Opened{Ceremony: "test", PlanSHA256: transcript.Digest{1}, Tool: transcript.Tool{Version: "v1"}}

// events are those of a small ceremony, between open and close.
func events() []transcript.Event {
	return []transcript.Event{
		transcript.Confirmed{Gate: plan.GateOpen, Text: "everybody is there"},
		transcript.Noted{Text: "the escrow, as it was written", Files: []transcript.File{{Name: "a.escrow", Size: 12, SHA256: transcript.Digest{2}}}},
		transcript.Exception{Expected: "custodian 3", Happened: "is ill <&>\u2028", Decided: "postpone"},
		transcript.Confirmed{Gate: plan.GateSealed, Text: "all read back"},
	}
}

// record is a small ceremony on one medium.
func record(t *testing.T) []byte {
	t.Helper()
	d := newDisk()
	r, err := transcript.Begin([]transcript.Medium{d}, clock(), opened, transcript.Context{Actors: []string{"lead"}})
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range events() {
		if err := r.Append(e, transcript.Context{Step: fmt.Sprintf("P%d", i), Wall: "09:0" + fmt.Sprint(i), Actors: []string{"operator-1", "witness"}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.End(nil, transcript.Context{Actors: []string{"lead"}}); err != nil {
		t.Fatal(err)
	}
	return d.Bytes()
}

// resumedRecord is a ceremony whose power was cut when so many bytes of the
// third line were written.
func resumedRecord(t *testing.T, written int) []byte {
	t.Helper()
	lines := bytes.SplitAfter(record(t), []byte("\n"))
	torn := slices.Concat(lines[0], lines[1], lines[2][:written])
	d := newDisk()
	d.Buffer.Write(torn)
	r, err := transcript.Resume([]transcript.Medium{d}, [][]byte{torn}, clock())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.End([]string{"lead"}, transcript.Context{}); err != nil {
		t.Fatal(err)
	}
	return d.Bytes()
}
