// SPDX-License-Identifier: Apache-2.0

//go:build unix

package files

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// claim says that f is being written (flock(2)), until it is closed or the
// process ends in whatever way. Where it cannot be said, removeStale cannot find
// it stale either.
func claim(f *os.File) { _ = unix.Flock(int(f.Fd()), unix.LOCK_EX) }

// lookedAt is how many names of a folder removeStale reads: thousands of files
// written into one folder shall not cost a look at all of them each.
const lookedAt = 1024

// removeStale removes the files of ours with a hidden name that nobody writes any
// more: the process was killed. They may hold secrets. What cannot be removed
// stays, for it is in nobody's way.
func removeStale(folder string) {
	d, err := os.Open(folder)
	if err != nil {
		return
	}
	defer d.Close()
	names, _ := d.Readdirnames(lookedAt)
	for _, name := range names {
		if strings.HasPrefix(name, hiddenPrefix) && len(name) == len(hiddenName("")) {
			removeUnclaimed(filepath.Join(folder, name))
		}
	}
}

func removeUnclaimed(name string) {
	f, err := os.OpenFile(name, os.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
		os.Remove(name) // a name that nothing else ever gets
	}
}
