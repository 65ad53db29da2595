// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/keymat/keymat/internal/lazyregexp"
)

// MaxPlanSize is the largest file in bytes that ReadPlan takes; a change takes
// up to some 1,000.
const MaxPlanSize = 1 << 30

// A PlanFileError says where and why a file is no plan.
type PlanFileError struct {
	At     string // such as "changes: 17"; empty for the file
	Reason string
}

func (e *PlanFileError) Error() string {
	if e.At == "" {
		return PlanKind + ": " + e.Reason
	}
	return PlanKind + ": " + e.At + ": " + e.Reason
}

// WritePlan writes a plan as JSON, with one line for each change.
func WritePlan(w io.Writer, p *Plan) error {
	out := bufio.NewWriter(w)
	h := planHeader{
		Kind: PlanKind, Version: planVersion, ID: p.ID, Made: p.Made, Manifest: sourceForm{p.Manifest.Name, p.Manifest.SHA256},
		Shard: p.Shard.String(), Places: []placeForm{},
	}
	for _, place := range p.Places {
		h.Places = append(h.Places, placeForm(place))
	}
	var head bytes.Buffer
	line, err := compact(h)
	if err == nil {
		err = json.Indent(&head, line, "", "  ")
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", PlanKind, err)
	}
	out.Write(bytes.TrimSuffix(head.Bytes(), []byte("\n}")))
	out.WriteString(",\n  \"changes\": [")
	separator := "\n    "
	for _, c := range p.Changes {
		line, err := compact(formOf(c))
		if err != nil {
			return fmt.Errorf("writing %s: change of %s: %w", PlanKind, c.Name, err)
		}
		out.WriteString(separator)
		out.Write(line)
		separator = ",\n    "
	}
	if len(p.Changes) > 0 {
		out.WriteString("\n  ")
	}
	out.WriteString("]\n}\n")
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing %s: %w", PlanKind, err)
	}
	return nil
}

// ReadPlan reads what WritePlan wrote. White space may differ, and nothing
// else: no member may be unknown, missing, given twice, out of order or spelt
// in another way. An error is a [*PlanFileError], unless r itself fails.
func ReadPlan(r io.Reader) (*Plan, error) {
	limited := &io.LimitedReader{R: r, N: MaxPlanSize + 1}
	in := &planReader{json: json.NewDecoder(limited)}
	err := in.read()
	switch syntax, broken := errors.AsType[*json.SyntaxError](err); {
	case limited.N <= 0:
		err = &PlanFileError{Reason: fmt.Sprintf("larger than %d bytes", MaxPlanSize)}
	case broken:
		err = &PlanFileError{Reason: fmt.Sprintf("not JSON, at byte %d", syntax.Offset)}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = &PlanFileError{Reason: "the JSON is cut short, or empty"}
	}
	if err != nil {
		return nil, err
	}
	return &in.plan, nil
}

type planReader struct {
	json   *json.Decoder
	plan   Plan
	places map[string]bool
	names  map[string]bool
}

func (r *planReader) read() error {
	if err := r.delim('{', ""); err != nil {
		return err
	}
	var kind string
	if err := r.member("kind", &kind); err != nil {
		return err
	}
	if kind != PlanKind {
		return &PlanFileError{At: "kind", Reason: "something else"}
	}
	var version int
	if err := r.member("version", &version); err != nil {
		return err
	}
	if version != planVersion {
		return &PlanFileError{At: "version", Reason: fmt.Sprintf("not %d, which is what this program reads", planVersion)}
	}
	if err := r.header(); err != nil {
		return err
	}
	if err := r.changes(); err != nil {
		return err
	}
	if err := r.delim('}', "changes: more than a plan has after them"); err != nil {
		return err
	}
	if _, err := r.json.Token(); !errors.Is(err, io.EOF) {
		return &PlanFileError{Reason: "more after its end"}
	}
	return nil
}

var (
	planIDs = lazyregexp.New(`^[0-9a-f]{32}$`)
	digests = lazyregexp.New(`^[0-9a-f]{64}$`)
)

