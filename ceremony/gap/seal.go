// SPDX-License-Identifier: Apache-2.0

package gap

import (
	"bytes"
	"fmt"
	"time"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
)

// A Seal says that material is recoverable from what people keep. It names
// nobody: who keeps which share stands in the plan.
type Seal struct {
	Origin
	At           time.Time // UTC
	Escrow       escrow.ID
	EscrowSHA256 token.Digest // of the file
	KeySpec      material.Spec
	Fingerprint  string       // of the material
	Transcript   token.Digest // of the last line of the record before it was sealed
	Copies       []string     // IDs of copies that were read back and opened
	Shares       []SealedShare
}

// A SealedShare is one that was read back.
type SealedShare struct {
	Share int    `json:"share"` // from 1
	Bag   string `json:"bag"`   // serial number, "" for no bag
}

type sealFile struct {
	head
	At           time.Time     `json:"sealed_at"`
	Escrow       escrow.ID     `json:"escrow"`
	EscrowSHA256 token.Digest  `json:"escrow_sha256"`
	KeySpec      material.Spec `json:"key_spec"`
	Fingerprint  string        `json:"fingerprint"`
	Transcript   token.Digest  `json:"transcript_sha256"`
	Copies       []string      `json:"copies"`
	Shares       []SealedShare `json:"shares"`
}

// Encode writes the seal record. An error is a [*FileError].
func (s *Seal) Encode() ([]byte, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	return encode(KindSeal, sealFile{newHead(KindSeal, s.Origin), s.At, s.Escrow, s.EscrowSHA256, s.KeySpec, s.Fingerprint, s.Transcript, s.Copies, s.Shares})
}

// ReadSeal reads what Encode wrote, and nothing else. An error is a [*FileError].
func ReadSeal(data []byte) (*Seal, error) {
	var f sealFile
	if err := decode(KindSeal, data, &f, &f.head); err != nil {
		return nil, err
	}
	s := &Seal{f.Origin, f.At, f.Escrow, f.EscrowSHA256, f.KeySpec, f.Fingerprint, f.Transcript, f.Copies, f.Shares}
	if err := s.validate(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Seal) validate() error {
	switch {
	case s.At.IsZero() || s.At.Location() != time.UTC:
		return &FileError{KindSeal, "sealed_at", "not a time in UTC"}
	case s.Escrow == escrow.ID{}:
		return &FileError{KindSeal, "escrow", "missing"}
	case s.EscrowSHA256 == token.Digest{}, s.Transcript == token.Digest{}:
		return &FileError{KindSeal, "", "a digest is missing"}
	case s.Fingerprint == "":
		return &FileError{KindSeal, "fingerprint", "missing"}
	case len(s.Copies) == 0:
		return &FileError{KindSeal, "copies", "missing"}
	case len(s.Shares) < escrow.MinThreshold:
		return &FileError{KindSeal, "shares", "missing"}
	}
	for i, share := range s.Shares {
		if share.Share != i+1 {
			return &FileError{KindSeal, "shares", "not all of them, in their order"}
		}
	}
	return names(KindSeal, "copies", s.Copies)
}

// CheckEscrow reads the escrow that the seal is on, and holds it against seal and
// plan. Errors: those of [Origin.CheckPlan], [*AlteredError], [*MismatchError], or
// those of [escrow.Read].
func (s *Seal) CheckEscrow(p *plan.Plan, name string, content []byte) (*escrow.File, error) {
	if err := s.CheckPlan(p); err != nil {
		return nil, err
	}
	if FileOf(name, content).SHA256 != s.EscrowSHA256 {
		return nil, &AlteredError{Name: name}
	}
	plain, err := Unstamp(escrow.Kind, content, s.Rehearsal)
	if err != nil {
		return nil, err
	}
	f, err := escrow.Read(bytes.NewReader(plain))
	if err != nil {
		return nil, err
	}
	scheme, threshold, count := escrow.Scheme(""), 0, 0
	if f.Shares != nil {
		scheme, threshold, count = f.Shares.Scheme, f.Shares.Threshold, f.Shares.Count
	}
	for _, v := range []struct {
		field     string
		got, want any
	}{
		{"id", f.ID, s.Escrow}, {"fingerprint", f.Fingerprint, s.Fingerprint}, {"key_spec", f.KeySpec, s.KeySpec}, {"key_spec", s.KeySpec, p.Material.Spec},
		{"profile", f.Profile, p.Escrow.Profile}, {"scheme", scheme, p.Escrow.Scheme},
		{"threshold", threshold, p.Shares.Threshold}, {"count", count, p.Shares.Count}, {"shares read back", len(s.Shares), count},
	} {
		if v.got != v.want {
			return nil, &MismatchError{"", v.field, fmt.Sprint(v.got), fmt.Sprint(v.want)}
		}
	}
	return f, nil
}
