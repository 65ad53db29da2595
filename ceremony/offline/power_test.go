// SPDX-License-Identifier: Apache-2.0

package offline_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/material"
)

// A moment is all that is on media when the power fails, and what people have on
// paper.
type moment struct {
	when  string
	files map[string][]byte // by their paths
	cards map[int]string
	clock time.Time
	in    string
	heard map[string][]byte // bundles that the fetchers have
	keys  int
}

// capture keeps the moment, unless nothing was written since the last.
func (c *ceremony) capture(p *people, when string, all []moment) []moment {
	now := moment{when: when, files: contents(c.t, c.base), cards: maps.Clone(p.cards), clock: c.clock, in: c.in, heard: maps.Clone(c.fetched), keys: len(c.keys)}
	if n := len(all); n > 0 {
		if maps.EqualFunc(all[n-1].files, now.files, bytes.Equal) {
			return all
		}
		all = append(all, all[n-1].until(now)...)
	}
	return append(all, now)
}

func contents(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		all[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// until are moments between two: files came into being one after the other, each as
// a whole, and then a line was cut off.
func (m moment) until(next moment) (between []moment) {
	var added []string
	for path, content := range next.files {
		if _, ok := m.files[path]; !ok {
			added = append(added, path)
		} else if old := m.files[path]; !bytes.Equal(old, content) && bytes.HasPrefix(content, old) {
			torn := next
			torn.when = "half a line before " + next.when
			torn.files = maps.Clone(next.files)
			torn.files[path] = content[:len(old)+(len(content)-len(old))/2]
			between = append(between, torn)
		}
	}
	slices.Sort(added)
	for i := range added {
		if i > 0 && i < len(added)-1 {
			continue // the first and the last will do
		}
		part := m
		part.when = fmt.Sprintf("%d of %d files before %s", i+1, len(added), next.when)
		part.files = maps.Clone(m.files)
		for _, path := range added[:i+1] {
			part.files[path] = next.files[path]
		}
		between = append(between, part)
	}
	return between
}

// revive puts everything back as it was at a moment.
func (c *ceremony) revive(m moment) {
	c.t.Helper()
	entries, err := os.ReadDir(c.base)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(c.base, e.Name())); err != nil {
			c.t.Fatal(err)
		}
	}
	for path, content := range m.files {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			c.t.Fatal(err)
		}
		c.write("", path, content)
	}
	c.clock, c.in, c.fetched, c.keys = m.clock, m.in, maps.Clone(m.heard), c.keys[:m.keys]
}

// TestPowerCuts: whenever the power fails, between any two lines, files, or bytes of a
// line, the ceremony goes on with what is on the media, breaks no rule, and ends with
// material that KMS gets and the custodians can bring back.
func TestPowerCuts(t *testing.T) {
	c := newCeremony(t, sketch{spec: material.SymmetricDefault, threshold: 2, count: 2, changes: []string{"scheme: slip39", "scheme: shamir"}})
	p := c.room()
	var moments []moment
	p.before = func(method string) {
		moments = c.capture(p, fmt.Sprintf("%s after the line %v", method, last(c.lines())), moments)
	}
	c.mustHold(c.machine(), p, "")
	c.holds(p)
	if len(moments) < 40 {
		t.Fatalf("the power was cut %d times", len(moments))
	}
	for i, now := range moments {
		if !c.survives(now, i%4 == 0) {
			t.Fatalf("the power was cut at: %s", now.when)
		}
	}
}

func last(all []string) string {
	if len(all) == 0 {
		return "none"
	}
	return all[len(all)-1]
}

// survives holds the rest of the ceremony after a moment. Where nothing was sealed that
// is all of it again, and need not be gone through each time.
func (c *ceremony) survives(now moment, whole bool) bool {
	c.t.Helper()
	c.revive(now)
	p := c.room()
	p.cards = maps.Clone(now.cards)
	m := c.machine()
	defer m.Close()
	sealed := c.state().Phase() >= phase.Sealed && c.state().Phase() != phase.Void
	fingerprint := c.state().Fingerprint()
	if c.state().InMemory() {
		c.t.Error("the records say that the material is still in memory")
	}
	c.clock = c.clock.Add(time.Minute)
	if !sealed && !whole {
		c.upTo(m, p, phase.Generate)
		return !c.t.Failed()
	}
	c.mustHold(m, p, "")
	if sealed && c.state().Fingerprint() != fingerprint {
		c.t.Error("material that was sealed was replaced")
	}
	c.holds(p)
	return !c.t.Failed()
}
