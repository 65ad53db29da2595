// SPDX-License-Identifier: Apache-2.0

package transcript_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/keymat/keymat/ceremony/transcript"
)

func TestRecorder(t *testing.T) {
	one, two := newDisk(), newDisk()
	r, err := transcript.Begin([]transcript.Medium{one, two}, clock(), opened, transcript.Context{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Append(transcript.Noted{Text: "a"}, transcript.Context{}); err != nil {
		t.Fatal(err)
	}
	if err := r.End(nil, transcript.Context{}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) || one.syncs != 3 || two.syncs != 3 {
		t.Errorf("the media differ, or were synced %d and %d times, want 3", one.syncs, two.syncs)
	}
	if err := r.Append(transcript.Noted{Text: "b"}, transcript.Context{}); !errors.Is(err, transcript.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
	v := transcript.Verify(one.Bytes())
	if len(v.Faults) > 0 || !v.Closed || v.Lines != 3 || v.Opened.Ceremony != "test" || v.Head() != r.Head() {
		t.Errorf("it verifies as %+v, the head is %+v", v, r.Head())
	}
	const want = `{"seq":0,"prev":"0000000000000000000000000000000000000000000000000000000000000000","time":"2026-12-01T09:00:01Z","actors":[],"event":"open","data":{"kind":"keymat/transcript","version":1,"ceremony":"test",`
	if !strings.HasPrefix(one.String(), want) {
		t.Errorf("it begins with %s", one)
	}
}

func TestSecretsAreRefused(t *testing.T) {
	d := newDisk()
	r, err := transcript.Begin([]transcript.Medium{d}, clock(), opened, transcript.Context{})
	if err != nil {
		t.Fatal(err)
	}
	before := d.Len()
	for name, text := range map[string]string{
		"a key":      "-----BEGIN OPENSSH PRIVATE KEY-----",
		"an age key": "it was AGE-SECRET-KEY-1ABC",
		"a share":    "he read: Academic, acid acne acquire\nacrobat activity actress adapt and so on",
		"shamir":     "keymat1qqqq",
	} {
		for where, err := range map[string]error{
			"text": r.Append(transcript.Noted{Text: text}, transcript.Context{}),
			"wall": r.Append(transcript.Noted{}, transcript.Context{Wall: text}),
			"file": r.Append(transcript.Noted{Files: []transcript.File{{Name: text}}}, transcript.Context{}),
		} {
			if _, ok := errors.AsType[*transcript.SecretError](err); !ok {
				t.Errorf("%s in %s: %v", name, where, err)
			}
		}
	}
	if d.Len() != before {
		t.Error("something was written")
	}
	if err := r.Append(transcript.Noted{Text: "academic acid acne acquire acrobat activity actress"}, transcript.Context{}); err != nil {
		t.Errorf("seven words: %v", err)
	}
	if err := r.Append(transcript.Noted{Text: strings.Repeat("x", transcript.MaxLine)}, transcript.Context{}); err == nil {
		t.Error("a line that is too long was taken")
	}
	if err := r.Append(transcript.Noted{Text: "fine"}, transcript.Context{}); err != nil {
		t.Errorf("after refusals: %v", err)
	}
}

// TestPowerCut takes the power away in the middle and around the ends of the
// lines of a ceremony, on the first or on the second medium, and goes on with
// what is left.
func TestPowerCut(t *testing.T) {
	whole := record(t)
	first := bytes.IndexByte(whole, '\n') + 1
	for cut := first; cut <= len(whole); cut++ {
		if cut%7 > 0 && !bytes.Contains(whole[cut-2:min(cut+2, len(whole))], []byte("\n")) {
			continue // nothing new in the middle of a line
		}
		for which := range 2 {
			disks := []*disk{newDisk(), newDisk()}
			disks[which].left = cut
			last := write(t, disks)
			for _, d := range disks {
				d.left = -1
			}
			resume(t, disks, cut, which, last)
		}
	}
}

// write plays the ceremony until the power goes, and returns how many lines
// were reported as written.
func write(t *testing.T, disks []*disk) (written int) {
	t.Helper()
	r, err := transcript.Begin([]transcript.Medium{disks[0], disks[1]}, clock(), opened, transcript.Context{Actors: []string{"lead"}})
	if err != nil {
		t.Fatal(err)
	}
	written = 1
	for _, e := range events() {
		if err = r.Append(e, transcript.Context{}); err != nil {
			break
		}
		written++
	}
	if err != nil {
		if e, ok := errors.AsType[*transcript.MediumError](err); !ok || !errors.Is(e, errPower) {
			t.Fatal(err)
		}
		if err := r.Append(transcript.Noted{}, transcript.Context{}); !errors.Is(err, transcript.ErrBroken) {
			t.Fatalf("after a power cut: %v", err)
		}
	}
	return written
}

// resume goes on after a power cut, in which nothing that was written may be
// lost.
func resume(t *testing.T, disks []*disk, cut, which, written int) {
	t.Helper()
	contents := [][]byte{bytes.Clone(disks[0].Bytes()), bytes.Clone(disks[1].Bytes())}
	r, err := transcript.Resume([]transcript.Medium{disks[0], disks[1]}, contents, clock())
	if err != nil {
		t.Fatalf("cut at %d of %d: %v", cut, which, err)
	}
	if err := r.End(nil, transcript.Context{}); err != nil {
		t.Fatal(err)
	}
	for i, d := range disks {
		v := transcript.Verify(d.Bytes())
		if len(v.Faults) > 0 || len(v.Entries) < written+1 || !bytes.HasPrefix(d.Bytes(), contents[i]) || v.Head() != r.Head() {
			t.Fatalf("cut at %d of %d, disk %d: %d entries of at least %d, %v", cut, which, i, len(v.Entries), written+1, v.Faults)
		}
	}
}

// TestPowerCutTwice takes it away while the first cut is being recorded.
func TestPowerCutTwice(t *testing.T) {
	whole := record(t)
	lines := bytes.SplitAfter(whole, []byte("\n"))
	torn := slices.Concat(lines[0], lines[1], lines[2][:40])
	d := newDisk()
	d.Buffer.Write(torn)
	if _, err := transcript.Resume([]transcript.Medium{d}, [][]byte{torn}, clock()); err != nil {
		t.Fatal(err)
	}
	resumed := bytes.Clone(d.Bytes())
	for cut := len(torn); cut <= len(resumed); cut++ {
		d := newDisk()
		d.Buffer.Write(resumed[:cut])
		r, err := transcript.Resume([]transcript.Medium{d}, [][]byte{resumed[:cut:cut]}, clock())
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if err := r.End(nil, transcript.Context{}); err != nil {
			t.Fatal(err)
		}
		v := transcript.Verify(d.Bytes())
		last := v.Entries[len(v.Entries)-2].Event
		if _, ok := last.(transcript.Resumed); !ok || len(v.Faults) > 0 {
			t.Fatalf("cut at %d: %T, %v", cut, last, v.Faults)
		}
	}
}

func TestResumeRefuses(t *testing.T) {
	whole := record(t)
	lines := bytes.SplitAfter(whole, []byte("\n"))
	flipped := bytes.Clone(whole)
	flipped[len(lines[0])+len(lines[1])+30] ^= 1
	resume := func(contents ...[]byte) error {
		var media []transcript.Medium
		for range contents {
			media = append(media, newDisk())
		}
		_, err := transcript.Resume(media, contents, clock())
		return err
	}
	if e, ok := errors.AsType[*transcript.DivergedError](resume(whole, flipped[:len(whole)-20])); !ok || e.Medium != 1 || e.Line != 3 {
		t.Errorf("another record: %+v", e)
	}
	if e, ok := errors.AsType[*transcript.FaultError](resume(flipped)); !ok || e.Faults[0].Line != 3 {
		t.Errorf("a damaged record: %+v", e)
	}
	if err := resume(nil, nil); err == nil {
		t.Error("nothing was resumed")
	}
	if err := resume(bytes.Repeat([]byte("x\n"), 9)); err == nil {
		t.Error("something else was resumed")
	}
	if e, ok := errors.AsType[*transcript.FaultError](resume(append(bytes.Clone(whole), "more"...))); !ok || e.Faults[0].What != "it comes after the record was closed" {
		t.Errorf("after the end: %+v", e)
	}
}
