// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"encoding/json"

	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/lab"
)

// writeLabPage writes the lesson as it was played, for handing in.
func (a *app) writeLabPage(o labOptions, t lab.Transcript) error {
	var page bytes.Buffer
	if err := lab.WritePage(&page, t, "keymat "+cli.ThisVersion().Version); err != nil {
		return err
	}
	return files.WritePublic(o.html, page.Bytes(), files.Overwrite(o.force))
}

// labResult is a played lesson as JSON.
type labResult struct {
	Lesson   string    `json:"lesson"`
	Title    string    `json:"title"`
	Finished bool      `json:"finished"`
	Steps    []labStep `json:"steps"`
	Keys     []string  `json:"keys"` // made on the way, and scheduled for deletion
	Page     string    `json:"page,omitempty"`
}

type labStep struct {
	Title   string     `json:"title"`
	Results []lab.Line `json:"results"`
}

// MarshalJSON gives labResult.
func (d labDone) MarshalJSON() ([]byte, error) {
	t := d.transcript
	r := labResult{Lesson: t.Lesson.Name, Title: t.Lesson.Title, Finished: t.Finished(), Page: d.page, Keys: []string{}}
	for _, p := range t.Steps {
		r.Steps = append(r.Steps, labStep{t.Lesson.Steps[p.At].Title, p.Lines})
	}
	for _, l := range t.Leaving {
		r.Keys = append(r.Keys, l.ARN)
	}
	return json.Marshal(r)
}
