// SPDX-License-Identifier: Apache-2.0

package escrow

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/keymat/keymat/material"
)

// Kind is the "kind" of an escrow file.
const Kind = "keymat/escrow"

const version = 1

// MaxFile is the largest escrow in bytes that [Read] looks at: RSA_4096 material for a hundred post-quantum recipients fits.
const MaxFile = 512 << 10

// A File is an escrow: a public header and a ciphertext. Nothing in it is secret.
type File struct {
	ID          ID
	Created     time.Time // UTC, to the second
	Profile     Profile
	KeySpec     material.Spec
	Fingerprint string    // of the material, as in "cmac:0a1b2c3d4e"
	Recipients  []string  // who opens it, for the profile recipients; ssh keys without their comment
	Shares      *ShareSet // what opens it, for the quorum profiles
	Ciphertext  []byte    // an age file, or nonce, ciphertext and tag of AES-256-GCM
}

// header is the public part of the file, in the order of its members. What is sealed is bound to these very bytes.
type header struct {
	Kind        string        `json:"kind"`
	Version     int           `json:"version"`
	ID          ID            `json:"id"`
	Created     time.Time     `json:"created"`
	Profile     Profile       `json:"profile"`
	KeySpec     material.Spec `json:"key_spec"`
	Fingerprint string        `json:"fingerprint"`
	Recipients  []string      `json:"recipients,omitempty"`
	Shares      *ShareSet     `json:"shares,omitempty"`
}

// file is all of it.
type file struct {
	header
	CiphertextSHA256 Digest `json:"ciphertext_sha256"`
	Ciphertext       []byte `json:"ciphertext"`
}

func (f *File) header() header {
	return header{Kind, version, f.ID, f.Created, f.Profile, f.KeySpec, f.Fingerprint, f.Recipients, f.Shares}
}

// headerBytes returns the header as compact JSON, which is what jq -cj 'del(.ciphertext, .ciphertext_sha256)' prints.
func (f *File) headerBytes() ([]byte, error) { return compact(f.header()) }

// HeaderSHA256 is the digest that binds what is sealed to the header: sha256sum of
// jq -cj 'del(.ciphertext, .ciphertext_sha256)'.
func (f *File) HeaderSHA256() (Digest, error) {
	b, err := f.headerBytes()
	return sha256.Sum256(b), err
}

// CiphertextSHA256 is what sha256sum prints of the ciphertext.
func (f *File) CiphertextSHA256() Digest { return sha256.Sum256(f.Ciphertext) }

func (f *File) file() file { return file{f.header(), f.CiphertextSHA256(), f.Ciphertext} }

// Encode writes f as indented JSON. It writes nothing unless f is valid.
func (f *File) Encode(w io.Writer) error {
	if err := f.Validate(); err != nil {
		return err
	}
	line, err := compact(f.file())
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, line, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("writing %s: %w", Kind, err)
	}
	return nil
}

// compact encodes without spaces, and without the escapes that are meant for HTML.
func compact(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encoding %s: %w", Kind, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Read reads what Encode wrote. White space between the parts may differ, and nothing else: after reading, the file is written
// again and must be the same. So no field is unknown, missing, given twice, out of order or spelt in another way. An error is a
// [*FileError], unless r itself fails.
func Read(r io.Reader) (*File, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", Kind, err)
	}
	if len(data) > MaxFile {
		return nil, &FileError{Reason: fmt.Sprintf("larger than %d bytes", MaxFile)}
	}
	var given bytes.Buffer
	if json.Compact(&given, data) != nil {
		return nil, notJSON(data)
	}
	if err := checkKind(data); err != nil {
		return nil, err
	}
	f, err := decode(data)
	if err != nil {
		return nil, err
	}
	if err := f.Validate(); err != nil {
		return nil, err
	}
	again, err := compact(f.file())
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(given.Bytes(), again) {
		return nil, &FileError{Reason: "a field is missing, given twice, out of order or spelt in another way than version 1 has it"}
	}
	return f, nil
}

func notJSON(data []byte) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return &FileError{Reason: "empty"}
	}
	var any json.RawMessage
	syntax, ok := errors.AsType[*json.SyntaxError](json.Unmarshal(data, &any))
	if ok && syntax.Offset < int64(len(data)) {
		return &FileError{Reason: fmt.Sprintf("not JSON, at byte %d", syntax.Offset)}
	}
	return &FileError{Reason: "the JSON is cut short"}
}

// checkKind comes first: what else a file may hold depends on kind and version.
func checkKind(data []byte) error {
	var head struct {
		Kind    string `json:"kind"`
		Version int    `json:"version"`
	}
	if json.Unmarshal(data, &head) != nil || head.Kind != Kind {
		return &FileError{Field: "kind", Reason: "something else"}
	}
	if head.Version < 1 {
		return &FileError{Field: "version", Reason: "not a positive whole number"}
	}
	if head.Version > version {
		return &FileError{Field: "version", Reason: fmt.Sprintf("%d is newer than %d, which is what this program reads", head.Version, version)}
	}
	return nil
}

// decode reads the fields, and demands the digest of the ciphertext.
func decode(data []byte) (*File, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var in file
	if err := d.Decode(&in); err != nil {
		if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return nil, &FileError{Field: e.Field, Reason: "not of the right type"}
		}
		return nil, &FileError{Reason: err.Error()}
	}
	f := &File{
		ID: in.ID, Created: in.Created, Profile: in.Profile, KeySpec: in.KeySpec, Fingerprint: in.Fingerprint,
		Recipients: in.Recipients, Shares: in.Shares, Ciphertext: in.Ciphertext,
	}
	if f.CiphertextSHA256() != in.CiphertextSHA256 {
		return nil, &FileError{Field: "ciphertext_sha256", Reason: "not the digest of ciphertext"}
	}
	return f, nil
}
