// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"bytes"
	_ "embed"
	"fmt"
	"strings"
	"text/template"
	"time"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

//go:embed draft.yaml
var draft string

// A Sketch is what somebody knows of a ceremony before its plan is written.
type Sketch struct {
	File      string // what the plan will be called, for the commands in its comments
	ID        string
	Title     string
	Date      time.Time
	Rehearsal bool
	Spec      material.Spec
	Threshold int
	Count     int
	Token     string   // label of the token in which the material is made, "" for none; it takes no shares
	Keys      []string // ARNs of KMS keys; after the first come its replicas in other Regions
}

// A SketchError is a part of a sketch that no plan can have.
type SketchError struct {
	Field  string // such as "id"
	Reason string
}

func (e *SketchError) Error() string { return e.Field + ": " + e.Reason }

// Draft writes a plan to begin with, in which every member is explained. [Read]
// reads it; [Plan.Lint] finds what is still to be filled in. An error is a
// [*SketchError].
func Draft(s Sketch) ([]byte, error) {
	targets, err := s.targets()
	if err != nil {
		return nil, err
	}
	custodians := s.Count
	if s.Token != "" {
		custodians = tokenCustodians
	}
	shares := make([]int, custodians)
	for i := range shares {
		shares[i] = i + 1
	}
	wrapping := wrap.Strongest(s.Spec)
	if wrapping == (wrap.Pair{}) {
		return nil, &SketchError{"spec", "not one that KMS imports"}
	}
	var b bytes.Buffer
	err = template.Must(template.New("plan").Parse(draft)).Execute(&b, map[string]any{
		"File": s.File, "ID": s.ID, "Title": fmt.Sprintf("%q", s.Title), "Date": s.Date.Format(time.DateOnly), "Rehearsal": s.Rehearsal,
		"Token": s.Token, "Spec": s.Spec, "Usage": usages(s.Spec)[0], "Wrapping": wrapping,
		"Threshold": s.Threshold, "Count": s.Count, "Shares": shares, "Targets": targets,
	})
	if err != nil {
		return nil, fmt.Errorf("writing a plan: %w", err)
	}
	if _, err := Read(bytes.NewReader(b.Bytes())); err != nil {
		return nil, sketchError(err)
	}
	return b.Bytes(), nil
}

// tokenCustodians is how many people keep a token in a draft: two with a part of the
// PIN each, and one with a backup.
const tokenCustodians = 3

// sketchError says which part of a sketch a plan made of it fails at.
func sketchError(err error) error {
	if e, ok := err.(*FormatError); ok {
		return &SketchError{e.Faults[0].Path, e.Faults[0].Reason}
	}
	return err
}

func (s Sketch) targets() ([]Target, error) {
	if len(s.Keys) == 0 {
		return nil, &SketchError{"keys", "missing"}
	}
	var targets []Target
	for i, key := range s.Keys {
		parts := strings.Split(key, ":")
		if len(parts) != 6 {
			return nil, &SketchError{"keys", "not the ARN of a KMS key"}
		}
		t := Target{ID: "primary", Partition: parts[1], Region: parts[3], Account: parts[4], Key: key, Import: ImportNew}
		if i > 0 {
			t.ID, t.ReplicaOf, t.Import = "replica-"+parts[3], "primary", ImportExisting
		}
		targets = append(targets, t)
	}
	return targets, nil
}
