// SPDX-License-Identifier: Apache-2.0

package files_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/keymat/keymat/internal/files"
)

type writer func(name string, data []byte, o files.Overwrite) error

var writers = map[string]struct {
	write writer
	mode  fs.FileMode
}{
	"WriteSecret": {files.WriteSecret, 0o600},
	"WritePublic": {files.WritePublic, 0o644},
	"WritePublicFrom": {func(name string, data []byte, o files.Overwrite) error {
		return files.WritePublicFrom(name, func(w io.Writer) error {
			_, err := w.Write(data)
			return err
		}, o)
	}, 0o644},
}

func TestWrite(t *testing.T) {
	for name, w := range writers {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "key.bin")
			for _, o := range []files.Overwrite{files.KeepExisting, files.ReplaceExisting} {
				data := fmt.Appendf(nil, "data %t", o)
				if err := files.Check(file, o); err != nil {
					t.Fatal(err)
				}
				if err := w.write(file, data, o); err != nil {
					t.Fatal(err)
				}
				wantContent(t, file, string(data))
				wantMode(t, file, w.mode)
				wantOnly(t, file)
			}
		})
	}
}

// When what fills a file fails half-way, nothing of it is left, and what was
// there is what it was.
func TestFillFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "plan.json")
	broken := errors.New("broken")
	fill := func(w io.Writer) error {
		io.WriteString(w, "half")
		return broken
	}
	if err := files.WritePublicFrom(file, fill, files.KeepExisting); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if err := files.WritePublic(file, []byte("old"), files.KeepExisting); err != nil {
		t.Fatal(err)
	}
	if err := files.WritePublicFrom(file, fill, files.ReplaceExisting); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	wantContent(t, file, "old")
	wantOnly(t, file)
}

// TestReplaceTightens: the replaced file's own permissions do not live on.
func TestReplaceTightens(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key.bin")
	if err := os.WriteFile(file, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := files.WriteSecret(file, []byte("new"), files.ReplaceExisting); err != nil {
		t.Fatal(err)
	}
	wantMode(t, file, 0o600)
}

func TestRefusals(t *testing.T) {
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	if err := errors.Join(
		os.WriteFile(in("file"), []byte("kept"), 0o600),
		os.Mkdir(in("folder"), 0o700),
		os.Symlink("nowhere", in("link")),
	); err != nil {
		t.Fatal(err)
	}
	missing := fmt.Sprintf("writing %s: folder %s: ", in("no/file"), in("no"))
	tests := []struct {
		name string
		o    files.Overwrite
		want string // prefix, where the system has its own words
	}{
		{"file", files.KeepExisting, in("file") + " exists already"},
		{"link", files.KeepExisting, in("link") + " exists already"},
		{"folder", files.KeepExisting, in("folder") + " exists already"},
		{"folder", files.ReplaceExisting, in("folder") + " is a folder"},
		{"no/file", files.KeepExisting, missing},
		{"no/file", files.ReplaceExisting, missing},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.name, " ", test.o), func(t *testing.T) {
			check := files.Check(in(test.name), test.o)
			write := files.WriteSecret(in(test.name), []byte("data"), test.o)
			for _, err := range []error{check, write} {
				if err == nil || !strings.HasPrefix(err.Error(), test.want) {
					t.Errorf("got %v, want %s", err, test.want)
				}
			}
		})
	}
	wantContent(t, in("file"), "kept")
	wantOnly(t, in("file"), in("folder"), in("link"))
	if err := files.WriteSecret(in("file"), nil, files.KeepExisting); !errors.Is(err, fs.ErrExist) {
		t.Errorf("%v is no fs.ErrExist", err)
	}
}

func TestReplaceLink(t *testing.T) {
	folder := t.TempDir()
	target, link := filepath.Join(folder, "target"), filepath.Join(folder, "link")
	if err := errors.Join(os.WriteFile(target, []byte("kept"), 0o644), os.Symlink(target, link)); err != nil {
		t.Fatal(err)
	}
	if err := files.WriteSecret(link, []byte("new"), files.ReplaceExisting); err != nil {
		t.Fatal(err)
	}
	wantContent(t, target, "kept")
	wantContent(t, link, "new")
	wantMode(t, link, 0o600)
}

// TestWriteRace: of many writers of one name exactly one wins, the rest hear
// so, and whoever looks sees nothing or all of it.
func TestWriteRace(t *testing.T) {
	const runners = 16
	file := filepath.Join(t.TempDir(), "key.bin")
	var all sync.WaitGroup
	results := make([]error, runners)
	for i := range runners {
		all.Go(func() {
			results[i] = files.WriteSecret(file, bytes.Repeat([]byte{byte('a' + i)}, 100_000), files.KeepExisting)
			if got, err := os.ReadFile(file); err != nil || len(got) != 100_000 {
				t.Errorf("saw %d bytes, %v", len(got), err)
			}
		})
	}
	all.Wait()
	winner := -1
	for i, err := range results {
		switch _, exists := errors.AsType[*files.ExistsError](err); {
		case err == nil && winner >= 0:
			t.Errorf("%d and %d both won", winner, i)
		case err == nil:
			winner = i
		case !exists:
			t.Errorf("%d: %v", i, err)
		}
	}
	wantContent(t, file, strings.Repeat(string(rune('a'+winner)), 100_000))
	wantOnly(t, file)
}

