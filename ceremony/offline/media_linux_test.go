// SPDX-License-Identifier: Apache-2.0

package offline_test

import (
	"errors"
	"os"
	"os/signal"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/record"
)

// limitFiles lets no file of this process grow beyond some bytes: a full disk made of
// a limit. The result lifts it.
func limitFiles(t *testing.T, bytes int64) (lift func()) {
	t.Helper()
	signal.Ignore(unix.SIGXFSZ)
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: uint64(bytes), Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	lift = func() {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(lift)
	return lift
}

// TestMediumFails: a line that does not get onto a medium costs nobody the material,
// which is in memory alone.
func TestMediumFails(t *testing.T) {
	c := newCeremony(t, small)
	c.mirrors = []string{c.media("mirror")}
	m, p := c.machine(), c.room()
	c.mustHold(m, p, phase.ReadShare)
	info, err := os.Stat(c.folder.Path(evidence.RecordFile(1)))
	if err != nil {
		t.Fatal(err)
	}
	lift := func() {}
	p.before = func(method string) {
		if method == "bag" { // comes last before the line
			lift = limitFiles(t, info.Size()+50)
			p.before = nil
		}
	}
	var asked []string
	p.decide = func(question string, options []string) int {
		if !strings.HasPrefix(question, "The record could not be written") {
			return 0
		}
		asked = append(asked, question)
		switch len(asked) {
		case 1:
			return slices.Index(options, "stop")
		case 2:
			lift()
			os.RemoveAll(c.mirrors[0])
			return slices.Index(options, "repeat")
		}
		return slices.Index(options, "go on without "+c.mirrors[0])
	}
	err = c.hold(m, p, "")
	if e, ok := errors.AsType[*record.FolderError](err); !ok || e.Folder != string(c.folder) {
		t.Errorf("error %v", err)
	}
	c.mustHold(m, p, "")
	if len(asked) != 3 {
		t.Errorf("people were asked %q", asked)
	}
	if !slices.Contains(c.lines(), "resume") || slices.Contains(c.lines(), "interrupt") {
		t.Errorf("the record has the lines %v", c.lines())
	}
	c.holds(p)
}
