// SPDX-License-Identifier: Apache-2.0

package files

import (
	"errors"
	"io"
	"os"
)

// Stdin is the name that stands for standard input.
const Stdin = "-"

// ReadLimited returns the content of the file name, or of stdin if name is
// Stdin ("-"), if that is at most max bytes. Pipes and devices are read like
// files. The content passes through one buffer only, so whoever read a secret
// can clear all there is of it here. Errors: *TooLargeError, *NotFileError for
// a folder, or the operating system's, wrapped with the name.
func ReadLimited(name string, stdin io.Reader, max int64) ([]byte, error) {
	if name == Stdin {
		return readAtMost("standard input", stdin, max)
	}
	return readFile(name, max, func(*os.File) {})
}

// ReadBack is ReadLimited for a file that one of our writers has just written:
// it asks the system to forget what it keeps of the file in memory, so that the
// content comes from the medium. Linux and macOS do; elsewhere, and where there
// is no medium behind the memory, it is ReadLimited.
func ReadBack(name string, max int64) ([]byte, error) {
	return readFile(name, max, forgetCached)
}

func readFile(name string, max int64, prepare func(*os.File)) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, wrap("reading", name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, wrap("reading", name, err)
	}
	if info.IsDir() {
		return nil, &NotFileError{Name: name, Mode: info.Mode()}
	}
	prepare(f)
	if info.Mode().IsRegular() && info.Size() < max {
		content, err := readAtMost(name, f, info.Size())
		if _, ok := errors.AsType[*TooLargeError](err); !ok {
			return content, err
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil { // it grew, or is of a system that knows no sizes
			return nil, wrap("reading", name, err)
		}
	}
	return readAtMost(name, f, max)
}

// readAtMost reads r to its end. One buffer of the greatest size: io.ReadAll
// would leave copies behind each time it grows.
func readAtMost(name string, r io.Reader, max int64) ([]byte, error) {
	buffer := make([]byte, max+1)
	n, err := io.ReadFull(r, buffer)
	switch {
	case err == nil: // full, so at least one byte too many
		clear(buffer)
		return nil, &TooLargeError{Name: name, Max: max}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return buffer[:n:n], nil
	}
	clear(buffer)
	return nil, wrap("reading", name, err)
}
