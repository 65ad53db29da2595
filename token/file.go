// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// version is the version of both file formats.
const version = 1

// A FileError is a file, or a value about to become one, that does not follow its format. It says where and why, and
// never shows the contents.
type FileError struct {
	Kind   string // the kind that was expected, such as "keymat/params"
	Field  string // "" for the file as a whole
	Reason string
	Err    error // the cause, if another package found the fault
}

func (e *FileError) Error() string {
	if e.Field == "" {
		return e.Kind + ": " + e.Reason
	}
	return e.Kind + ": " + e.Field + ": " + e.Reason
}

// Unwrap returns the cause, if any.
func (e *FileError) Unwrap() error { return e.Err }

// fault is a FileError for a field with an error as its reason.
func fault(kind, field string, err error) *FileError {
	return &FileError{Kind: kind, Field: field, Reason: err.Error(), Err: err}
}

// fields are the members of a file, every one a string. The first fault in reading one is kept in err.
type fields struct {
	kind   string
	values map[string]string
	err    error
}

// readFields reads one file: a JSON object in UTF-8 with "kind", "version" and exactly the named members, all strings.
// Names are compared by case, none may come twice, and nothing may follow the object.
func readFields(r io.Reader, kind string, names []string) (*fields, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", kind, err)
	}
	members, order, reason := splitObject(data)
	if reason != "" {
		return nil, &FileError{Kind: kind, Reason: reason}
	}
	// Kind and version come first: what else a file may hold depends on them.
	if err := checkKind(kind, members); err != nil {
		return nil, err
	}
	for _, name := range order {
		if name != "kind" && name != "version" && !slices.Contains(names, name) {
			return nil, &FileError{Kind: kind, Field: printable(name), Reason: "unknown field"}
		}
	}
	for i, name := range order {
		if slices.Contains(order[:i], name) {
			return nil, &FileError{Kind: kind, Field: name, Reason: "given twice"}
		}
	}
	f := &fields{kind: kind, values: map[string]string{}}
	for _, name := range names {
		raw, ok := members[name]
		if !ok {
			return nil, &FileError{Kind: kind, Field: name, Reason: "missing"}
		}
		value, ok := text(raw)
		if !ok {
			return nil, &FileError{Kind: kind, Field: name, Reason: "not a string"}
		}
		f.values[name] = value
	}
	return f, nil
}

// splitObject takes a JSON object apart. Names keep their order, with repetitions; reason says why data is none.
func splitObject(data []byte) (members map[string]json.RawMessage, order []string, reason string) {
	switch {
	case len(data) > MaxFile:
		return nil, nil, fmt.Sprintf("larger than %d bytes", MaxFile)
	case len(data) == 0:
		return nil, nil, "empty"
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return nil, nil, "begins with a byte order mark"
	case !utf8.Valid(data):
		return nil, nil, "not UTF-8 text"
	}
	// Reading the whole value first makes sure of the syntax, which reading token by token does not.
	d := json.NewDecoder(bytes.NewReader(data))
	var object json.RawMessage
	if err := d.Decode(&object); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return nil, nil, "the JSON is cut short"
		}
		return nil, nil, fmt.Sprintf("not JSON, at byte %d", d.InputOffset())
	}
	if rest := data[d.InputOffset():]; len(bytes.TrimSpace(rest)) > 0 {
		return nil, nil, fmt.Sprintf("something follows the JSON object at byte %d", d.InputOffset())
	}
	if !bytes.HasPrefix(object, []byte("{")) {
		return nil, nil, "not a JSON object"
	}
	members = map[string]json.RawMessage{}
	d = json.NewDecoder(bytes.NewReader(object))
	d.Token() // the opening brace
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, nil, "not JSON"
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, nil, "not JSON"
		}
		members[name.(string)] = value // a member's name, by the grammar
		order = append(order, name.(string))
	}
	return members, order, ""
}

func checkKind(kind string, members map[string]json.RawMessage) error {
	wrong := func(field, reason string) error { return &FileError{Kind: kind, Field: field, Reason: reason} }
	raw, ok := members["kind"]
	if !ok {
		return wrong("kind", "missing")
	}
	if found, ok := text(raw); !ok || found != kind {
		if strings.HasPrefix(found, "keymat/") {
			return wrong("kind", "found "+printable(found))
		}
		return wrong("kind", "something else")
	}
	raw, ok = members["version"]
	if !ok {
		return wrong("version", "missing")
	}
	n, err := strconv.Atoi(string(raw))
	switch {
	case err != nil || n < 1:
		return wrong("version", "not a positive whole number")
	case n > version:
		return wrong("version", fmt.Sprintf("%d is newer than %d, which is what this program reads", n, version))
	}
	return nil
}

// text decodes a JSON string; ok is false for any other value.
func text(raw json.RawMessage) (s string, ok bool) {
	if !bytes.HasPrefix(raw, []byte(`"`)) {
		return "", false
	}
	return s, json.Unmarshal(raw, &s) == nil
}

// printable is a name from a file as an error may show it: quoted, and not longer than a name has reason to be.
func printable(name string) string {
	const longest = 40
	if len(name) > longest {
		return strconv.QuoteToASCII(name[:longest]) + "…"
	}
	return strconv.QuoteToASCII(name)
}

func (f *fields) wrong(name string, err error) {
	if f.err == nil {
		f.err = fault(f.kind, name, err)
	}
}

// word reads a name of KMS's into v with its strict UnmarshalText, and then demands KMS's own spelling.
func (f *fields) word(name string, v interface {
	UnmarshalText([]byte) error
	String() string
}) {
	if err := v.UnmarshalText([]byte(f.values[name])); err != nil {
		f.wrong(name, err)
	} else if v.String() != f.values[name] {
		f.wrong(name, fmt.Errorf("not spelt %s", v))
	}
}

// blob reads standard base64 in its one canonical form: padded, no line breaks.
func (f *fields) blob(name string) []byte {
	b, err := base64.StdEncoding.DecodeString(f.values[name])
	if err != nil || base64.StdEncoding.EncodeToString(b) != f.values[name] {
		f.wrong(name, errors.New("not standard base64"))
		return nil
	}
	return b
}

// digest reads the digest of data, which stands in the same file.
func (f *fields) digest(name string, data []byte) {
	var d Digest
	f.word(name, &d)
	if f.err == nil && d != digestOf(data) {
		f.wrong(name, fmt.Errorf("not the digest of %s", strings.TrimSuffix(name, digestSuffix)))
	}
}

// time reads RFC 3339 in UTC, with its Z. The pattern is there because the standard library also takes hours of one
// digit and a comma before the fraction.
func (f *fields) time(name string) time.Time {
	exact := regexp.MustCompile(`^[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}(\.[0-9]{1,9})?Z$`)
	t, err := time.Parse(time.RFC3339, f.values[name])
	if err != nil || !exact.MatchString(f.values[name]) {
		f.wrong(name, errors.New("not a time in UTC as RFC 3339 has it"))
		return time.Time{}
	}
	return t
}

// encode writes file, a struct with its members in order, as indented JSON.
func encode(w io.Writer, kind string, file any) error {
	data, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding %s: %w", kind, err)
	}
	if _, err := w.Write(append(data, '\n')); err != nil {
		return fmt.Errorf("writing %s: %w", kind, err)
	}
	return nil
}