func (r *planReader) header() error {
	var source sourceForm
	var places []placeForm
	p := &r.plan
	if err := r.member("id", &p.ID); err != nil {
		return err
	}
	if err := r.member("made", &p.Made); err != nil {
		return err
	}
	if err := r.member("manifest", &source); err != nil {
		return err
	}
	name, err := r.name()
	if err == nil && name == "shard" {
		var text string
		if err = r.value("shard", &text); err == nil {
			if p.Shard, err = ParseShard(text); err != nil || text == "" {
				return &PlanFileError{At: "shard", Reason: "no shard, such as 3/16"}
			}
			name, err = r.name()
		}
	}
	if err != nil {
		return err
	}
	if name != "places" {
		return &PlanFileError{At: name, Reason: "not where version 1 has it: places is expected"}
	}
	if err := r.value("places", &places); err != nil {
		return err
	}
	p.Manifest = Source(source)
	r.places, r.names = map[string]bool{}, map[string]bool{}
	for _, place := range places {
		p.Places = append(p.Places, Place(place))
		r.places[place.Name] = true
	}
	switch {
	case !planIDs().MatchString(p.ID):
		return &PlanFileError{At: "id", Reason: "not 32 hexadecimal digits"}
	case !digests().MatchString(source.SHA256):
		return &PlanFileError{At: "manifest: sha256", Reason: "not 64 hexadecimal digits"}
	case p.Made.Location() != time.UTC || p.Made.Nanosecond() != 0 || p.Made.IsZero():
		return &PlanFileError{At: "made", Reason: "not a time in UTC, to the second"}
	case len(r.places) != len(places):
		return &PlanFileError{At: "places", Reason: "one is there twice"}
	}
	return nil
}

func (r *planReader) changes() error {
	name, err := r.name()
	if err != nil {
		return err
	}
	if name != "changes" {
		return &PlanFileError{At: name, Reason: "not where version 1 has it: changes is expected"}
	}
	if err := r.delim('[', "changes: not a list"); err != nil {
		return err
	}
	for n := 1; r.json.More(); n++ {
		at := fmt.Sprintf("changes: %d", n)
		var form changeForm
		if err := r.value(at, &form); err != nil {
			return err
		}
		c, err := form.change()
		switch {
		case err != nil:
			return &PlanFileError{At: at, Reason: err.Error()}
		case !r.places[c.Place]:
			return &PlanFileError{At: at, Reason: "place: none of the plan's"}
		case c.Name == "" || r.names[c.Name]:
			return &PlanFileError{At: at, Reason: "name: missing, or taken"}
		}
		r.names[c.Name] = true
		r.plan.Changes = append(r.plan.Changes, c)
	}
	return r.delim(']', "changes: not a list")
}

// member reads a member of this name, which has to come next.
func (r *planReader) member(name string, v any) error {
	got, err := r.name()
	if err != nil {
		return err
	}
	if got != name {
		return &PlanFileError{At: name, Reason: "missing, or not where version 1 has it"}
	}
	return r.value(name, v)
}

func (r *planReader) name() (string, error) {
	token, err := r.json.Token()
	name, ok := token.(string)
	if err == nil && !ok {
		err = &PlanFileError{Reason: "it ends too early"}
	}
	return name, err
}

// value reads a value, which has to be what v is written as, but for white space.
func (r *planReader) value(at string, v any) error {
	var raw json.RawMessage
	if err := r.json.Decode(&raw); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			if e.Field != "" {
				at += ": " + e.Field
			}
			return &PlanFileError{At: at, Reason: "not of the right type"}
		}
		return &PlanFileError{At: at, Reason: err.Error()}
	}
	again, err := compact(v)
	if err != nil {
		return &PlanFileError{At: at, Reason: err.Error()}
	}
	var given bytes.Buffer
	if err := json.Compact(&given, raw); err != nil || !bytes.Equal(given.Bytes(), again) {
		return &PlanFileError{At: at, Reason: "a member is missing, given twice, out of order or spelt in another way than version 1 has it"}
	}
	return nil
}

func (r *planReader) delim(want json.Delim, otherwise string) error {
	token, err := r.json.Token()
	if err == nil && token != want {
		reason := otherwise
		if reason == "" {
			reason = "not an object"
		}
		err = &PlanFileError{Reason: reason}
	}
	return err
}
