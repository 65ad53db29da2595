// SPDX-License-Identifier: Apache-2.0

package transcript_test

import (
	"bytes"
	"testing"

	"github.com/keymat/keymat/ceremony/transcript"
)

func TestPart(t *testing.T) {
	first := transcript.Verify(record(t))
	if bytes.Contains(record(t), []byte(`"part"`)) || first.Opened.Part.Writer() != transcript.OfflineMachine {
		t.Error("the first record says that it is a part")
	}
	after := opened
	after.Part = transcript.Part{Number: 1, Machine: transcript.ImportMachine, After: first.Head().SHA256}
	d := newDisk()
	r, err := transcript.Begin([]transcript.Medium{d}, clock(), after, transcript.Context{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.End(nil, transcript.Context{}); err != nil {
		t.Fatal(err)
	}
	got := transcript.Verify(d.Bytes())
	if len(got.Faults) > 0 || got.Opened.Part != after.Part || got.Opened.Part.Writer() != transcript.ImportMachine {
		t.Errorf("got %+v, faults %v; want %+v", got.Opened.Part, got.Faults, after.Part)
	}
}
