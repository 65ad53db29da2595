// SPDX-License-Identifier: Apache-2.0

// Package shelf says which of the escrows at hand hold the material of a KMS
// key, how that is known, and when the material was last drilled. It reads the
// public headers of escrows, the records of drills and the receipts that keymat
// printed; it opens nothing and asks nobody.
package shelf

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/files"
)

// Shelf is what was found in some files and folders.
type Shelf struct {
	Places   []string // as they were named
	Escrows  []Escrow // in the order of their paths
	Problems []error  // what could not be read, though it is, or may hold, an escrow or a record

	evidence []evidence
}

// Escrow is an escrow in a file.
type Escrow struct {
	Path string
	*escrow.File
	header escrow.Digest
}

// maxFile is in bytes: an escrow is smaller, and so is a log of receipts of
// many years.
const maxFile = 4 << 20

// A NothingError says that a file which was named holds neither an escrow, nor
// a record of a drill, nor a receipt that tells of an escrow.
type NothingError struct{ Path string }

func (e *NothingError) Error() string {
	return e.Path + " holds no escrow, no record of a drill, and no receipt that tells of an escrow"
}

// Read looks at the files named, and through the folders named and all that is
// below them. It fails where a place cannot be looked at, or a file that was
// named is of no use (*NothingError); what goes wrong within a folder is among
// the Problems.
func Read(places []string) (*Shelf, error) {
	s := &Shelf{Places: places}
	for _, place := range places {
		info, err := os.Stat(place)
		if err != nil {
			return nil, fmt.Errorf("looking for escrows: %w", err)
		}
		if info.IsDir() {
			s.readFolder(place)
			continue
		}
		if err := s.readNamed(place); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// readNamed reads a file that has to be of use.
func (s *Shelf) readNamed(path string) error {
	before := len(s.Escrows) + len(s.evidence)
	if err := s.readFile(path); err != nil {
		return err
	}
	if len(s.Escrows)+len(s.evidence) == before {
		return &NothingError{Path: path}
	}
	return nil
}

// readFolder reads what is in a folder. The folder may be a link and so may the
// files, as where Kubernetes mounts them; links to folders are not followed.
func (s *Shelf) readFolder(folder string) {
	// The function below returns no error but to leave a folder out.
	_ = fs.WalkDir(os.DirFS(folder), ".", func(name string, entry fs.DirEntry, err error) error {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err != nil {
			s.Problems = append(s.Problems, err)
			return fs.SkipDir
		}
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxFile {
			return nil // a folder, a link to nowhere, a socket, a film
		}
		if err := s.readFile(path); err != nil {
			s.Problems = append(s.Problems, err)
		}
		return nil
	})
}

// readFile takes what a file holds, which may be nothing for us. Files that
// begin like no JSON object are not read any further: there may be key material
// beside its escrow.
func (s *Shelf) readFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("looking for escrows: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("looking for escrows: %w", err)
	}
	size := int64(maxFile)
	if info.Mode().IsRegular() {
		size = min(size, info.Size())
	}
	buffer := make([]byte, size+1)
	defer clear(buffer)
	data, err := readObjects(f, buffer)
	if err != nil {
		return fmt.Errorf("looking for escrows in %s: %w", path, err)
	}
	if len(data) > maxFile {
		return &files.TooLargeError{Name: path, Max: maxFile}
	}
	if err := s.take(path, data); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// readObjects fills the buffer as far as r goes, and returns nothing if that
// begins like no JSON object.
func readObjects(r io.Reader, buffer []byte) ([]byte, error) {
	start := min(64, len(buffer))
	n, err := io.ReadFull(r, buffer[:start])
	if n == 0 || !mayBeObject(buffer[:n]) {
		return nil, notAtEnd(err)
	}
	if err == nil {
		var more int
		more, err = io.ReadFull(r, buffer[start:])
		n += more
	}
	return buffer[:n], notAtEnd(err)
}

// notAtEnd leaves out that there is no more to read.
func notAtEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}
