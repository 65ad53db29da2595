// SPDX-License-Identifier: Apache-2.0

package lockdown_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/keymat/keymat/internal/lockdown"
)

// What is done is for good, so a process of its own does it, and says what
// became of it.
const asked = "KEYMAT_TEST_LOCKDOWN"

func TestMain(m *testing.M) {
	if os.Getenv(asked) == "" {
		os.Exit(m.Run())
	}
	var got observed
	got.Report = lockdown.Enter()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil {
		panic(err)
	}
	got.CoreLimit = limit.Max
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	if err != nil {
		panic(err)
	}
	got.Dumpable = dumpable
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	got.Locked = !strings.Contains(string(status), "VmLck:\t       0 kB")
	if err := json.NewEncoder(os.Stdout).Encode(got); err != nil {
		panic(err)
	}
}

type observed struct {
	Report    lockdown.Report
	CoreLimit uint64
	Dumpable  int
	Locked    bool
}

func TestEnter(t *testing.T) {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), asked+"=1")
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got observed
	if err := json.NewDecoder(bytes.NewReader(out)).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Report.CoreFiles != "" || got.CoreLimit != 0 {
		t.Errorf("core files: %q, up to %d bytes", got.Report.CoreFiles, got.CoreLimit)
	}
	if got.Report.Tracing != "" || got.Dumpable != 0 {
		t.Errorf("tracing: %q, dumpable %d", got.Report.Tracing, got.Dumpable)
	}
	if locked := got.Report.Swap == ""; locked != got.Locked { // it depends on the limit of the user
		t.Errorf("swap: %q, but memory is locked: %t", got.Report.Swap, got.Locked)
	}
}
