// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

package integration_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPowerCuts takes the power away after every call that a command makes on
// the disk, in a model of one: what is not flushed is gone, or is there in name
// only. By the time that the import is sent the copy must open from what is left,
// and no escrow may be there that does not open. kill -9 cannot show this, for it
// leaves the memory of the kernel alone.
func TestPowerCuts(t *testing.T) {
	for _, c := range copyings() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newCopyDesk(t)
			run := d.prepare(c)
			cuts, sent := 0, false
			disk, seen := newDisk(d.replaced(run)), map[string]bool{}
			for _, call := range d.traceDisk(append(run.line, "--no-input")...) {
				disk.apply(t, call)
				sent = sent || strings.Contains(call.data, "TrentService.ImportKeyMaterial")
				for _, left := range []map[string]string{disk.flushed(), disk.namesAhead()} {
					cuts++
					if state := fmt.Sprint(sent, left); !seen[state] {
						seen[state] = true
						d.checkCut(run, left, sent)
					}
				}
			}
			if len(disk.nameless) == 0 {
				t.Log("this file system has no files without a name")
			}
			if cuts < 20 || sent != (run.key != "") || len(disk.flushed()) == 0 {
				t.Errorf("%d cuts, import seen: %t, %d files in the end", cuts, sent, len(disk.flushed()))
			}
		})
	}
}

// checkCut looks at what is on the disk after a power cut.
func (d *desk) checkCut(c trial, left map[string]string, sent bool) {
	d.t.Helper()
	copied, there := left[d.path("copy")]
	if (sent || c.replaces) && !there {
		d.t.Errorf("import sent: %t, and on the disk are only %q", sent, slices.Sorted(maps.Keys(left)))
	}
	if !there || c.replaces && copied == string(d.read("old.escrow")) {
		return
	}
	if c.opens == nil {
		if len(copied) != 32 {
			d.t.Errorf("the copy has %d bytes", len(copied))
		}
		return
	}
	d.restore(left)
	if o := d.try(built.keymat, slices.Concat([]string{"escrow", "drill", "copy", "--offline", "--no-input"}, c.opens)...); o.status != 0 {
		d.t.Errorf("import sent: %t; after the cut the escrow does not open: %s", sent, o.stderr)
	}
}

// restore puts on the desk what the disk held, and nothing else of it.
func (d *desk) restore(left map[string]string) {
	d.t.Helper()
	d.clearCopies()
	for name, content := range left {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			d.t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			d.t.Fatal(err)
		}
	}
}

// A disk is a model of one below a write-back cache.
type disk struct {
	names    map[string]*node // as programs see them
	durable  map[string]*node // as they come back after a power cut
	nameless map[string]*node // open files, by what the kernel calls them
}

type node struct {
	folder           bool
	content, durable string
}

// newDisk has these files, for long.
func newDisk(old map[string]string) *disk {
	d := &disk{map[string]*node{}, map[string]*node{}, map[string]*node{}}
	for name, content := range old {
		d.names[name] = &node{content: content, durable: content}
		d.durable[name] = d.names[name]
	}
	return d
}

// A diskCall is a system call that changes a disk, or a write to anywhere.
type diskCall struct {
	name  string
	paths []string // of the file, or the old and the new one
	data  string
}

// apply does what the call did.
func (d *disk) apply(t *testing.T, c diskCall) {
	t.Helper()
	switch c.name {
	case "openat": // with O_CREAT
		d.names[c.paths[0]] = new(node)
	case "O_TMPFILE":
		d.nameless[c.paths[0]] = new(node)
	case "mkdirat":
		d.names[c.paths[0]] = &node{folder: true}
	case "write":
		if n := d.file(c.paths[0]); n != nil {
			n.content += c.data
		}
	case "linkat":
		d.names[c.paths[1]] = d.file(c.paths[0])
	case "renameat", "renameat2":
		d.names[c.paths[1]] = d.names[c.paths[0]]
		delete(d.names, c.paths[0])
	case "unlinkat":
		delete(d.names, c.paths[0])
	case "fsync":
		d.flush(c.paths[0])
	default:
		t.Fatalf("the model has no %s", c.name)
	}
}

// file is an open file.
func (d *disk) file(path string) *node {
	if n := d.nameless[path]; n != nil {
		return n
	}
	return d.names[path]
}

