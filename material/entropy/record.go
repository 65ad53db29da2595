// SPDX-License-Identifier: Apache-2.0

package entropy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/keymat/keymat/material"
)

// RecordKind is the "kind" of the record of how material was made.
const RecordKind = "keymat/randomness"

const recordVersion = 1

// MaxRecord is the largest record in bytes that [ReadRecord] looks at.
const MaxRecord = 64 << 10

// A Record says where the randomness of material came from, and what may be claimed of it. It holds no throw, no component and no
// key. It is what the program that wrote it observed of itself; nothing signs it.
type Record struct {
	At          time.Time // UTC, to the second
	Tool        string    // what wrote the record, with its version
	Spec        material.Spec
	Fingerprint string // of the material, as in "cmac:0a1b2c3d4e"
	Method      Method
	RNG         *RNG              // nil for [Components]
	Sample      *Sample           // of the generator, thrown away; nil for [Components]
	Inputs      []InputRecord     // for [Extract] and [XOR], in the order of the commitment
	Commitment  string            // for [Extract] and [XOR]: [Mix.Commitment]
	Components  []ComponentRecord // for [Components], in the order in which they were given
}

// InputRecord counts an input.
type InputRecord struct {
	Kind       Kind   `json:"kind"`
	Count      int    `json:"count"`        // throws, or bytes of a file
	BitsIfFair int    `json:"bits_if_fair"` // 0 for a file, of which nothing is known
	Hints      []Hint `json:"hints,omitempty"`
}

// ComponentRecord names a component. Where it came from is its custodian's affair: to this program it is external and unverified.
type ComponentRecord struct {
	Check   string  `json:"check_value"`
	Entered Entered `json:"entered"`
}

// Entered says how a component came in, and so what would have caught a slip.
type Entered string

// The ways to enter a component.
const (
	TypedWithCheck Entered = "typed, with its check value"
	TypedTwice     Entered = "typed twice"
	FromFile       Entered = "from a file, with its check value"
)

// Describe counts inputs for a record.
func Describe(inputs []Input) []InputRecord {
	records := make([]InputRecord, len(inputs))
	for i, in := range inputs {
		records[i] = InputRecord{Kind: in.Kind, Count: in.Count, BitsIfFair: in.BitsIfFair(), Hints: in.Hints()}
	}
	return records
}

// recordFile is the record in the order of its members.
type recordFile struct {
	Kind        string            `json:"kind"`
	Version     int               `json:"version"`
	At          time.Time         `json:"at"`
	Tool        string            `json:"tool"`
	KeySpec     material.Spec     `json:"key_spec"`
	Fingerprint string            `json:"fingerprint"`
	Method      Method            `json:"method"`
	RNG         *RNG              `json:"generator,omitempty"`
	Sample      *Sample           `json:"sample,omitempty"`
	Inputs      []InputRecord     `json:"inputs,omitempty"`
	Commitment  string            `json:"commitment,omitempty"`
	Components  []ComponentRecord `json:"components,omitempty"`
	Claims      []string          `json:"may_be_claimed"`
}

func (r Record) file() recordFile {
	return recordFile{
		RecordKind, recordVersion, r.At, r.Tool, r.Spec, r.Fingerprint, r.Method, r.RNG, r.Sample, r.Inputs, r.Commitment, r.Components,
		r.Claims(),
	}
}

// Encode writes r as indented JSON. It writes nothing unless r is valid.
func (r Record) Encode(w io.Writer) error {
	if err := r.Validate(); err != nil {
		return err
	}
	line, err := compact(r.file())
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, line, "", "  "); err != nil {
		return fmt.Errorf("encoding %s: %w", RecordKind, err)
	}
	b.WriteByte('\n')
	if _, err := b.WriteTo(w); err != nil {
		return fmt.Errorf("writing %s: %w", RecordKind, err)
	}
	return nil
}

func compact(file recordFile) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(file); err != nil {
		return nil, fmt.Errorf("encoding %s: %w", RecordKind, err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// ReadRecord reads what [Record.Encode] wrote. White space between the parts may differ, and nothing else: what is claimed follows
// from the facts, so a record that claims more is refused. An error is a [*RecordError], unless rd itself fails.
func ReadRecord(rd io.Reader) (Record, error) {
	data, err := io.ReadAll(io.LimitReader(rd, MaxRecord+1))
	if err != nil {
		return Record{}, fmt.Errorf("reading %s: %w", RecordKind, err)
	}
	if len(data) > MaxRecord {
		return Record{}, &RecordError{Reason: fmt.Sprintf("larger than %d bytes", MaxRecord)}
	}
	in, err := decodeRecord(data)
	if err != nil {
		return Record{}, err
	}
	r := Record{in.At, in.Tool, in.KeySpec, in.Fingerprint, in.Method, in.RNG, in.Sample, in.Inputs, in.Commitment, in.Components}
	if err := r.Validate(); err != nil {
		return Record{}, err
	}
	again, err := compact(r.file())
	if err != nil {
		return Record{}, err
	}
	var given bytes.Buffer
	if json.Compact(&given, data) != nil || !bytes.Equal(given.Bytes(), again) {
		return Record{}, &RecordError{Reason: "a field is missing, given twice, out of order or spelt in another way, or it claims what does not follow from it"}
	}
	return r, nil
}

// decodeRecord looks at kind and version first: what else a file may hold depends on them.
func decodeRecord(data []byte) (in recordFile, err error) {
	var head struct {
		Kind    string `json:"kind"`
		Version int    `json:"version"`
	}
	switch err := json.Unmarshal(data, &head); {
	case !json.Valid(data):
		return in, &RecordError{Reason: "not JSON"}
	case err != nil || head.Kind != RecordKind:
		return in, &RecordError{Field: "kind", Reason: "something else"}
	case head.Version < 1:
		return in, &RecordError{Field: "version", Reason: "not a positive whole number"}
	case head.Version > recordVersion:
		return in, &RecordError{Field: "version", Reason: fmt.Sprintf("%d is newer than %d, which is what this program reads", head.Version, recordVersion)}
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err = d.Decode(&in)
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return in, &RecordError{Field: e.Field, Reason: "not of the right type"}
	}
	if err != nil {
		return in, &RecordError{Reason: err.Error()}
	}
	return in, nil
}
