// SPDX-License-Identifier: Apache-2.0

package wrap

import (
	"fmt"
	"slices"
	"strings"

	"github.com/keymat/keymat/material"
)

// A Pair is what GetParametersForImport is asked for: a wrapping algorithm and the kind of key it works under.
type Pair struct {
	Algorithm Algorithm
	KeySpec   KeySpec
}

// String is such as "RSAES_OAEP_SHA_256 under RSA_4096". A half that is left open is left out.
func (p Pair) String() string {
	switch {
	case p.Algorithm == "":
		return string(p.KeySpec)
	case p.KeySpec == "":
		return string(p.Algorithm)
	}
	return fmt.Sprintf("%s under %s", p.Algorithm, p.KeySpec)
}

// known reports an [*UnsupportedError] for a half this package does not know, and for one left open.
func (p Pair) known() error {
	if err := p.Algorithm.known(); err != nil {
		return err
	}
	return p.KeySpec.known()
}

// Allowed returns every pair KMS accepts for material of spec, strongest first: SHA-256 before SHA-1, then the longer
// wrapping key, then direct encryption before hybrid, which adds a primitive and no strength. It is empty for a spec
// that KMS does not import.
func Allowed(spec material.Spec) []Pair {
	r, ok := find(spec)
	if !ok {
		return nil
	}
	var pairs []Pair
	for _, hash := range [][]Algorithm{{OAEPSHA256, RSAAESSHA256}, {OAEPSHA1, RSAAESSHA1}} {
		for _, key := range KeySpecs() {
			for _, algorithm := range hash {
				if p := (Pair{algorithm, key}); r.accepts(p) {
					pairs = append(pairs, p)
				}
			}
		}
	}
	return pairs
}

// Strongest returns the first of Allowed(spec), the pair to use when the user asked for none. It is the zero Pair for a
// spec that KMS does not import.
func Strongest(spec material.Spec) Pair {
	if pairs := Allowed(spec); len(pairs) > 0 {
		return pairs[0]
	}
	return Pair{}
}

// Check reports whether KMS accepts material of spec wrapped this way. If not the error is a [*RefusedError]; a name KMS
// does not know is an [*UnsupportedError] or, for spec, material's error.
func Check(spec material.Spec, p Pair) error {
	if err := p.known(); err != nil {
		return err
	}
	_, err := Choose(spec, p.Algorithm, p.KeySpec)
	return err
}

// Choose returns the strongest pair that KMS accepts for spec among those with the given algorithm and key, either of
// which may be "" for left open. Errors are those of Check.
func Choose(spec material.Spec, algorithm Algorithm, key KeySpec) (Pair, error) {
	if _, err := spec.MarshalText(); err != nil { // material's word on a spec that is none
		return Pair{}, err
	}
	if algorithm != "" {
		if err := algorithm.known(); err != nil {
			return Pair{}, err
		}
	}
	if key != "" {
		if err := key.known(); err != nil {
			return Pair{}, err
		}
	}
	allowed := Allowed(spec)
	i := slices.IndexFunc(allowed, func(p Pair) bool {
		return (algorithm == "" || p.Algorithm == algorithm) && (key == "" || p.KeySpec == key)
	})
	if i < 0 {
		r, _ := find(spec)
		return Pair{}, &RefusedError{Spec: spec, Pair: Pair{algorithm, key}, Allowed: allowed, Why: r.why}
	}
	return allowed[i], nil
}

// A RefusedError is a pair that KMS would refuse for material of this spec.
type RefusedError struct {
	Spec    material.Spec
	Pair    Pair   // a half the caller left open is ""
	Allowed []Pair // what KMS would take, strongest first
	Why     string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("KMS does not take %s material wrapped with %s: %s; allowed: %s",
		e.Spec, e.Pair, e.Why, describe(e.Allowed))
}

// describe names pairs briefly: algorithms that work under the same keys share one list of them.
func describe(pairs []Pair) string {
	var algorithms []Algorithm
	keys := map[Algorithm][]string{}
	for _, p := range pairs {
		if keys[p.Algorithm] == nil {
			algorithms = append(algorithms, p.Algorithm)
		}
		keys[p.Algorithm] = append(keys[p.Algorithm], string(p.KeySpec))
	}
	var groups, lists []string
	for _, a := range algorithms {
		list := alternatives(keys[a])
		if i := slices.Index(lists, list); i >= 0 {
			groups[i] += ", " + string(a)
			continue
		}
		groups, lists = append(groups, string(a)), append(lists, list)
	}
	for i := range groups {
		groups[i] += " under " + lists[i]
	}
	return strings.Join(groups, "; ")
}

// alternatives is such as "a, b or c".
func alternatives(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