// flush makes a file's content durable, or the names in a folder.
func (d *disk) flush(path string) {
	if n := d.file(path); n != nil && !n.folder {
		n.durable = n.content
		return
	}
	in := func(name string, _ *node) bool { return filepath.Dir(name) == path }
	maps.DeleteFunc(d.durable, in)
	for name, n := range d.names {
		if in(name, n) {
			d.durable[name] = n
		}
	}
}

// flushed is what is left if the cache did nothing by itself: files whose names
// and folders are durable, with the content that is.
func (d *disk) flushed() map[string]string { return contents(d.durable) }

// namesAhead is what is left if the cache wrote all names and no content, as
// file systems are free to.
func (d *disk) namesAhead() map[string]string { return contents(d.names) }

func contents(names map[string]*node) map[string]string {
	left := map[string]string{}
	for name, n := range names {
		folder := names[filepath.Dir(name)]
		if !n.folder && (folder != nil || !strings.Contains(name, "/cards/")) {
			left[name] = n.durable
		}
	}
	return left
}

// traceDisk runs keymat and returns its calls on files of the desk, and its
// writes to sockets, in order.
func (d *desk) traceDisk(args ...string) (calls []diskCall) {
	d.t.Helper()
	line := append([]string{"-f", "-q", "-y", "-xx", "-s", "1000000", "-o", "strace.log",
		"-e", "trace=openat,mkdirat,write,renameat2,renameat,rename,linkat,unlinkat,fsync,ftruncate,pwrite64", built.keymat}, args...)
	if o := d.try(tool(d.t, "strace", "strace"), line...); o.status != 0 {
		d.t.Fatalf("keymat %s: exit code %d\n%s", strings.Join(args, " "), o.status, o.stderr)
	}
	whole := regexp.MustCompile(`^(\d+) +(\w+)\((.*)\) += (\d+)(?:<([^>]*)>)?`)
	begun := regexp.MustCompile(`^(\d+) +(\w+\(.*) <unfinished \.\.\.>$`)
	ended := regexp.MustCompile(`^(\d+) +<\.\.\. \w+ resumed>(.*)$`)
	pending := map[string]string{}  // by thread
	nameless := map[string]string{} // what /proc/self/fd/N was last
	for line := range strings.Lines(string(d.read("strace.log"))) {
		line = strings.TrimSuffix(line, "\n")
		if b := begun.FindStringSubmatch(line); b != nil {
			pending[b[1]] = b[2]
			continue
		}
		if e := ended.FindStringSubmatch(line); e != nil {
			line = e[1] + " " + pending[e[1]] + e[2]
		}
		if w := whole.FindStringSubmatch(line); w != nil {
			call, ok := d.diskCall(w[2], w[3])
			switch {
			case strings.Contains(w[3], "O_TMPFILE"):
				call.name, call.paths[0] = "O_TMPFILE", unescape(d.t, w[5])
				nameless["/proc/self/fd/"+w[4]] = call.paths[0]
			case call.name == "linkat":
				call.paths[0] = nameless[call.paths[0]]
			}
			if ok {
				calls = append(calls, call)
			}
		}
	}
	return calls
}

// diskCall reads the arguments of a call, and tells whether it matters here.
func (d *desk) diskCall(name, args string) (c diskCall, matters bool) {
	d.t.Helper()
	text := regexp.MustCompile(`"((?:\\x[0-9a-f]{2})*)"`)
	on := regexp.MustCompile(`^\d+<([^>]*)>`).FindStringSubmatch(args)
	c = diskCall{name: name}
	var texts []string
	for _, s := range text.FindAllStringSubmatch(args, -1) {
		texts = append(texts, unescape(d.t, s[1]))
	}
	if on != nil { // a call on an open file
		path := unescape(d.t, on[1])
		c.paths = []string{path}
		if name == "write" && len(texts) == 1 {
			c.data = texts[0]
		}
		return c, strings.HasPrefix(path, d.dir) || strings.Contains(path, "socket:")
	}
	for _, path := range texts {
		if !filepath.IsAbs(path) {
			path = d.path(path)
		}
		c.paths = append(c.paths, path)
	}
	matters = len(c.paths) > 0 && strings.HasPrefix(c.paths[len(c.paths)-1], d.dir)
	return c, matters && (name != "openat" || strings.Contains(args, "O_CREAT") || strings.Contains(args, "O_TMPFILE"))
}
