// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/record"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/files"
)

// open reports whether there is a record to add to.
func (m *Machine) open() bool { return m.record != nil && !m.record.Closed() }

// append checks and adds a line.
func (m *Machine) append(e transcript.Event, c transcript.Context) error {
	if err := m.state.Check(e, c.Actors); err != nil {
		return err
	}
	if !m.open() {
		return transcript.ErrClosed
	}
	if err := m.record.Append(e, c); err != nil {
		return err
	}
	m.entries = append(m.entries, transcript.Entry{Time: m.now().UTC(), Context: c, Event: e})
	return m.state.Apply(e, c.Actors)
}

// add adds a line, and has the people see to it that it gets onto all media.
func (m *Machine) add(ctx context.Context, r room.Room, e transcript.Event, actors []string) error {
	return m.addAt(ctx, r, e, transcript.Context{Actors: actors})
}

func (m *Machine) addAt(ctx context.Context, r room.Room, e transcript.Event, c transcript.Context) error {
	for {
		err := m.append(e, c)
		if failed, ok := errors.AsType[*transcript.MediumError](err); ok {
			err = &record.FolderError{Folder: string(m.folders[failed.Medium]), Err: failed}
		} else if !errors.Is(err, transcript.ErrBroken) { // which people left so
			return err
		}
		if err := m.mend(ctx, r, err); err != nil {
			return err
		}
		last := m.entries[len(m.entries)-1]
		if reflect.DeepEqual(last.Event, e) && slices.Equal(last.Actors, c.Actors) { // one medium had it already
			return nil
		}
	}
}

// mend opens the record again after a line did not get onto a medium. What is in
// memory stays there meanwhile.
func (m *Machine) mend(ctx context.Context, r room.Room, failed error) error {
	for {
		options := []string{"repeat", "stop"}
		for _, f := range m.folders[1:] {
			options = append(options, "go on without "+string(f))
		}
		chosen, err := r.Decide(ctx, fmt.Sprintf("The record could not be written: %v. Put the medium right and repeat, or stop, or go on without one?", failed), options)
		switch {
		case err != nil:
			return err
		case chosen >= 2 && chosen < len(options):
			without := chosen - 1
			m.folders = slices.Delete(slices.Clone(m.folders), without, without+1)
		case chosen != 0:
			return failed
		}
		if err := m.record.Release(); err != nil {
			r.Tell("closing the record: %v", err)
		}
		if failed = m.takeUp(); failed == nil {
			return nil
		}
	}
}

// note records what is worth telling beside the steps.
func (m *Machine) note(ctx context.Context, r room.Room, actors []string, text string, about ...transcript.File) error {
	return m.add(ctx, r, transcript.Noted{Text: text, Files: append([]transcript.File{}, about...)}, actors)
}

// exception records a departure from the plan, and tells it.
func (m *Machine) exception(ctx context.Context, r room.Room, actors []string, e transcript.Exception) error {
	r.Tell("expected: %s; happened: %s; decided: %s", e.Expected, e.Happened, e.Decided)
	return m.add(ctx, r, e, actors)
}

// present are those of some people who are there, in the given order.
func present(ctx context.Context, r room.Room, who []string, why string) ([]string, error) {
	there, err := r.Present(ctx, who, why)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, id := range who {
		if slices.Contains(there, id) && !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return all, nil
}

// crewOf asks who of those a task takes is there, and whether they may do what the
// event says: before anything is made that may not be recorded.
func (m *Machine) crewOf(ctx context.Context, r room.Room, t phase.Task, e transcript.Event) ([]string, error) {
	actors, err := present(ctx, r, t.People, t.String())
	if err != nil {
		return nil, err
	}
	return actors, m.state.Check(e, actors)
}

// keep writes a file to the folder and those that mirror it, and reads it back. It
// may be there already, if it is the same.
func (m *Machine) keep(name string, content []byte) (transcript.File, error) {
	for _, f := range m.folders {
		if err := place(f, name, content); err != nil {
			return transcript.File{}, err
		}
	}
	return fileOf(name, content), nil
}

func fileOf(name string, content []byte) transcript.File {
	return transcript.File{Name: name, Size: int64(len(content)), SHA256: sha256.Sum256(content)}
}

// place has a file be in a folder, on its medium.
func place(f evidence.Folder, name string, content []byte) error {
	path := f.Path(name)
	if there, err := files.ReadLimited(path, nil, int64(len(content))); err != nil || !bytes.Equal(there, content) {
		if err := files.WritePublic(path, content, files.KeepExisting); err != nil {
			return err
		}
	}
	return readBack(f, name, content)
}

// readBack demands that a medium gives back what was written to it.
func readBack(f evidence.Folder, name string, content []byte) error {
	again, err := files.ReadBack(f.Path(name), int64(len(content)))
	if err == nil && !bytes.Equal(again, content) {
		err = &files.ChangedError{Name: f.Path(name)}
	}
	return err
}

// mirror brings the files of the folder to those that mirror it and lack them. The
// records bring themselves.
func (m *Machine) mirror() error {
	entries, err := os.ReadDir(string(m.folder))
	if err != nil {
		return fmt.Errorf("reading the folder of the ceremony: %w", err)
	}
	for _, entry := range entries {
		name := entry.Name()
		if !entry.Type().IsRegular() || strings.HasPrefix(name, ".") || m.isRecord(name) {
			continue
		}
		for _, f := range m.folders[1:] {
			if f.Has(name) {
				continue
			}
			content, err := m.folder.Read(name, transcript.MaxFile)
			if err != nil {
				return err
			}
			if err := place(f, name, content); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *Machine) isRecord(name string) bool {
	for n := range m.records {
		if name == evidence.RecordFile(n+1) {
			return true
		}
	}
	return false
}

// ours are the entries of the record that is open.
func (m *Machine) ours() []transcript.Entry {
	for i := len(m.entries) - 1; i >= 0; i-- {
		if _, ok := m.entries[i].Event.(transcript.Opened); ok {
			return m.entries[i:]
		}
	}
	return nil
}

// witnessed is how far the wall clock was from the machine's when the gate open was
// passed.
func (m *Machine) witnessed() (offset time.Duration) {
	for _, e := range m.ours() {
		c, ok := e.Event.(transcript.Confirmed)
		if wall, err := time.Parse(time.RFC3339, e.Wall); ok && c.Gate == plan.GateOpen && err == nil {
			offset = wall.Sub(e.Time)
		}
	}
	return offset
}
