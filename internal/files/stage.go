// SPDX-License-Identifier: Apache-2.0

package files

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A Staged file is on its medium as a whole and not yet to be seen under its
// name: what it would replace is still there. So it can be tried before anybody
// relies on it. Where Linux has files without a name (ext4, XFS, Btrfs, tmpfs),
// it is one until then, and whatever ends the process leaves nothing of it.
// Elsewhere it has a hidden name beside the one to come, and if the process is
// killed it stays until one of our writers next comes to that folder.
type Staged struct {
	name string
	o    Overwrite
	file *os.File // nil when it has been placed or discarded
	temp string   // its hidden name; "" when it has none
}

// StageSecret writes data to a new file, readable by its owner only (0600),
// which Place will give this name. Errors are those of WriteSecret. The caller
// ends with Place or Discard.
func StageSecret(name string, data []byte, o Overwrite) (*Staged, error) {
	return stage(name, data, secretMode, o)
}

// StagePublic is StageSecret for data anybody may read (0644).
func StagePublic(name string, data []byte, o Overwrite) (*Staged, error) {
	return stage(name, data, publicMode, o)
}

func stage(name string, data []byte, mode fs.FileMode, o Overwrite) (*Staged, error) {
	return stageFrom(name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}, mode, o)
}

func stageFrom(name string, fill func(io.Writer) error, mode fs.FileMode, o Overwrite) (*Staged, error) {
	if err := Check(name, o); err != nil {
		return nil, err
	}
	folder := filepath.Dir(name)
	removeStale(folder)
	s := &Staged{name: name, o: o}
	var err error
	if s.file, err = openNameless(folder, mode); errors.Is(err, errors.ErrUnsupported) {
		s.file, s.temp, err = openHidden(folder, mode)
	}
	if err != nil {
		return nil, wrap("writing", name, err)
	}
	if err = fill(s.file); err == nil {
		err = s.file.Sync()
	}
	if err != nil {
		s.Discard()
		return nil, wrap("writing", name, err)
	}
	return s, nil
}

// ReadBack returns the content of the file, of at most max bytes, from its
// medium as the function ReadBack does. Errors are the same.
func (s *Staged) ReadBack(max int64) (data []byte, err error) {
	err = s.fromMedium(func(f *os.File) (err error) {
		data, err = readAtMost(s.name, f, max)
		return err
	})
	return data, err
}

// fromMedium has the file read from its start, and from its medium as far as
// that can be.
func (s *Staged) fromMedium(read func(*os.File) error) error {
	f := s.file
	if s.temp != "" { // opened anew, so that a server is asked anew
		var err error
		if f, err = os.Open(s.temp); err != nil {
			return wrap("reading", s.name, err)
		}
		defer f.Close()
	}
	forgetCached(f)
	if _, err := f.Seek(0, 0); err != nil {
		return wrap("reading", s.name, err)
	}
	return read(f)
}

// Place gives the file its name, in one step for anybody who looks, and has
// survived a power loss once it returns nil. After an error there is nothing
// left of the file, except with an *UnflushedError. Other errors: *ExistsError if
// the name has been taken meanwhile, or the operating system's, wrapped.
func (s *Staged) Place() error {
	defer s.Discard()
	if err := s.place(); errors.Is(err, fs.ErrExist) {
		return &ExistsError{Name: s.name}
	} else if err != nil {
		return wrap("writing", s.name, err)
	}
	err := syncFolder(filepath.Dir(s.name))
	if err != nil && s.o == KeepExisting {
		os.Remove(s.name)
		return wrap("writing", s.name, err)
	}
	if err != nil {
		return &UnflushedError{Name: s.name, Err: cause(err)}
	}
	return nil
}

func (s *Staged) place() error {
	if s.temp == "" {
		err := linkNameless(s.file, s.name)
		if s.o == KeepExisting || !errors.Is(err, fs.ErrExist) {
			return err
		}
		// Only a rename replaces, and that takes a name.
		temp := hiddenName(filepath.Dir(s.name))
		if err := linkNameless(s.file, temp); err != nil {
			return err
		}
		s.temp = temp
	}
	if err := releaseToMove(s.file); err != nil {
		return err
	}
	move := moveNew
	if s.o == ReplaceExisting {
		move = os.Rename
	}
	err := move(s.temp, s.name)
	if err == nil {
		s.temp = ""
	}
	return err
}

// Discard removes the file, unless it has been placed. What is done already is
// not done twice.
func (s *Staged) Discard() {
	if s.file == nil {
		return
	}
	s.file.Close()
	if s.temp != "" {
		os.Remove(s.temp)
	}
	s.file = nil
}

// openHidden makes a new file in folder (a rename must not cross file systems)
// under a hidden name. Its random part makes a collision, or a link planted by
// somebody else, a matter of O_EXCL.
func openHidden(folder string, mode fs.FileMode) (f *os.File, name string, err error) {
	for {
		name = hiddenName(folder)
		if f, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode); err != nil {
			return nil, "", err
		}
		claim(f)
		if _, err := os.Lstat(name); err == nil {
			return f, name, nil
		}
		f.Close() // before it was claimed, somebody else took it for stale
	}
}

// hiddenPrefix is what our files begin with that have no name of their own yet.
const hiddenPrefix = ".keymat-"

func hiddenName(folder string) string { return filepath.Join(folder, hiddenPrefix+rand.Text()) }
