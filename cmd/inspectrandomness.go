// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"fmt"
	"time"

	"github.com/keymat/keymat/material/entropy"
)

func describeRandomness(r entropy.Record) inspection {
	i := inspection{What: "record of where the randomness of key material came from"}
	i.add("at", r.At.Format(time.RFC3339))
	i.add("tool", r.Tool)
	i.add("key spec", string(r.Spec))
	i.add("fingerprint", r.Fingerprint)
	i.add("method", string(r.Method))
	if g := r.RNG; g != nil {
		i.add("generator", fmt.Sprintf("%s, module %s, FIPS 140 mode %s, %s, %s", g.Source, g.Module, g.FIPS, g.Go, g.Platform))
	}
	for _, in := range r.Inputs {
		i.add("mixed in", mixedIn(in))
		for _, hint := range in.Hints {
			i.add("hint", string(hint))
		}
	}
	if r.Commitment != "" {
		i.add("commitment", "sha256:"+r.Commitment)
	}
	for _, c := range r.Components {
		i.add("component", fmt.Sprintf("%s, %s", c.Check, c.Entered))
	}
	for _, claim := range r.Claims() {
		i.add("may be claimed", claim)
	}
	return i
}

func mixedIn(in entropy.InputRecord) string {
	if in.Kind == entropy.File {
		return fmt.Sprintf("%d bytes of a file", in.Count)
	}
	return fmt.Sprintf("%d throws of %s, %d bits if fair", in.Count, in.Kind, in.BitsIfFair)
}
