// SPDX-License-Identifier: Apache-2.0

package files_test

import (
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

// diskFull is the file that this test binary, started again by TestDiskFull, is
// to write where there is no room for it.
const diskFull = "KEYMAT_TEST_DISK_FULL"

func TestMain(m *testing.M) {
	if name := os.Getenv(diskFull); name != "" {
		fmt.Print(writeWithoutRoom(name))
		return
	}
	os.Exit(m.Run())
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
