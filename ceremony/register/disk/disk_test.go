// SPDX-License-Identifier: Apache-2.0

package disk_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/chain"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/register"
	"github.com/keymat/keymat/ceremony/register/disk"
	"github.com/keymat/keymat/material"
)

func now() time.Time { return time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC) }

var made = register.Added{Key: "payments", Ceremony: "payments-2026", Purpose: plan.ForImport, KeySpec: material.SymmetricDefault, Held: []register.Held{}, State: register.PreActivation}

func create(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "register.jsonl")
	if err := disk.Create(name, "Example", now, []string{"officer"}); err != nil {
		t.Fatal(err)
	}
	return name
}

func open(t *testing.T, name string) *disk.File {
	t.Helper()
	f, err := disk.Open(name, now)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFile(t *testing.T) {
	name := create(t)
	f := open(t, name)
	if err := errors.Join(f.Add(made, []string{"officer"}), f.Close()); err != nil {
		t.Fatal(err)
	}
	r, err := disk.Read(name)
	if err != nil || r.Organisation != "Example" || len(r.Keys()) != 1 {
		t.Errorf("got %+v, %v", r, err)
	}
	if err := disk.Create(name, "Other", now, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("created again: %v", err)
	}
}

func TestOneAtATime(t *testing.T) {
	name := create(t)
	f := open(t, name)
	_, err := disk.Open(name, now)
	if e, ok := errors.AsType[*disk.BusyError](err); !ok || e.Name != name {
		t.Errorf("got %v", err)
	}
	if _, err := disk.Read(name); err != nil {
		t.Errorf("reading meanwhile: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, name).Close(); err != nil {
		t.Error(err)
	}
}

func TestResumes(t *testing.T) {
	name := create(t)
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"seq":1,"pr`); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, err := disk.Read(name); err == nil {
		t.Error("a line that was cut off is nothing")
	}
	if err := open(t, name).Close(); err != nil {
		t.Fatal(err)
	}
	if r, err := disk.Read(name); err != nil || r.Lines != 3 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestRefuses(t *testing.T) {
	if _, err := disk.Open(filepath.Join(t.TempDir(), "none"), now); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
	name := create(t)
	if err := os.WriteFile(name, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{"open": second(disk.Open(name, now)), "read": second(disk.Read(name))} {
		if e, ok := errors.AsType[*disk.FileError](err); !ok || e.Name != name {
			t.Errorf("%s: %v", what, err)
		}
		if _, ok := errors.AsType[*chain.FaultError](err); !ok {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
