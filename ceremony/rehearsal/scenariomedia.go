// SPDX-License-Identifier: Apache-2.0

package rehearsal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/transcript"
)

// damagedCopy changes a byte of the escrow on the first medium, while it is out.
func damagedCopy(s *stage) *disturbance {
	const refused = "the damaged copy was refused"
	d := &disturbance{}
	d.owe(refused)
	damaged := ""
	d.remount = func(t phase.Task, folder string) error {
		if t.Step != phase.CopyOut || damaged != "" {
			return nil
		}
		damaged = t.Copy
		_, err := flip(filepath.Join(folder, evidence.EscrowFile(t.Escrow)))
		return err
	}
	d.failed = func(t phase.Task, err error) bool {
		if t.Step != phase.CopyOut || t.Copy != damaged || !d.owes(refused) {
			return false
		}
		d.met(refused)
		s.exchange(damaged)
		return true
	}
	d.check = func(s *stage, _ *phase.State) []string {
		for _, e := range s.entries(s.latest()) {
			if c, ok := e.Event.(transcript.Copied); ok && c.Copy == damaged {
				return nil
			}
		}
		return []string{"no other medium took the place of the damaged one"}
	}
	return d
}

// flip changes the last letter or digit of a file.
func flip(name string) (undo func() error, err error) {
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("changing a file: %w", err)
	}
	changed := bytes.Clone(content)
	at := bytes.LastIndexFunc(changed, func(r rune) bool { return r >= '0' && r <= 'z' })
	changed[max(at, 0)] ^= 1
	return func() error { return os.WriteFile(name, content, 0o644) }, os.WriteFile(name, changed, 0o644)
}

// An alteration of a medium, and how it is undone.
type alteration struct {
	name string
	do   func(folder string) (undo func() error, err error)
}

func alterations() []alteration {
	return []alteration{
		{"a file too many", func(folder string) (func() error, error) {
			name := filepath.Join(folder, "autorun.inf")
			return func() error { return os.Remove(name) }, os.WriteFile(name, []byte("[autorun]\n"), 0o644)
		}},
		{"a file too few", func(folder string) (func() error, error) {
			name, err := someFile(folder)
			away := filepath.Join(filepath.Dir(folder), "taken-away")
			if err == nil {
				err = os.Rename(name, away)
			}
			return func() error { return os.Rename(away, name) }, err
		}},
		{"a changed file", func(folder string) (func() error, error) {
			name, err := someFile(folder)
			if err != nil {
				return nil, err
			}
			return flip(name)
		}},
	}
}

// someFile is the first file on a medium that a manifest counts.
func someFile(folder string) (string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return "", fmt.Errorf("looking for a file: %w", err)
	}
	i := slices.IndexFunc(entries, func(e fs.DirEntry) bool { return e.Name() != gap.ManifestFile })
	if i < 0 {
		return "", fmt.Errorf("%s has no files", folder)
	}
	return filepath.Join(folder, entries[i].Name()), nil
}

// mediumAltered alters the medium on its way to the offline machine, and back.
func mediumAltered(s *stage) *disturbance {
	d := &disturbance{}
	left := map[phase.Step][]alteration{phase.Accept: alterations(), phase.Begin: alterations()}
	owed := func(step phase.Step, a alteration) string { return fmt.Sprintf("%s was refused at %s", a.name, step) }
	for step, all := range left {
		for _, a := range all {
			d.owe(owed(step, a))
		}
	}
	var undo func() error
	d.medium = func(t phase.Task, folder string) (err error) {
		if all := left[t.Step]; len(all) > 0 {
			undo, err = all[0].do(folder)
		}
		return err
	}
	d.failed = func(t phase.Task, err error) bool {
		altered, ok := errors.AsType[*gap.MediumError](err)
		if !ok || undo == nil || len(altered.Extra)+len(altered.Missing)+len(altered.Altered) != 1 {
			return false
		}
		d.met(owed(t.Step, left[t.Step][0]))
		left[t.Step] = left[t.Step][1:]
		err, undo = undo(), nil
		return err == nil
	}
	return d
}
