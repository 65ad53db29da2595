// SPDX-License-Identifier: Apache-2.0

package files_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/keymat/keymat/internal/files"
)

// This test binary, started again, is to write the file that one of these
// variables names: where there is no room for it, or killed before its end.
const (
	diskFull = "KEYMAT_TEST_DISK_FULL"
	killed   = "KEYMAT_TEST_KILLED"
)

func TestMain(m *testing.M) {
	if name := os.Getenv(diskFull); name != "" {
		fmt.Print(writeWithoutRoom(name))
		return
	}
	if name := os.Getenv(killed); name != "" {
		fmt.Print(killedBeforeItsEnd(name))
		return
	}
	os.Exit(m.Run())
}

func killedBeforeItsEnd(name string) error {
	if _, err := files.StageSecret(name, []byte("secret"), files.KeepExisting); err != nil {
		return err
	}
	return unix.Kill(os.Getpid(), unix.SIGKILL)
}

// TestKilled: of a file without its name nothing is left, where there are files
// without any name; and in any case not for longer than to the next file.
func TestKilled(t *testing.T) {
	name := filepath.Join(t.TempDir(), "key.bin")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killed+"="+name)
	if stdout, err := cmd.Output(); cmd.ProcessState.ExitCode() != -1 {
		t.Fatalf("it ended: %s, %v", stdout, err)
	}
	f, err := os.OpenFile(filepath.Dir(name), unix.O_TMPFILE|os.O_RDWR, 0o600)
	if err == nil {
		f.Close()
		wantNone(t, filepath.Dir(name))
	}
	if err := files.WriteSecret(name, []byte("next"), files.KeepExisting); err != nil {
		t.Fatal(err)
	}
	wantOnly(t, name)
}

func wantNone(t *testing.T, folder string) {
	t.Helper()
	if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
		t.Errorf("the folder holds %q, error %v", entries, err)
	}
}

// writeWithoutRoom lets a file of 100 bytes grow to 10: a full disk made of a
// limit on the process.
func writeWithoutRoom(name string) error {
	signal.Ignore(unix.SIGXFSZ)
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 10, Max: 10}); err != nil {
		return err
	}
	return files.WriteSecret(name, make([]byte, 100), files.ReplaceExisting)
}

func TestDiskFull(t *testing.T) {
	name := filepath.Join(t.TempDir(), "key.bin")
	if err := os.WriteFile(name, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), diskFull+"="+name)
	var stdout strings.Builder // a pipe: the limit counts for files only
	cmd.Stdout = &stdout
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if got, want := stdout.String(), "writing "+name+": file too large"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	wantContent(t, name, "kept")
	wantOnly(t, name)
}

// TestSpecialFiles: root with --force must not lose /dev/null.
func TestSpecialFiles(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, want string }{
		{fifo, fifo + " is a named pipe"},
		{"/dev/null", "/dev/null is a device"},
	} {
		// Check only: a broken writer would do the harm.
		err := files.Check(test.name, files.ReplaceExisting)
		if _, ok := errors.AsType[*files.NotFileError](err); !ok || err.Error() != test.want {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}

// TestReadPipe reads what a shell's <(...) gives.
func TestReadPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := w.WriteString("12345"); err != nil {
		t.Fatal(err)
	}
	w.Close()
	got, err := files.ReadLimited(fmt.Sprintf("/proc/self/fd/%d", r.Fd()), nil, 5)
	if err != nil || string(got) != "12345" {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestReadWithoutSize reads a file that says it has 0 bytes, and has more.
func TestReadWithoutSize(t *testing.T) {
	content, err := files.ReadLimited("/proc/self/status", nil, 1<<20)
	if err != nil || !bytes.HasPrefix(content, []byte("Name:")) || !bytes.HasSuffix(content, []byte("\n")) {
		t.Errorf("%d bytes, error %v", len(content), err)
	}
}
