// SPDX-License-Identifier: Apache-2.0

package shelf

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/keymat/keymat/escrow"
)

// mayBeObject reports whether a file that begins so may be JSON objects.
func mayBeObject(start []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(start, " \t\r\n"), []byte("{"))
}

// ours are the words without which a file holds nothing for us. What has none
// of them is not taken apart: it may be a private key as JSON.
var ours = [][]byte{[]byte(escrow.Kind), []byte(escrow.DrillKind), []byte(`"escrow"`)}

// take reads a file's JSON objects, one after another: an escrow, a record of a
// drill, a log of either or of receipts.
func (s *Shelf) take(path string, data []byte) error {
	found := false
	for _, word := range ours {
		found = found || bytes.Contains(data, word)
	}
	if !found {
		return nil
	}
	objects := json.NewDecoder(bytes.NewReader(data))
	for {
		var object json.RawMessage
		err := objects.Decode(&object)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return &BrokenError{Offset: objects.InputOffset()}
		}
		if err := s.takeObject(path, object); err != nil {
			return err
		}
	}
}

// A BrokenError is a file with the words of an escrow or a record, which cannot
// be read as JSON.
// What stands there is not repeated: it may be secret.
type BrokenError struct{ Offset int64 } // bytes before it

func (e *BrokenError) Error() string {
	return fmt.Sprintf("it looks like an escrow or a record, but what follows byte %d is broken", e.Offset)
}

func (s *Shelf) takeObject(path string, object []byte) error {
	var head struct {
		Kind string `json:"kind"`
	}
	if json.Unmarshal(object, &head) != nil {
		return nil // something else of somebody else
	}
	switch head.Kind {
	case escrow.Kind:
		f, err := escrow.Read(bytes.NewReader(object))
		if err != nil {
			return err
		}
		header, err := f.HeaderSHA256()
		s.Escrows = append(s.Escrows, Escrow{Path: path, File: f, header: header})
		return err
	case escrow.DrillKind:
		d, err := escrow.ReadDrill(bytes.NewReader(object))
		if err != nil {
			return err
		}
		s.evidence = append(s.evidence, evidenceOf(path, d))
	case "":
		if e, ok := readReceipt(path, object); ok {
			s.evidence = append(s.evidence, e)
		}
	}
	return nil
}

// evidence is what a record says of one escrow and one key.
type evidence struct {
	path       string
	at         time.Time
	by         string // who drilled
	id         escrow.ID
	header     escrow.Digest // zero in receipts, which do not tell it
	ciphertext escrow.Digest
	spec       string
	print      string // fingerprint
	keyARN     string // "" where no key was asked
	materialID string
	verdict    escrow.DrillVerdict
	receipt    bool // of an import, rather than of a drill
}

func evidenceOf(path string, d escrow.Drill) evidence {
	return evidence{
		path: path, at: d.At, by: d.By, id: d.Escrow.ID, header: d.Escrow.HeaderSHA256, ciphertext: d.Escrow.CiphertextSHA256,
		spec: string(d.Escrow.KeySpec), print: d.Escrow.Fingerprint, keyARN: d.KeyARN, materialID: d.MaterialID, verdict: d.Verdict,
	}
}

// readReceipt reads the JSON result of bring or rotate, if that made an escrow:
// the material went from one generator into the escrow and into the key.
func readReceipt(path string, object []byte) (evidence, bool) {
	var r struct {
		KeyARN     string    `json:"key_arn"`
		MaterialID string    `json:"key_material_id"`
		Imported   time.Time `json:"imported_at"`
		Rotated    time.Time `json:"rotated_at"`
		Verdict    string    `json:"verdict"`
		Escrow     struct {
			ID          escrow.ID     `json:"id"`
			KeySpec     string        `json:"key_spec"`
			Fingerprint string        `json:"fingerprint"`
			Ciphertext  escrow.Digest `json:"ciphertext_sha256"`
		} `json:"escrow"`
	}
	if json.Unmarshal(object, &r) != nil || r.KeyARN == "" || r.Escrow.ID == (escrow.ID{}) || r.Verdict == string(escrow.DrillMismatch) {
		return evidence{}, false
	}
	at := r.Imported
	if at.IsZero() {
		at = r.Rotated
	}
	return evidence{
		path: path, at: at.UTC(), id: r.Escrow.ID, ciphertext: r.Escrow.Ciphertext, spec: r.Escrow.KeySpec, print: r.Escrow.Fingerprint,
		keyARN: r.KeyARN, materialID: r.MaterialID, verdict: cmp.Or(escrow.DrillVerdict(r.Verdict), escrow.DrillUnproven), receipt: true,
	}, true
}

// of reports whether the evidence is about this very file.
func (e evidence) of(f Escrow) bool {
	return e.id == f.ID && e.ciphertext == f.CiphertextSHA256() && (e.header == f.header || e.receipt)
}
