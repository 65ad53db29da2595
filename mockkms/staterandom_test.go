// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"unicode"
)

// randomLife makes up a life: a key, mostly with material, and then anything,
// or in every other life a few of all operations over and over, for what is rare
// takes several of the same few in a row. Half of all choices are the simplest,
// or little would succeed.
func randomLife(seed uint64, length int) []step {
	r := rand.New(rand.NewPCG(seed, 0))
	steps := []step{{stepNamed("CreateKey"), 3: byte(r.Uint32())}, {stepNamed("GetParametersForImport")}, {stepNamed("ImportKeyMaterial")}}
	some := make([]byte, 3+r.IntN(12))
	for i := range some {
		some[i] = byte(r.Uint32())
	}
	for range length {
		s := step{byte(r.Uint32())}
		if seed%2 == 1 {
			s[0] = some[r.IntN(len(some))]
		}
		for i := 1; i < len(s); i++ {
			if r.IntN(2) == 0 {
				s[i] = byte(r.Uint32())
			}
		}
		steps = append(steps, s)
	}
	return steps
}

// TestRandomSequences leads many accounts through random lives, each of which
// must answer as the model foretells; of one that does not, the test tells the
// shortest life that goes wrong.
func TestRandomSequences(t *testing.T) {
	const lives, atOnce = 600, 150
	var (
		mu   sync.Mutex
		seen = make(map[string]int)
	)
	t.Run("lives", func(t *testing.T) {
		for from := 0; from < lives; from += atOnce {
			t.Run(fmt.Sprint("from ", from), func(t *testing.T) {
				t.Parallel()
				p := &player{TB: t, operations: stepOperations(), home: inMemory, seen: make(map[string]int)}
				for seed := range atOnce {
					p.demand(randomLife(uint64(from+seed), 20))
				}
				mu.Lock()
				defer mu.Unlock()
				for answer, n := range p.seen {
					seen[answer] += n
				}
			})
		}
	})
	t.Logf("%d kinds of answers: %v", len(seen), seen)
	sum := 0
	for _, o := range stepOperations() {
		sum += o.weight
		if unicode.IsUpper(rune(o.name[0])) && seen[o.name] == 0 {
			t.Errorf("%s never succeeded", o.name)
		}
	}
	if sum != 256 {
		t.Errorf("the weights of the operations add up to %d, want 256", sum)
	}
}

// A file must not forget or change anything when it is closed and opened again.
func TestRandomSequencesInFiles(t *testing.T) {
	p := &player{TB: t, operations: stepOperations(), home: func() opener { return inFile(t) }}
	for seed := range uint64(30) {
		p.demand(slices.Insert(randomLife(seed, 20), 13, step{stepNamed("restart")}))
	}
}

// FuzzStates reads a life from any bytes.
func FuzzStates(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(encode(randomLife(seed, 20)))
	}
	f.Fuzz(func(t *testing.T, life []byte) {
		p := &player{TB: t, operations: stepOperations(), home: inMemory}
		p.demand(decode(life))
	})
}
