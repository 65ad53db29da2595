// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// Read calls each with the entries of a journal, one at a time, in memory for
// one line. A process may have died, and the power gone, in the middle of the
// last line: it is left out, and torn tells its length in bytes. Errors: a
// [*DamagedError], that of each, or the operating system's.
func Read(path string, each func(Entry) error) (torn int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return read(path, f, each)
}

// read is Read; without each only the first line is looked into.
func read(path string, r io.Reader, each func(Entry) error) (torn int, err error) {
	lines := bufio.NewReaderSize(r, maxLine)
	for number := 1; ; number++ {
		line, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return len(line), nil
		case errors.Is(err, bufio.ErrBufferFull):
			return tornOrDamaged(path, number, lines, len(line))
		case err != nil:
			return 0, err
		}
		var e Entry
		switch {
		case number == 1:
			err = checkHeader(line)
		case each != nil:
			e, err = parse(line)
		}
		if err != nil {
			return 0, &DamagedError{path, number, err}
		}
		if number > 1 && each != nil {
			if err := each(e); err != nil {
				return 0, err
			}
		}
	}
}

// tornOrDamaged judges a line that is longer than any: the file system may
// have filled the end of the file with anything, but nothing may follow.
func tornOrDamaged(path string, number int, lines *bufio.Reader, length int) (int, error) {
	for {
		more, err := lines.ReadSlice('\n')
		length += len(more)
		switch {
		case errors.Is(err, io.EOF):
			return length, nil
		case err == nil:
			return 0, &DamagedError{path, number, fmt.Errorf("a line of more than %d bytes", maxLine)}
		case !errors.Is(err, bufio.ErrBufferFull):
			return 0, err
		}
	}
}

func parse(line []byte) (e Entry, err error) {
	type plain Entry // without methods
	err = decode(line, (*plain)(&e))
	set := 0
	for _, is := range []bool{e.Run != nil, e.Torn != 0, e.Change != ""} {
		if is {
			set++
		}
	}
	if err == nil && set != 1 {
		err = errors.New("it says neither what runs, nor what was torn, nor what becomes of a change")
	}
	return e, err
}

func checkHeader(line []byte) error {
	var first header
	if err := decode(line, &first); err != nil {
		return err
	}
	if first.Kind != kind || first.Version != version {
		return fmt.Errorf("it is %.40q version %d, not %q version %d", first.Kind, first.Version, kind, version)
	}
	return nil
}

func decode(line []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	return nil
}
