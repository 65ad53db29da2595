// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"slices"
	"strings"
	"testing"
)

// shrink finds a shorter and simpler list of steps that fails still: none of
// those left can go alone, and no choice of theirs can be a simpler one. (Delta
// debugging; A. Zeller and R. Hildebrandt, 2002.)
func shrink(steps []step, fails func([]step) bool) []step {
	for before := -1; before != len(steps); {
		before = len(steps)
		steps = shorten(steps, fails)
		steps = simplify(steps, fails)
	}
	return steps
}

// shorten leaves out what it can: halves first, then quarters, at last single
// steps, from the end on, where what is done can rarely be needed.
func shorten(steps []step, fails func([]step) bool) []step {
	for size := (len(steps) + 1) / 2; size > 0; {
		shorter := false
		for end := len(steps); end > 0; end -= size {
			if rest := slices.Delete(slices.Clone(steps), max(0, end-size), end); fails(rest) {
				steps, shorter = rest, true
			}
		}
		if !shorter || size > 1 {
			size /= 2
		}
	}
	return steps
}

// simplify makes each byte as small as it can be: a choice has few values, and
// its first is the simplest.
func simplify(steps []step, fails func([]step) bool) []step {
	steps = slices.Clone(steps)
	for i := range steps {
		for j := 1; j < len(step{}); j++ {
			was := steps[i][j]
			for b := range min(was, 16) {
				if steps[i][j] = b; fails(steps) {
					break
				}
				steps[i][j] = was
			}
		}
	}
	return steps
}

// A model with a wrong belief is found out, and told by the fewest steps that
// refute it (the last look at everything is not counted).
func TestShrinking(t *testing.T) {
	for _, tt := range []struct {
		belief  string
		mistake func(*model)
		most    int // steps
	}{
		{"deleted material can be used", func(m *model) {
			m.eachMaterial(func(k *modelKey, mat *modelMaterial) { mat.here, mat.deleted = mat.here || mat.deleted, false })
		}, 4},
		{"tokens last for ever", func(m *model) {
			for i := range m.tokens {
				m.tokens[i].validTo = m.now.Add(day)
			}
		}, 4},
		{"rotation takes no time", func(m *model) {
			for _, k := range m.keys {
				k.pass(k.rotation)
			}
		}, 5},
		{"new material opens old ciphertext", func(m *model) {
			for i, b := range m.blobs {
				m.blobs[i].material = b.key.current()
			}
		}, 8},
	} {
		p := &player{TB: t, operations: stepOperations(), home: inMemory, mistake: tt.mistake}
		fails := func(steps []step) bool { return p.play(steps) != "" }
		seed := uint64(0)
		for !fails(randomLife(seed, 40)) {
			if seed++; seed == 300 {
				t.Fatalf("%s: not found out by %d lives", tt.belief, seed)
			}
		}
		steps := shrink(randomLife(seed, 40), fails)
		t.Logf("%s: found out by life %d, in %d steps", tt.belief, seed, len(steps))
		if n := len(steps); !fails(steps) || n > tt.most {
			t.Errorf("got %d steps, want at most %d:\n%s", n, tt.most, strings.Join(p.lines, "\n"))
		}
	}
}

// eachMaterial visits all materials of all keys.
func (m *model) eachMaterial(visit func(*modelKey, *modelMaterial)) {
	for _, k := range m.keys {
		for _, mat := range k.all() {
			visit(k, mat)
		}
	}
}
