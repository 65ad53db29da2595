// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"strings"

	"github.com/keymat/keymat/audit"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material/entropy"
	"github.com/keymat/keymat/token"
)

// A File is one of the folder.
type File struct {
	Name   string
	Size   int64             // bytes
	Read   bool              // false for what is too large to be looked at: then nothing below is known
	SHA256 transcript.Digest // never shown of a file that may hold a secret
	What   string            // in words; "" for a kind that is not known
	// Content is what was read: *escrow.File, escrow.Drill, *token.Parameters,
	// *token.Wrapped, entropy.Record or []audit.Receipt; nil for anything else.
	Content any
}

// MaxFile is the largest file in bytes that [Recognise] looks into: the others
// have a digest and no content.
const MaxFile = 1 << 20

// Recognise says what a file is. data stays the caller's.
func Recognise(name string, data []byte) File {
	f := File{Name: name, Size: int64(len(data)), Read: true, SHA256: sha256.Sum256(data), What: standing[name]}
	for _, signed := range []string{"plan.yaml", "head.json"} {
		if strings.HasPrefix(name, signed+".") && strings.HasSuffix(name, ".sig") {
			f.What = "signature of " + signed
		}
	}
	if f.What != "" || len(data) > MaxFile {
		return f
	}
	var head struct {
		Kind string `json:"kind"`
	}
	if json.Unmarshal(data, &head) != nil {
		return f
	}
	if read, ok := readers[head.Kind]; ok {
		if what, content, err := read(bytes.NewReader(data)); err == nil {
			f.What, f.Content = what, content
		}
	}
	return f
}

// standing are the files that the folder of every ceremony has.
var standing = map[string]string{
	"plan.yaml": "plan", "transcript.jsonl": "record", "head.json": "statement that was signed", "allowed_signers": "people and keys of the plan",
}

// readers read a file by its "kind". None of these kinds holds a secret.
var readers = map[string]func(*bytes.Reader) (what string, content any, err error){
	escrow.Kind: func(r *bytes.Reader) (string, any, error) {
		f, err := escrow.Read(r)
		return "escrow", f, err
	},
	escrow.DrillKind: func(r *bytes.Reader) (string, any, error) {
		d, err := escrow.ReadDrill(r)
		return "record of a drill", d, err
	},
	token.KindParameters: func(r *bytes.Reader) (string, any, error) {
		p, err := token.ReadParameters(r)
		return "import parameters", p, err
	},
	token.KindWrapped: func(r *bytes.Reader) (string, any, error) {
		w, err := token.ReadWrapped(r)
		return "wrapped package", w, err
	},
	entropy.RecordKind: func(r *bytes.Reader) (string, any, error) {
		record, err := entropy.ReadRecord(r)
		return "record of randomness", record, err
	},
	"": func(r *bytes.Reader) (string, any, error) { // results have no kind
		receipts, err := audit.ReadReceipts(r)
		if err != nil || len(receipts) == 0 {
			return "", nil, err
		}
		return "receipt of an import", receipts, nil
	},
}

func isEscrow(content any) bool {
	f, ok := content.(*escrow.File)
	return ok && f.Profile.Shared()
}

func isRandomness(content any) bool { return is[entropy.Record](content) }
func isWrapped(content any) bool    { return is[*token.Wrapped](content) }
func isDrill(content any) bool      { return is[escrow.Drill](content) }
func isReceipt(content any) bool    { return is[[]audit.Receipt](content) }

func is[T any](content any) bool {
	_, ok := content.(T)
	return ok
}

// schemes are the schemes of shares, with what may be said of their secrecy.
var schemes = map[escrow.Scheme]struct{ name, claim string }{
	escrow.SLIP39: {"SLIP-0039 (words)", "one share less than the threshold leaves 224 of the 256 bits of the escrow's key open"},
	escrow.Shamir: {"plain Shamir sharing over GF(256)", "fewer shares than the threshold reveal nothing about the escrow's key"},
}
