// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package files

import (
	"errors"
	"io/fs"
	"os"
)

// openNameless says that every file has a name here.
func openNameless(string, fs.FileMode) (*os.File, error) { return nil, errors.ErrUnsupported }

func linkNameless(*os.File, string) error { return errors.ErrUnsupported }
