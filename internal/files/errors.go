// SPDX-License-Identifier: Apache-2.0

package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// ExistsError says that a file to be created is there already.
type ExistsError struct {
	Name string // as given by the caller
}

func (e *ExistsError) Error() string { return e.Name + " exists already" }

// Is makes an ExistsError an fs.ErrExist.
func (e *ExistsError) Is(target error) bool { return target == fs.ErrExist }

// NotFileError says that a name belongs to something that cannot be read or
// replaced as a file is, such as a folder.
type NotFileError struct {
	Name string      // as given by the caller
	Mode fs.FileMode // what it is
}

func (e *NotFileError) Error() string {
	what := "not a regular file"
	switch {
	case e.Mode.IsDir():
		what = "a folder"
	case e.Mode&fs.ModeDevice != 0:
		what = "a device"
	case e.Mode&fs.ModeNamedPipe != 0:
		what = "a named pipe"
	case e.Mode&fs.ModeSocket != 0:
		what = "a socket"
	}
	return fmt.Sprintf("%s is %s", e.Name, what)
}

// TooLargeError says that an input is larger than anything that could be meant.
type TooLargeError struct {
	Name string // of the file, or "standard input"
	Max  int64  // bytes
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s is larger than %d bytes", e.Name, e.Max)
}

// ChangedError says that a medium did not give back what was written to it.
type ChangedError struct {
	Name string // as given by the caller
}

func (e *ChangedError) Error() string {
	return e.Name + " reads back differently from what was written"
}

// UnflushedError says that a file has been replaced, and that its folder could
// not be flushed: after a power loss it may be the old one again.
type UnflushedError struct {
	Name string // as given by the caller
	Err  error  // the operating system's
}

func (e *UnflushedError) Error() string {
	return fmt.Sprintf("%s was replaced, but a power loss may undo that: %v", e.Name, e.Err)
}

func (e *UnflushedError) Unwrap() error { return e.Err }

// wrap names the file the caller knows. The system's error may carry another
// name, that of a temporary file, and what was called on it: only its cause is
// kept.
func wrap(doing, name string, err error) error {
	return fmt.Errorf("%s %s: %w", doing, name, cause(err))
}

// cause returns what is left of a file system error without operation and path.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	return err
}
