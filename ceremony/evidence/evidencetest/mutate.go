// SPDX-License-Identifier: Apache-2.0

package evidencetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Mutate changes one thing in the folder of a ceremony whose records are closed,
// and says what. other is the folder of another ceremony of the same people. The
// same r gives the same change.
func Mutate(t testing.TB, r *rand.Rand, folder, other string) string {
	t.Helper()
	m := mutation{t, r, folder, other, names(t, folder)}
	kinds := []func() string{m.flip, m.flip, m.flip, m.flip, m.insert, m.truncate, m.remove, m.exchange, m.foreign, m.lines, m.lines, m.lines, m.signatures}
	return kinds[r.IntN(len(kinds))]()
}

type mutation struct {
	t             testing.TB
	r             *rand.Rand
	folder, other string
	files         []string // names
}

func names(t testing.TB, folder string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func pick[T any](r *rand.Rand, all []T) T { return all[r.IntN(len(all))] }

func (m mutation) read(folder, name string) []byte {
	m.t.Helper()
	content, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		m.t.Fatal(err)
	}
	return content
}

func (m mutation) write(name string, content []byte) {
	m.t.Helper()
	if err := os.WriteFile(filepath.Join(m.folder, name), content, 0o644); err != nil {
		m.t.Fatal(err)
	}
}

func (m mutation) flip() string {
	name := pick(m.r, m.files)
	content := m.read(m.folder, name)
	i, bit := m.r.IntN(len(content)), m.r.IntN(8)
	content[i] ^= 1 << bit
	m.write(name, content)
	return fmt.Sprintf("%s: bit %d of byte %d flipped", name, bit, i)
}

func (m mutation) insert() string {
	name := pick(m.r, m.files)
	if strings.HasSuffix(name, ".sig") { // lines of a signature may be of any length
		name = "plan.yaml"
	}
	content := m.read(m.folder, name)
	i, b := m.r.IntN(len(content)+1), byte(m.r.IntN(256))
	m.write(name, slices.Insert(content, i, b))
	return fmt.Sprintf("%s: %q inserted at byte %d", name, b, i)
}

func (m mutation) truncate() string {
	name := pick(m.r, m.files)
	content := m.read(m.folder, name)
	i := m.r.IntN(len(content))
	m.write(name, content[:i])
	return fmt.Sprintf("%s: cut off at byte %d", name, i)
}

// remove takes a file away, but for one that people noted, which may be on another
// medium, and for escrows, of which one may be void.
func (m mutation) remove() string {
	name := pick(m.r, slices.DeleteFunc(slices.Clone(m.files), func(name string) bool { return name == minutes || strings.HasSuffix(name, ".escrow") }))
	if err := os.Remove(filepath.Join(m.folder, name)); err != nil {
		m.t.Fatal(err)
	}
	return name + ": removed"
}

func (m mutation) exchange() string {
	one := pick(m.r, m.files)
	two := pick(m.r, slices.DeleteFunc(slices.Clone(m.files), func(name string) bool {
		return bytes.Equal(m.read(m.folder, name), m.read(m.folder, one))
	}))
	a, b := m.read(m.folder, one), m.read(m.folder, two)
	m.write(one, b)
	m.write(two, a)
	return fmt.Sprintf("%s and %s exchanged", one, two)
}

// foreign takes a file of the other ceremony, where there is one of the name that
// is not the same.
func (m mutation) foreign() string {
	shared := slices.DeleteFunc(slices.Clone(m.files), func(name string) bool {
		content, err := os.ReadFile(filepath.Join(m.other, name))
		return err != nil || bytes.Equal(content, m.read(m.folder, name))
	})
	name := pick(m.r, shared)
	m.write(name, m.read(m.other, name))
	return name + ": that of another ceremony"
}

func (m mutation) signatures() string {
	signed := slices.DeleteFunc(slices.Clone(m.files), func(name string) bool { return !strings.HasSuffix(name, ".sig") })
	name, from := pick(m.r, signed), pick(m.r, signed)
	content := m.read(m.other, "plan.yaml.lead.sig")
	if from != name {
		content = m.read(m.folder, from)
	}
	m.write(name, content)
	return fmt.Sprintf("%s: the signature %s", name, from)
}

// lines changes which lines a record has.
func (m mutation) lines() string {
	name := pick(m.r, slices.DeleteFunc(slices.Clone(m.files), func(name string) bool { return !strings.HasSuffix(name, ".jsonl") }))
	lines := bytes.SplitAfter(m.read(m.folder, name), []byte("\n"))
	lines = lines[:len(lines)-1]
	at := m.r.IntN(len(lines))
	other := (at + 1 + m.r.IntN(len(lines)-1)) % len(lines)
	what := ""
	switch m.r.IntN(4) {
	case 0:
		lines, what = slices.Delete(lines, at, at+1), fmt.Sprintf("line %d dropped", at+1)
	case 1:
		lines, what = slices.Insert(lines, at, lines[other]), fmt.Sprintf("line %d inserted at %d", other+1, at+1)
	case 2:
		lines[at], lines[other] = lines[other], lines[at]
		what = fmt.Sprintf("lines %d and %d exchanged", at+1, other+1)
	case 3:
		lines, what = lines[:at], fmt.Sprintf("%d lines left", at)
	}
	m.write(name, slices.Concat(lines...))
	return name + ": " + what
}
