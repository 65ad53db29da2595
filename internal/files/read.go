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
