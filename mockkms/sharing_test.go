// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/keymat/keymat/mockkms"
)

// The test binary plays the other processes itself: with this variable set it
// writes to the store at the path it holds, until it is killed or is done.
const writerVariable = "MOCKKMS_TEST_WRITER"

func TestMain(m *testing.M) {
	if path := os.Getenv(writerVariable); path != "" {
		if err := writeRecords(path, os.Args[1], os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// writeRecords puts n numbered records, telling each number once the store
// has acknowledged it, and counts them all in one record.
func writeRecords(path, name, n string) error {
	store, err := mockkms.OpenStore(path)
	if err != nil {
		return err
	}
	last, err := strconv.Atoi(n)
	for i := range last {
		err := store.Update(func(tx mockkms.Tx) error {
			total, _ := strconv.Atoi(string(tx.Get("total")))
			if err := tx.Put("total", []byte(strconv.Itoa(total+1))); err != nil {
				return err
			}
			return tx.Put(fmt.Sprintf("%s/%d", name, i), []byte("written"))
		})
		if err != nil {
			return err
		}
		fmt.Println(i)
	}
	return err
}

// A writer is another process that writes to a store.
type writer struct {
	*exec.Cmd
	acknowledged *bufio.Scanner
}

func startWriter(t *testing.T, path, name string, n int) *writer {
	t.Helper()
	cmd := exec.Command(must(os.Executable()), name, strconv.Itoa(n))
	cmd.Env = append(os.Environ(), writerVariable+"="+path)
	cmd.Stderr = os.Stderr
	out := must(cmd.StdoutPipe())
	must(0, cmd.Start())
	return &writer{cmd, bufio.NewScanner(out)}
}

// A process that is killed loses nothing that was acknowledged, and leaves a
// store that opens.
func TestKilledWriterLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	for round := range 12 {
		name := fmt.Sprint("round", round)
		w := startWriter(t, path, name, 1e9)
		for range 1 + 3*round {
			if !w.acknowledged.Scan() {
				t.Fatalf("round %d: the writer stopped by itself", round)
			}
		}
		must(0, w.Process.Kill())
		last := w.acknowledged.Text()
		for w.acknowledged.Scan() { // acknowledged while it was being killed
			last = w.acknowledged.Text()
		}
		w.Wait()
		checkRecords(t, path, name, must(strconv.Atoi(last)))
	}
}

// A process killed while it makes the file leaves none, or a whole one.
func TestKilledCreatorLeavesNoHalfStore(t *testing.T) {
	for range 5 {
		path := filepath.Join(t.TempDir(), "state")
		w := startWriter(t, path, "none", 0)
		must(0, w.Process.Kill())
		w.Wait()
		must(0, must(mockkms.OpenStore(path)).Close())
	}
}

func checkRecords(t *testing.T, path, name string, last int) {
	t.Helper()
	store := must(mockkms.OpenStore(path))
	defer store.Close()
	must(0, store.View(func(tx mockkms.Tx) error {
		for i := range last + 1 {
			if tx.Get(fmt.Sprintf("%s/%d", name, i)) == nil {
				t.Errorf("%s: acknowledged record %d of %d is not there", name, i, last)
			}
		}
		return nil
	}))
}

// A process that is busy all the time lets others have their turn, and sees
// what they write.
func TestProcessesShareAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	const n = 40
	store := must(mockkms.OpenStore(path))
	defer store.Close()
	writers := map[string]*writer{"first": startWriter(t, path, "first", n), "second": startWriter(t, path, "second", n)}
	var running sync.WaitGroup
	for name, w := range writers {
		running.Go(func() {
			for w.acknowledged.Scan() {
			}
			if err := w.Wait(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	var done atomic.Bool
	go func() { running.Wait(); done.Store(true) }()
	var readers sync.WaitGroup
	for range 4 { // one of them always has the store open
		readers.Go(func() {
			for !done.Load() {
				must(contents(store, "total"))
			}
		})
	}
	readers.Wait()
	must(0, store.View(func(tx mockkms.Tx) error {
		if got, want := string(tx.Get("total")), strconv.Itoa(2*n); got != want {
			t.Errorf("two processes counted to %s, want %s", got, want)
		}
		return nil
	}))
	for name := range writers {
		checkRecords(t, path, name, n-1)
	}
}
