// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material/entropy"
	"github.com/keymat/keymat/token"
)

// describers tell of our own JSON files, by their "kind".
var describers = map[string]func(data []byte) (inspection, error){
	token.KindParameters: describing(token.ReadParameters, describeParameters),
	token.KindWrapped:    describing(token.ReadWrapped, describeWrapped),
	escrow.Kind:          describing(escrow.Read, describeEscrow),
	escrow.DrillKind:     describing(escrow.ReadDrill, describeDrill),
	entropy.RecordKind:   describing(entropy.ReadRecord, describeRandomness),
}

func describing[T any](read func(io.Reader) (T, error), describe func(T) inspection) func([]byte) (inspection, error) {
	return func(data []byte) (inspection, error) {
		content, err := read(bytes.NewReader(data))
		if err != nil {
			return inspection{}, err
		}
		return describe(content), nil
	}
}

// carried are files of a ceremony that go from one of its machines to another, by their "kind". Their readers know those of
// a rehearsal.
var carried = map[string]func(data []byte) (inspection, error){
	gap.KindBundle: func(data []byte) (inspection, error) {
		b, err := gap.ReadBundle(data)
		if err != nil {
			return inspection{}, err
		}
		i := inspection{What: "bundle: what was fetched for a ceremony"}
		i.add("ceremony", b.Ceremony)
		for _, f := range b.Fetched {
			i.add("for", f.Target+", "+f.File.Name)
		}
		return i, nil
	},
	gap.KindPackage: func(data []byte) (inspection, error) {
		p, err := gap.ReadPackage(data)
		if err != nil {
			return inspection{}, err
		}
		i := inspection{What: "package: what was wrapped in a ceremony"}
		i.add("ceremony", p.Ceremony)
		i.add("fingerprint", p.Fingerprint)
		i.add("escrow", p.Escrow.String())
		for _, w := range p.Wrapped {
			i.add("for", w.Target+", "+w.File.Name)
		}
		return i, nil
	},
	gap.KindSeal: func(data []byte) (inspection, error) {
		s, err := gap.ReadSeal(data)
		if err != nil {
			return inspection{}, err
		}
		i := inspection{What: "seal record: the escrow of a ceremony was read back"}
		i.add("ceremony", s.Ceremony)
		i.add("key spec", string(s.KeySpec))
		i.add("fingerprint", s.Fingerprint)
		i.add("escrow", s.Escrow.String())
		i.add("read back", fmt.Sprintf("%d copies, %d shares", len(s.Copies), len(s.Shares)))
		return i, nil
	},
}

// inspectOurs recognises our own JSON files, and those of rehearsals.
func inspectOurs(data []byte) (inspection, error) {
	var head struct {
		Kind string `json:"kind"`
	}
	if json.Unmarshal(data, &head) != nil {
		return inspection{}, nil
	}
	kind := strings.Replace(head.Kind, "/rehearsal-", "/", 1)
	rehearsed := kind != head.Kind
	describe, ok := carried[kind]
	if !ok {
		if describe, ok = describers[kind]; !ok {
			return inspection{}, nil
		}
		if rehearsed {
			plain, err := gap.Unstamp(kind, data, true)
			if err != nil {
				return inspection{}, err
			}
			data = plain
		}
	}
	i, err := describe(data)
	if rehearsed {
		i.add("rehearsal", "made to be thrown away; it can never be imported")
	}
	return i, err
}
