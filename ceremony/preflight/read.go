// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"errors"
	"io/fs"
	"path"
	"strings"
)

// read returns a file of the machine.
func (m Machine) read(name string) (string, error) {
	b, err := fs.ReadFile(m.Files, name)
	return string(b), err
}

// line returns a file of one line, and "" for one that cannot be read.
func (m Machine) line(name string) string {
	content, _ := m.read(name)
	return strings.TrimSpace(content)
}

// optional is read for a file that need not be there: then it is empty.
func (m Machine) optional(name string) (string, error) {
	content, err := m.read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", m.mounted(name)
	}
	return content, err
}

// size returns the length of a file in bytes without reading it, and 0 if it is
// not there.
func (m Machine) size(name string) (int64, error) {
	info, err := fs.Stat(m.Files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// mounted demands that the file system is there that a file of the kernel's is
// missing in. Without /proc nothing in it is there, and nothing follows.
func (m Machine) mounted(name string) error {
	root, _, _ := strings.Cut(name, "/")
	always, ok := map[string]string{"proc": "proc/self/status", "sys": "sys/class/net"}[root]
	if !ok {
		return nil
	}
	_, err := fs.Stat(m.Files, always)
	return err
}

// entries returns the names in a folder, which need not be there: then there
// are none.
func (m Machine) entries(name string) (names []string, err error) {
	entries, err := fs.ReadDir(m.Files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, m.mounted(name)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

// lines splits a table of the kernel's into rows of fields, less as many lines
// at its beginning as are headings.
func lines(content string, headings int) (rows [][]string) {
	for line := range strings.Lines(content) {
		if headings > 0 {
			headings--
			continue
		}
		if f := strings.Fields(line); len(f) > 0 {
			rows = append(rows, f)
		}
	}
	return rows
}

// inRoot is an absolute path as fs.FS wants it.
func inRoot(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }
