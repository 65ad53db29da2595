// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material"
)

// Header is what the public part of an escrow says; only opening it shows
// whether that is true.
type Header struct {
	Path        string // under which the file can be opened
	Spec        material.Spec
	Fingerprint string
	SHA256      string // of the ciphertext, lower-case hex
}

// Headers gives the header of the escrow that a manifest calls path. Errors are
// those of the operating system, wrapped, and of [escrow.Read].
type Headers func(path string) (Header, error)

// HeadersIn reads escrows, whose relative paths begin in folder.
func HeadersIn(folder string) Headers {
	return func(path string) (Header, error) {
		if !filepath.IsAbs(path) {
			path = filepath.Join(folder, path)
		}
		return readHeader(path)
	}
}

func readHeader(path string) (Header, error) {
	f, err := os.Open(path)
	if err != nil {
		return Header{}, err
	}
	defer f.Close()
	e, err := escrow.Read(f)
	if err != nil {
		return Header{}, fmt.Errorf("%s: %w", path, err)
	}
	return Header{Path: path, Spec: e.KeySpec, Fingerprint: e.Fingerprint, SHA256: e.CiphertextSHA256().String()}, nil
}

// header reads an escrow's header once, or says why that cannot be.
func (d *decision) header(path string) (Header, error) {
	if h, known := d.read[path]; known {
		return h, nil
	}
	h, err := d.Headers(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Header{}, refuse("the escrow %s does not exist", path)
	case err != nil:
		return Header{}, refuse("the escrow %s cannot be read: %v", path, err)
	}
	if d.read == nil {
		d.read = make(map[string]Header)
	}
	d.read[path] = h
	return h, nil
}
