// SPDX-License-Identifier: Apache-2.0

package transcript_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/keymat/keymat/ceremony/transcript"
)

// faults are those of a record and of what was signed of it.
func faults(record []byte, head transcript.Head) []transcript.Fault {
	v := transcript.Verify(record)
	return append(v.Faults, v.CheckHead(head)...)
}

// TestEveryByteCounts flips two bits of each byte of a record, of which one is
// that of letter case.
func TestEveryByteCounts(t *testing.T) {
	for name, whole := range map[string][]byte{"whole": record(t), "resumed": resumedRecord(t, 1), "resumed, prev cut": resumedRecord(t, 20)} {
		t.Run(name, func(t *testing.T) { everyByteCounts(t, whole) })
	}
}

func everyByteCounts(t *testing.T, whole []byte) {
	head := transcript.Verify(whole).Head()
	if got := faults(whole, head); len(got) > 0 {
		t.Fatal(got)
	}
	for i := range whole {
		for _, bit := range []int{i % 5, 5} {
			changed := bytes.Clone(whole)
			changed[i] ^= 1 << bit
			got := faults(changed, head)
			if len(got) == 0 {
				t.Fatalf("bit %d of byte %d does not count", bit, i)
			}
			at := bytes.Count(whole[:i], []byte("\n")) + 1
			if !bytes.Contains(whole, []byte("torn_lines")) && got[0].Line != 0 && (got[0].Line < at || got[0].Line > at+1) {
				t.Fatalf("bit %d of byte %d is in line %d, found: %v", bit, i, at, got)
			}
		}
	}
}

func TestVerifyTellsWhere(t *testing.T) {
	whole := record(t)
	lines := bytes.SplitAfter(whole, []byte("\n"))
	lines = lines[:len(lines)-1]
	head := transcript.Verify(whole).Head()
	other := head
	other.Ceremony = "other"
	join := func(lines ...[]byte) []byte { return slices.Concat(lines...) }
	for name, test := range map[string]struct {
		record []byte
		head   transcript.Head
		want   string // the first fault
	}{
		"a line dropped":        {join(append(slices.Clone(lines[:2]), lines[3:]...)...), head, "line 3: it says that 3 lines come before it, but there are 2: 1 is missing or moved"},
		"two lines dropped":     {join(append(slices.Clone(lines[:1]), lines[3:]...)...), head, "line 2: it says that 3 lines come before it, but there are 1: 2 are missing or moved"},
		"the first dropped":     {join(lines[1:]...), head, "line 1: it says that 1 lines come before it"},
		"a line twice":          {join(append(slices.Clone(lines[:3]), lines[2:]...)...), head, "line 4: it says that 2 lines come before it, but there are 3: 1 is added or moved"},
		"a foreign line":        {join(lines[0], []byte("hello\n"), lines[1]), head, "line 2: not the JSON of a line"},
		"two exchanged":         {join(lines[0], lines[2], lines[1], lines[3], lines[4], lines[5]), head, "line 2: it says that 2 lines come before it, but there are 1: 1 is missing or moved"},
		"a word changed":        {bytes.Replace(whole, []byte("postpone"), []byte("go on!!!"), 1), head, "line 5: its prev is not the digest of line 4"},
		"the last line changed": {bytes.Replace(whole, []byte("09:00:06Z"), []byte("09:00:07Z"), 1), head, "line 6: it is not the last line that was signed"},
		"the end cut off":       {join(lines[:5]...), head, "the record is not closed: lines may be missing at its end"},
		"half a line cut off":   {whole[:len(whole)-9], head, "line 6: cut off: it does not end in a newline"},
		"nothing":               {nil, head, "the record is empty"},
		"a line more":           {join(append(slices.Clone(lines), lines[4])...), head, "line 7: it says that 4 lines come before it"},
		"another's head":        {whole, other, `what was signed is of the ceremony "other", this record is of "test"`},
		"a space":               {bytes.Replace(whole, []byte(`"seq":3,`), []byte(`"seq": 3,`), 1), head, "line 4: not written as a line of a record is"},
		"a member more":         {bytes.Replace(whole, []byte(`"seq":3,`), []byte(`"seq":3,"x":1,`), 1), head, "line 4: not written as a line of a record is"},
		"an unknown event":      {bytes.Replace(whole, []byte(`"exception"`), []byte(`"disaster"`), 1), head, "line 4: an unknown event"},
		"too large":             {bytes.Repeat([]byte{'x'}, transcript.MaxFile+1), head, "the record is empty"},
	} {
		got := faults(test.record, test.head)
		if len(got) == 0 || !strings.HasPrefix(got[0].String(), test.want) {
			t.Errorf("%s: got %v, want %s", name, got, test.want)
		}
	}
}

// TestRewritten: who writes the chain anew is found out by the head alone.
func TestRewritten(t *testing.T) {
	head := transcript.Verify(record(t)).Head()
	d := newDisk()
	r, err := transcript.Begin([]transcript.Medium{d}, clock(), opened, transcript.Context{Actors: []string{"lead"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.End(nil, transcript.Context{}); err != nil {
		t.Fatal(err)
	}
	v := transcript.Verify(d.Bytes())
	if len(v.Faults) > 0 {
		t.Fatal(v.Faults)
	}
	if got := v.CheckHead(head); len(got) != 1 || got[0].String() != "what was signed has 6 lines, this record has 2" {
		t.Errorf("got %v", got)
	}
}

func TestHead(t *testing.T) {
	head := transcript.Verify(record(t)).Head()
	statement, err := head.Statement()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := transcript.ReadHead(statement); err != nil || got != head {
		t.Errorf("got %+v, %v", got, err)
	}
	for i := range statement {
		changed := bytes.Clone(statement)
		changed[i] ^= 1
		if got, err := transcript.ReadHead(changed); err == nil && got == head {
			t.Errorf("byte %d does not count", i)
		}
	}
	for _, text := range []string{"", "{}", " " + string(statement), string(statement) + "\n", strings.Repeat(" ", transcript.MaxHead+1)} {
		if _, err := transcript.ReadHead([]byte(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte(`{"seq":0,"prev":"0000000000000000000000000000000000000000000000000000000000000000","time":"2026-12-01T09:00:01Z","actors":[],"event":"close","data":{"lines":1,"signers":null}}` + "\n"))
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		v := transcript.Verify(data)
		if len(v.Faults) == 0 && (v.Opened.Ceremony == "" && len(v.Entries) < 2 || !v.Closed) {
			t.Errorf("a record without end or beginning: %q", data)
		}
	})
}
