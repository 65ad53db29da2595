// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

package integration_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// TestMemoryAtRest makes 10,000 keys and demands that a mock which is left
// alone then needs at most 40 MiB, whatever it took on the way.
func TestMemoryAtRest(t *testing.T) {
	const (
		keys    = 10_000
		clients = 8
		want    = 40 << 10 // KiB
	)
	s, err := serve(newDesk(t).dir, "--memory")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)

	client := newClient(s.url)
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for range keys / clients {
				if _, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()

	deadline, tick := time.After(time.Minute), time.NewTicker(time.Second/2)
	defer tick.Stop()
	for {
		got := residentMemory(t, s.cmd.Process.Pid)
		if got <= want {
			t.Logf("%d KiB", got)
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("a minute later the mock still holds %d KiB, want %d", got, want)
		}
	}
}

// residentMemory is what a process has in memory, in KiB.
func residentMemory(t *testing.T, pid int) (kib int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib
}
