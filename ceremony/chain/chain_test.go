// SPDX-License-Identifier: Apache-2.0

package chain_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/chain"
)

// A word is the event of the chains in these tests, and lost the one that tells of
// lines that were cut off.
type (
	word struct {
		Text string `json:"text"`
	}
	lost chain.Resumed
)

func form() chain.Form[any] {
	return chain.Form[any]{
		Events: func() []any { return []any{&word{}, &lost{}} },
		Name: func(e any) string {
			switch e.(type) {
			case word, *word:
				return "word"
			}
			return "lost"
		},
		Resumed: func(r chain.Resumed) any { return lost(r) },
		Torn: func(e any) (chain.Resumed, bool) {
			r, ok := e.(lost)
			return chain.Resumed(r), ok
		},
	}
}

// A medium is what a chain is written to.
type medium struct{ bytes.Buffer }

func (*medium) Sync() error { return nil }

func now() time.Time { return time.Date(2026, 12, 1, 9, 0, 0, 1234567, time.UTC) }

func anything(int, any) []string { return nil }

// said is a chain of some words.
func said(t *testing.T, words ...string) (*medium, *chain.Recorder[any]) {
	t.Helper()
	m := &medium{}
	r := form().Begin([]chain.Medium{m}, now)
	for _, w := range words {
		if _, err := r.Append(word{w}, chain.Context{Actors: []string{"a"}}); err != nil {
			t.Fatal(err)
		}
	}
	return m, r
}

func TestChain(t *testing.T) {
	m, r := said(t, "one", "two <&>", "three")
	c := form().Read(m.Bytes(), anything)
	if len(c.Faults) > 0 || c.Lines != 3 || c.Last != r.Last() || r.Lines() != 3 || r.Resumed() {
		t.Fatalf("got %+v", c)
	}
	for i, want := range []string{"one", "two <&>", "three"} {
		if e := c.Entries[i]; e.Event != (word{want}) || e.Seq != i || !e.Time.Equal(now().Truncate(time.Millisecond)) || !slices.Equal(e.Actors, []string{"a"}) {
			t.Errorf("line %d is %+v", i+1, e)
		}
	}
	if !bytes.Contains(m.Bytes(), []byte("two <&>")) {
		t.Errorf("characters are not written as themselves: %s", m)
	}
}

func TestAppendGives(t *testing.T) {
	m, r := said(t, "one")
	before := r.Last()
	line, err := r.Append(word{"two"}, chain.Context{Wall: "09:04"})
	if err != nil || line.Seq != 1 || line.Prev != before || line.Wall != "09:04" || line.Event != (word{"two"}) {
		t.Errorf("got %+v, %v", line, err)
	}
	encoded, err := form().Encode(line)
	if err != nil || !bytes.HasSuffix(m.Bytes(), append(encoded, '\n')) {
		t.Errorf("got %s, %v", encoded, err)
	}
}

// TestLook: what the package that keeps a chain finds wrong has the line of the
// event, and stands among the other faults in their order.
func TestLook(t *testing.T) {
	m, _ := said(t, "one", "two", "three")
	changed := bytes.Replace(m.Bytes(), []byte(`"one"`), []byte(`"eno"`), 1)
	c := form().Read(append(changed, "rest"...), func(line int, e any) []string {
		if w := e.(word).Text; w != "two" {
			return []string{"not two", fmt.Sprint("but ", w)}
		}
		return nil
	})
	var got []string
	for _, f := range c.Faults {
		got = append(got, f.String())
	}
	want := []string{"line 1: not two", "line 1: but eno", "line 2: its prev is not the digest of line 1: that line was changed, or another stood before this one",
		"line 3: not two", "line 3: but three", "line 4: cut off: it does not end in a newline"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// TestResume goes on after a cut anywhere in the last line, on the medium that has
// less of it, too.
func TestResume(t *testing.T) {
	m, _ := said(t, "one", "two")
	whole := m.Bytes()
	first := bytes.IndexByte(whole, '\n') + 1
	for cut := first; cut < len(whole); cut += 7 {
		a, b := &medium{}, &medium{}
		a.Write(whole[:cut])
		b.Write(whole[:first])
		r, c, err := form().Resume([]chain.Medium{a, b}, [][]byte{bytes.Clone(a.Bytes()), bytes.Clone(b.Bytes())}, now, anything)
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if r.Resumed() != (cut > first) || len(c.Entries) == 2 != r.Resumed() {
			t.Errorf("cut at %d: %+v", cut, c.Entries)
		}
		if _, err := r.Append(word{"three"}, chain.Context{}); err != nil {
			t.Fatal(err)
		}
		if got := form().Read(a.Bytes(), anything); len(got.Faults) > 0 || !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("cut at %d: %v", cut, got.Faults)
		}
	}
}

// TestResumeRefuses writes nothing to a chain that takes no more.
func TestResumeRefuses(t *testing.T) {
	m, _ := said(t, "one")
	m.WriteString("torn")
	size := m.Len()
	_, _, err := form().Resume([]chain.Medium{m}, [][]byte{bytes.Clone(m.Bytes())}, now, func(line int, e any) []string {
		if _, ok := e.(lost); ok {
			return []string{"it is over"}
		}
		return nil
	})
	if e, ok := errors.AsType[*chain.FaultError](err); !ok || e.Faults[0] != (chain.Fault{Line: 3, What: "it is over"}) || m.Len() != size {
		t.Errorf("got %v, and %d bytes of %d", err, m.Len(), size)
	}
	if _, _, err := form().Resume([]chain.Medium{m}, [][]byte{[]byte("torn")}, now, anything); err == nil {
		t.Error("nothing was resumed")
	}
}

func TestAppendRefuses(t *testing.T) {
	m, r := said(t, "one")
	size := m.Len()
	if _, err := r.Append(word{"AGE-SECRET-KEY-1"}, chain.Context{}); !is[*chain.SecretError](err) {
		t.Errorf("a secret: %v", err)
	}
	if _, err := r.Append(word{"x"}, chain.Context{Step: "AGE-PLUGIN-X"}); !is[*chain.SecretError](err) {
		t.Errorf("a secret beside the event: %v", err)
	}
	if _, err := r.Append(word{strings.Repeat("x", chain.MaxLine)}, chain.Context{}); err == nil {
		t.Error("a line that is too long was added")
	}
	if m.Len() != size || r.Lines() != 1 {
		t.Errorf("%d lines, %d bytes of %d", r.Lines(), m.Len(), size)
	}
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
