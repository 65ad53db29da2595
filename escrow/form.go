// SPDX-License-Identifier: Apache-2.0

package escrow

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// What the files of this package have in common: JSON with a kind and a version, written with indents and read strictly.

// compact encodes without spaces, and without the escapes that are meant for HTML.
func compact(kind string, v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encoding %s: %w", kind, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// writeIndented encodes for people.
func writeIndented(w io.Writer, kind string, v any) error {
	line, err := compact(kind, v)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, line, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("writing %s: %w", kind, err)
	}
	return nil
}

// readKind reads up to limit bytes of JSON of this kind, in a version that we know.
func readKind(r io.Reader, kind string, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", kind, err)
	}
	if int64(len(data)) > limit {
		return nil, &FileError{Kind: kind, Reason: fmt.Sprintf("larger than %d bytes", limit)}
	}
	if !json.Valid(data) {
		return nil, notJSON(kind, data)
	}
	return data, checkKind(kind, data)
}

func notJSON(kind string, data []byte) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return &FileError{Kind: kind, Reason: "empty"}
	}
	var any json.RawMessage
	syntax, ok := errors.AsType[*json.SyntaxError](json.Unmarshal(data, &any))
	if ok && syntax.Offset < int64(len(data)) {
		return &FileError{Kind: kind, Reason: fmt.Sprintf("not JSON, at byte %d", syntax.Offset)}
	}
	return &FileError{Kind: kind, Reason: "the JSON is cut short"}
}

// checkKind comes first: what else a file may hold depends on kind and version.
func checkKind(kind string, data []byte) error {
	var head struct {
		Kind    string `json:"kind"`
		Version int    `json:"version"`
	}
	if json.Unmarshal(data, &head) != nil || head.Kind != kind {
		return &FileError{Kind: kind, Field: "kind", Reason: "something else"}
	}
	if head.Version < 1 {
		return &FileError{Kind: kind, Field: "version", Reason: "not a positive whole number"}
	}
	if head.Version > version {
		return &FileError{Kind: kind, Field: "version", Reason: fmt.Sprintf("%d is newer than %d, which is what this program reads", head.Version, version)}
	}
	return nil
}

// decodeFields reads the fields, of which none may be unknown.
func decodeFields(data []byte, kind string, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return &FileError{Kind: kind, Field: e.Field, Reason: "not of the right type"}
	}
	return &FileError{Kind: kind, Reason: err.Error()}
}

// checkForm demands that data is what v is written as, but for white space.
func checkForm(data []byte, kind string, v any) error {
	again, err := compact(kind, v)
	if err != nil {
		return err
	}
	var given bytes.Buffer
	if json.Compact(&given, data) != nil || !bytes.Equal(given.Bytes(), again) {
		return &FileError{Kind: kind, Reason: "a field is missing, given twice, out of order or spelt in another way than version 1 has it"}
	}
	return nil
}