func TestReadLimited(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "key.bin")
	if err := os.WriteFile(file, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		file    string
		stdin   io.Reader
		max     int64
		want    string
		wantErr string
	}{
		{"below the limit", file, nil, 6, "12345", ""},
		{"at the limit", file, nil, 5, "12345", ""},
		{"above the limit", file, nil, 4, "", file + " is larger than 4 bytes"},
		{"stdin below", "-", strings.NewReader("1234"), 5, "1234", ""},
		{"stdin at", "-", iotest.OneByteReader(strings.NewReader("12345")), 5, "12345", ""},
		{"stdin above", "-", iotest.OneByteReader(strings.NewReader("123456")), 5, "", "standard input is larger than 5 bytes"},
		{"stdin empty", "-", strings.NewReader(""), 5, "", ""},
		{"stdin breaks", "-", iotest.ErrReader(errors.New("unplugged")), 5, "", "reading standard input: unplugged"},
		{"folder", folder, nil, 5, "", folder + " is a folder"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := files.ReadLimited(test.file, test.stdin, test.max)
			if string(got) != test.want || cap(got) != len(got) {
				t.Errorf("got %q (capacity %d), want %q", got, cap(got), test.want)
			}
			if message := fmt.Sprint(err); err != nil && message != test.wantErr || err == nil && test.wantErr != "" {
				t.Errorf("got error %v, want %s", err, test.wantErr)
			}
		})
	}
}

func TestReadMissing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key.bin")
	_, err := files.ReadLimited(file, nil, 5)
	if !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "reading "+file+": ") {
		t.Errorf("got %v", err)
	}
}

// TestStage: until it is placed nobody sees the new file, and the old one is
// there; after that nothing else is.
func TestStage(t *testing.T) {
	for _, tt := range []struct {
		o   files.Overwrite
		old bool
	}{{files.KeepExisting, false}, {files.ReplaceExisting, false}, {files.ReplaceExisting, true}} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "app.escrow")
			if tt.old {
				if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			before, _ := os.ReadFile(file)
			stage := func() *files.Staged {
				s, err := files.StagePublic(file, []byte("12345"), tt.o)
				if err != nil {
					t.Fatal(err)
				}
				for range 2 {
					if got, err := s.ReadBack(5); err != nil || string(got) != "12345" {
						t.Errorf("read back %q, %v", got, err)
					}
				}
				if got, err := s.ReadBack(4); got != nil || err == nil || err.Error() != file+" is larger than 4 bytes" {
					t.Errorf("read back %q, %v", got, err)
				}
				if now, _ := os.ReadFile(file); !bytes.Equal(now, before) {
					t.Errorf("%s holds %q already", file, now)
				}
				return s
			}
			s := stage()
			s.Discard()
			s.Discard()
			if now, _ := os.ReadFile(file); !bytes.Equal(now, before) {
				t.Errorf("discarded: %s holds %q", file, now)
			}
			if err := stage().Place(); err != nil {
				t.Fatal(err)
			}
			wantContent(t, file, "12345")
			wantMode(t, file, 0o644)
			wantOnly(t, file)
		})
	}
}

// TestStageTaken: a name may be taken while a file is tried.
func TestStageTaken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "app.key")
	s, err := files.StageSecret(file, []byte("late"), files.KeepExisting)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("first"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, taken := errors.AsType[*files.ExistsError](s.Place()); !taken {
		t.Error("no ExistsError")
	}
	wantContent(t, file, "first")
	wantOnly(t, file)
}

func wantContent(t *testing.T, name, want string) {
	t.Helper()
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s: got %.20q (%d bytes), want %.20q (%d bytes)", name, got, len(got), want, len(want))
	}
}

// wantMode compares permissions where there are any. The usual umask takes
// nothing from either of ours.
func wantMode(t *testing.T, name string, want fs.FileMode) {
	t.Helper()
	info, err := os.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode(); got != want && runtime.GOOS != "windows" {
		t.Errorf("%s: mode %v, want %v", name, got, want)
	}
}

// wantOnly says that nothing else is in the folder: no temporary file.
func wantOnly(t *testing.T, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(names[0]))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, filepath.Join(filepath.Dir(names[0]), entry.Name()))
	}
	if fmt.Sprint(got) != fmt.Sprint(names) {
		t.Errorf("the folder holds %q, want %q", got, names)
	}
}

func TestMakeFolder(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "shares")
	for range 2 { // the second time it is there
		if err := files.MakeFolder(folder); err != nil {
			t.Fatal(err)
		}
	}
	wantMode(t, folder, fs.ModeDir|0o700)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := files.MakeFolder(dir); err != nil {
		t.Error(err)
	}
	wantMode(t, dir, fs.ModeDir|0o755)

	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := files.MakeFolder(file); err == nil || err.Error() != "making "+file+": there is something that is no folder" {
		t.Errorf("a file in the way: %v", err)
	}
	if err := files.MakeFolder(filepath.Join(dir, "no", "such")); !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "making ") {
		t.Errorf("no parent: %v", err)
	}
}

func TestReadBack(t *testing.T) {
	file := filepath.Join(t.TempDir(), "app.escrow")
	if err := files.WritePublic(file, []byte("12345"), files.KeepExisting); err != nil {
		t.Fatal(err)
	}
	if got, err := files.ReadBack(file, 5); err != nil || string(got) != "12345" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := files.ReadBack(file, 4); got != nil || err == nil || err.Error() != file+" is larger than 4 bytes" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := files.ReadBack(filepath.Dir(file), 5); err == nil || err.Error() != filepath.Dir(file)+" is a folder" {
		t.Errorf("a folder: %v", err)
	}
	if _, err := files.ReadBack(files.Stdin, 5); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("standard input can be read only once: %v", err)
	}
}
