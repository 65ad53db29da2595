// SPDX-License-Identifier: Apache-2.0

package gap

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// ManifestFile is the name of the manifest on a medium. It is written last: a
// medium without it was not finished.
const ManifestFile = "gap.manifest"

// MaxFile is the largest file on a medium in bytes.
const MaxFile = 256 << 20

// A Manifest is all that is on a medium.
type Manifest struct {
	Origin
	Direction Direction
	Files     []File // by name
}

// A Direction is the way a medium goes.
type Direction string

// The directions.
const (
	In  Direction = "in"  // to the offline machine
	Out Direction = "out" // from it
)

type manifestFile struct {
	head
	Direction Direction `json:"direction"`
	Files     []File    `json:"files"`
}

// Collect makes the manifest of what is on a medium now, but for another
// manifest. Errors: [*FileError], or those of reading, wrapped.
func Collect(medium fs.FS, o Origin, d Direction) (*Manifest, error) {
	files, err := list(medium)
	if err != nil {
		return nil, err
	}
	m := &Manifest{o, d, files}
	if err := m.validate(); err != nil {
		return nil, err
	}
	return m, nil
}

// Encode writes the manifest. An error is a [*FileError].
func (m *Manifest) Encode() ([]byte, error) {
	if err := m.validate(); err != nil {
		return nil, err
	}
	return encode(KindManifest, manifestFile{newHead(KindManifest, m.Origin), m.Direction, m.Files})
}

// ReadManifest reads what Encode wrote, and nothing else. An error is a
// [*FileError].
func ReadManifest(data []byte) (*Manifest, error) {
	var f manifestFile
	if err := decode(KindManifest, data, &f, &f.head); err != nil {
		return nil, err
	}
	m := &Manifest{f.Origin, f.Direction, f.Files}
	if err := m.validate(); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *Manifest) validate() error {
	var all []string
	for _, f := range m.Files {
		all = append(all, f.Name)
	}
	switch {
	case m.Direction != In && m.Direction != Out:
		return &FileError{KindManifest, "direction", "neither in nor out"}
	case len(all) == 0:
		return &FileError{KindManifest, "files", "missing"}
	case !slices.IsSorted(all):
		return &FileError{KindManifest, "files", "not by name"}
	}
	return names(KindManifest, "files.name", all)
}

// Check demands that a medium holds just the files of the manifest, besides it.
// Errors: [*MediumError], or those of reading, wrapped.
func (m *Manifest) Check(medium fs.FS) error {
	found, err := list(medium)
	if err != nil {
		return err
	}
	var e MediumError
	for _, f := range found {
		i := slices.IndexFunc(m.Files, func(want File) bool { return want.Name == f.Name })
		if i < 0 {
			e.Extra = append(e.Extra, f.Name)
		} else if f != m.Files[i] {
			e.Altered = append(e.Altered, f.Name)
		}
	}
	for _, want := range m.Files {
		if !slices.ContainsFunc(found, func(f File) bool { return f.Name == want.Name }) {
			e.Missing = append(e.Missing, want.Name)
		}
	}
	if len(e.Extra)+len(e.Altered)+len(e.Missing) > 0 {
		return &e
	}
	return nil
}

// list reads everything on a medium but the manifest. What is no regular file
// has no digest, so that it is one too many, or an altered one.
func list(medium fs.FS) (files []File, err error) {
	entries, err := fs.ReadDir(medium, ".")
	if err != nil {
		return nil, fmt.Errorf("reading the medium: %w", err)
	}
	for _, entry := range entries {
		f := File{Name: entry.Name(), Size: -1}
		switch {
		case entry.Name() == ManifestFile && entry.Type().IsRegular():
			continue
		case entry.Type().IsRegular():
			if f, err = summed(medium, entry.Name()); err != nil {
				return nil, err
			}
		case entry.IsDir():
			f.Name += "/"
		}
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return files, nil
}

func summed(medium fs.FS, name string) (File, error) {
	f := File{Name: name}
	r, err := medium.Open(name)
	if err != nil {
		return f, fmt.Errorf("reading the medium: %w", err)
	}
	defer r.Close()
	h := sha256.New()
	f.Size, err = io.Copy(h, io.LimitReader(r, MaxFile+1))
	if err != nil {
		return f, fmt.Errorf("reading %s: %w", name, err)
	}
	if f.Size > MaxFile {
		return f, &FileError{KindManifest, name, fmt.Sprintf("larger than %d bytes", MaxFile)}
	}
	h.Sum(f.SHA256[:0])
	return f, nil
}
