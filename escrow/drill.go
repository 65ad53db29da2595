// SPDX-License-Identifier: Apache-2.0

package escrow

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"time"

	"github.com/keymat/keymat/material"
)

// DrillKind is the "kind" of the record of a drill.
const DrillKind = "keymat/drill"

// MaxDrill is the largest record in bytes that [ReadDrill] looks at.
const MaxDrill = 16 << 10

// DrillVerdict is what a drill showed.
type DrillVerdict string

// The verdicts. In all of them the escrow opened, and held what its header says.
const (
	DrillProven   DrillVerdict = "proven"     // the KMS key holds exactly this material
	DrillMismatch DrillVerdict = "mismatch"   // it holds other material
	DrillUnproven DrillVerdict = "not proven" // KMS gave no answer that depends on the bytes
	DrillOpened   DrillVerdict = "opened"     // no KMS was asked
)

// A Drill is the record of one: at that time somebody opened an escrow and compared what it holds with a KMS key. It is what the
// program that wrote it observed. Nothing in it is secret, and nothing signs it.
type Drill struct {
	At         time.Time // UTC, to the second
	By         string    // who ran it, as the machine knows them
	Tool       string    // what wrote the record, with its version
	Escrow     DrilledEscrow
	KeyARN     string // "" for [DrillOpened]
	MaterialID string // KMS's name of the material, for symmetric keys
	Method     string // how the two were compared
	Verdict    DrillVerdict
}

// DrilledEscrow says which escrow was opened, beyond doubt: the two digests cover all of it.
type DrilledEscrow struct {
	ID               ID            `json:"id"`
	Created          time.Time     `json:"created"`
	Profile          Profile       `json:"profile"`
	KeySpec          material.Spec `json:"key_spec"`
	Fingerprint      string        `json:"fingerprint"`
	HeaderSHA256     Digest        `json:"header_sha256"`
	CiphertextSHA256 Digest        `json:"ciphertext_sha256"`
}

// Drilled describes f for a record.
func (f *File) Drilled() (DrilledEscrow, error) {
	header, err := f.HeaderSHA256()
	return DrilledEscrow{f.ID, f.Created, f.Profile, f.KeySpec, f.Fingerprint, header, f.CiphertextSHA256()}, err
}

// drillFile is the record in the order of its members.
type drillFile struct {
	Kind       string        `json:"kind"`
	Version    int           `json:"version"`
	At         time.Time     `json:"at"`
	By         string        `json:"by"`
	Tool       string        `json:"tool"`
	Escrow     DrilledEscrow `json:"escrow"`
	KeyARN     string        `json:"key_arn,omitempty"`
	MaterialID string        `json:"key_material_id,omitempty"`
	Method     string        `json:"method"`
	Verdict    DrillVerdict  `json:"verdict"`
}

func (d Drill) file() drillFile {
	return drillFile{DrillKind, version, d.At, d.By, d.Tool, d.Escrow, d.KeyARN, d.MaterialID, d.Method, d.Verdict}
}

// MarshalJSON returns what [Drill.Encode] writes, on one line.
func (d Drill) MarshalJSON() ([]byte, error) { return json.Marshal(d.file()) }

// Encode writes d as indented JSON. It writes nothing unless d is valid.
func (d Drill) Encode(w io.Writer) error {
	if err := d.Validate(); err != nil {
		return err
	}
	return writeIndented(w, DrillKind, d.file())
}

// ReadDrill reads what [Drill.Encode] wrote, as strictly as [Read] does. An error is a [*FileError], unless r itself fails.
func ReadDrill(r io.Reader) (Drill, error) {
	data, err := readKind(r, DrillKind, MaxDrill)
	if err != nil {
		return Drill{}, err
	}
	var in drillFile
	if err := decodeFields(data, DrillKind, &in); err != nil {
		return Drill{}, err
	}
	d := Drill{in.At, in.By, in.Tool, in.Escrow, in.KeyARN, in.MaterialID, in.Method, in.Verdict}
	if err := d.Validate(); err != nil {
		return Drill{}, err
	}
	if err := checkForm(data, DrillKind, d.file()); err != nil {
		return Drill{}, err
	}
	return d, nil
}

// Validate checks each value by itself and against the verdict. An error is a [*FileError].
func (d Drill) Validate() error {
	wrong := func(field, format string, args ...any) error {
		return &FileError{Kind: DrillKind, Field: field, Reason: fmt.Sprintf(format, args...)}
	}
	for i, at := range []time.Time{d.At, d.Escrow.Created} {
		if at.IsZero() || at.Location() != time.UTC || at.Nanosecond() != 0 {
			return wrong([]string{"at", "escrow.created"}[i], "not a time in UTC, to the second")
		}
	}
	for i, text := range []string{d.By, d.Tool, d.Method} {
		if text == "" {
			return wrong([]string{"by", "tool", "method"}[i], "missing")
		}
	}
	if d.Escrow.ID == (ID{}) {
		return wrong("escrow.id", "missing")
	}
	if !slices.Contains(Profiles(), d.Escrow.Profile) {
		return wrong("escrow.profile", "none of %v", Profiles())
	}
	if d.Escrow.KeySpec.Kind() == material.KindNone || !validFingerprint(d.Escrow.KeySpec, d.Escrow.Fingerprint) {
		return wrong("escrow.fingerprint", "none that %s material has", d.Escrow.KeySpec)
	}
	if !slices.Contains([]DrillVerdict{DrillProven, DrillMismatch, DrillUnproven, DrillOpened}, d.Verdict) {
		return wrong("verdict", "unknown")
	}
	if (d.KeyARN == "") != (d.Verdict == DrillOpened) {
		return wrong("key_arn", "there is one exactly if a key was compared")
	}
	if d.MaterialID != "" && (d.KeyARN == "" || !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(d.MaterialID)) {
		return wrong("key_material_id", "none that KMS gives a symmetric key")
	}
	return nil
}
