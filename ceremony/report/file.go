// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"regexp"
	"strings"

	"github.com/keymat/keymat/audit"
	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
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
	// *token.Wrapped, entropy.Record, *gap.Seal, *gap.Bundle, *gap.Package or
	// []audit.Receipt; nil for anything else. That of a rehearsal is no different.
	Content any
}

// MaxFile is the largest file in bytes that [Recognise] looks into: the others
// have a digest and no content.
const MaxFile = 1 << 20

// Recognise says what a file is. data stays the caller's.
func Recognise(name string, data []byte) File {
	f := File{Name: name, Size: int64(len(data)), Read: true, SHA256: sha256.Sum256(data), What: called(name)}
	if f.What != "" || len(data) > MaxFile {
		return f
	}
	var head struct {
		Kind string `json:"kind"`
	}
	if json.Unmarshal(data, &head) != nil {
		return f
	}
	kind := strings.Replace(head.Kind, "/rehearsal-", "/", 1)
	read, ok := readers[kind]
	if !ok {
		return f
	}
	if kind != head.Kind && !gaps[kind] {
		plain, err := gap.Unstamp(kind, data, true)
		if err != nil {
			return f
		}
		data = plain
	}
	if what, content, err := read(data); err == nil {
		f.What, f.Content = what, content
	}
	return f
}

// called says what is known of a file by its name alone, "" for nothing.
func called(name string) string {
	if what := standing[name]; what != "" {
		return what
	}
	numbered := regexp.MustCompile(`^(transcript|head)-[1-9][0-9]*\.jsonl?$`).FindStringSubmatch(name)
	if numbered != nil {
		return map[string]string{"transcript": "record", "head": "statement that was signed"}[numbered[1]]
	}
	signature := regexp.MustCompile(`^(plan\.yaml|(?:head|(?:head|bundle|package|seal)-[0-9a-f]+)\.json)\.[a-z0-9-]+\.sig$`).FindStringSubmatch(name)
	if signature != nil {
		return "signature of " + signature[1]
	}
	return ""
}

// isStanding reports whether the verification vouches for a file, and no line
// does.
func isStanding(name string) bool { return called(name) != "" }

// standing are the files that the folder of every ceremony has.
var standing = map[string]string{
	evidence.PlanFile: "plan", evidence.RecordFile(1): "record", evidence.HeadFile(1): "statement that was signed", evidence.SignersFile: "people and keys of the plan",
	gap.ManifestFile: "list of what is on the medium",
}

// gaps are the kinds whose readers know the mark of a rehearsal.
var gaps = map[string]bool{gap.KindBundle: true, gap.KindPackage: true, gap.KindSeal: true}

// A reader says what a file is, and what it holds.
type reader func(data []byte) (what string, content any, err error)

// reading makes a reader.
func reading[T any](what string, read func(io.Reader) (T, error)) reader {
	return func(data []byte) (string, any, error) {
		content, err := read(bytes.NewReader(data))
		return what, content, err
	}
}

// readingBytes makes a reader, too.
func readingBytes[T any](what string, read func([]byte) (T, error)) reader {
	return func(data []byte) (string, any, error) {
		content, err := read(data)
		return what, content, err
	}
}

// readers read a file by its "kind". None of these kinds holds a secret.
var readers = map[string]reader{
	escrow.Kind:          reading("escrow", escrow.Read),
	escrow.DrillKind:     reading("record of a drill", escrow.ReadDrill),
	token.KindParameters: reading("import parameters", token.ReadParameters),
	token.KindWrapped:    reading("wrapped material", token.ReadWrapped),
	entropy.RecordKind:   reading("record of randomness", entropy.ReadRecord),
	gap.KindSeal:         readingBytes("seal record", gap.ReadSeal),
	gap.KindBundle:       readingBytes("bundle", gap.ReadBundle),
	gap.KindPackage:      readingBytes("package", gap.ReadPackage),
	"": func(data []byte) (string, any, error) { // results have no kind
		receipts, err := audit.ReadReceipts(bytes.NewReader(data))
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
