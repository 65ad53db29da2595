// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/keymat/keymat/internal/files"
)

// labProgress is how far a student came, by lesson. It is kept in the user's
// state folder; keys and material are not: they are made anew.
type labProgress map[string]lessonProgress

// lessonProgress are the steps that were done, each with the prediction that
// was made: its position in the choices, or lab.NoPrediction.
type lessonProgress struct {
	Predictions []int `json:"predictions"`
}

// labProgressFile is what is kept.
type labProgressFile struct {
	Kind    string      `json:"kind"`
	Version int         `json:"version"`
	Lessons labProgress `json:"lessons"`
}

const labProgressKind = "keymat/lab-progress"

func (a *app) labProgressPath() (string, error) {
	dir, err := a.stateFolder()
	return filepath.Join(dir, "lab.json"), err
}

// readLabProgress finds nothing where there is nothing yet. A file that is not
// ours, or of a later keymat, is an error, and is left alone.
func (a *app) readLabProgress() (labProgress, error) {
	path, err := a.labProgressPath()
	if err != nil {
		return nil, err
	}
	content, err := files.ReadLimited(path, nil, 1<<16)
	if errors.Is(err, fs.ErrNotExist) {
		return labProgress{}, nil
	}
	if err != nil {
		return nil, err
	}
	var f labProgressFile
	if err := json.Unmarshal(content, &f); err != nil || f.Kind != labProgressKind || f.Version != 1 {
		return nil, inFile(path, fmt.Errorf("this is not how far a student of this keymat came; remove it to start anew"))
	}
	if f.Lessons == nil {
		f.Lessons = labProgress{}
	}
	return f.Lessons, nil
}

func (a *app) writeLabProgress(p labProgress) error {
	path, err := a.labProgressPath()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	content, err := json.Marshal(labProgressFile{labProgressKind, 1, p})
	if err != nil {
		return err
	}
	return files.WriteSecret(path, content, files.ReplaceExisting)
}
