// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// mount is a line of /proc/self/mountinfo (proc_pid_mountinfo(5)).
type mount struct {
	at      string
	options []string // of this mount
	kind    string   // of file system
	source  string
	super   []string // options of the file system
}

func (m Machine) mounts() (all []mount, err error) {
	table, err := m.read("proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	for number, row := range lines(table, 0) {
		dash := slices.Index(row, "-")
		if dash < 6 || len(row) < dash+4 {
			return nil, fmt.Errorf("line %d of /proc/self/mountinfo is of another form", number+1)
		}
		all = append(all, mount{
			at: unescape(row[4]), options: strings.Split(row[5], ","),
			kind: row[dash+1], source: unescape(row[dash+2]), super: strings.Split(row[dash+3], ","),
		})
	}
	return all, nil
}

// unescape undoes what the kernel does to the characters that would end a field.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

func (m mount) writable() bool {
	return !slices.Contains(m.options, "ro") && !slices.Contains(m.super, "ro")
}

// holding returns the mount that a path is in: the last of those with the
// longest path, which covers the others.
func holding(all []mount, name string) (mount, bool) {
	best, found := mount{}, false
	for _, m := range all {
		inside := m.at == "/" || name == m.at || strings.HasPrefix(name, m.at+"/")
		if inside && len(m.at) >= len(best.at) {
			best, found = m, true
		}
	}
	return best, found
}

// inMemory are the file systems that are on no medium.
var inMemory = []string{"tmpfs", "ramfs"}

// workspace looks at where files go: into memory only, and nothing there can be
// run.
func workspace(m Machine) (finding, error) {
	if m.Workspace == "" {
		return finding{}, errors.New("no folder was named")
	}
	all, err := m.mounts()
	if err != nil {
		return finding{}, err
	}
	in, found := holding(all, m.Workspace)
	if !found {
		return finding{}, errors.New("/proc/self/mountinfo does not say where the folder is")
	}
	const do = "mount -t tmpfs -o noexec,nosuid,nodev,mode=0700 tmpfs DIR, and name it with --workspace DIR"
	if !slices.Contains(inMemory, in.kind) {
		return stop(fmt.Sprintf("%s is in %s, on a medium", m.Workspace, in.kind), do)
	}
	var missing []string
	for _, option := range []string{"noexec", "nosuid"} {
		if !slices.Contains(in.options, option) {
			missing = append(missing, option)
		}
	}
	if len(missing) > 0 {
		return stop(fmt.Sprintf("%s is in %s without %s", m.Workspace, in.kind, strings.Join(missing, " and ")), do)
	}
	return ok(fmt.Sprintf("%s is in %s, with noexec and nosuid", m.Workspace, in.kind))
}

// virtual are file systems that hold nothing of their own, beside inMemory.
var virtual = []string{
	"autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs", "fusectl",
	"hugetlbfs", "mqueue", "nsfs", "proc", "pstore", "rpc_pipefs", "securityfs", "selinuxfs", "sysfs", "tracefs",
}

// remote are file systems on other machines, or on the host of a virtual one.
var remote = []string{"9p", "afs", "ceph", "cifs", "fuse.sshfs", "nfs", "nfs4", "smb3", "vboxsf", "virtiofs"}

// mounts looks for media that could take something in, or give something away.
// A machine that runs from a disk is to be known; other disks are not needed.
func mounts(m Machine) (finding, error) {
	all, err := m.mounts()
	if err != nil {
		return finding{}, err
	}
	root := ""
	var others []string
	for _, mounted := range all {
		kind := mounted.kind
		switch {
		case slices.Contains(virtual, kind), slices.Contains(inMemory, kind):
		case slices.Contains(remote, kind):
			others = append(others, mounted.at+" ("+kind+")")
		case !mounted.writable():
		case kind == "overlay" && overMemory(all, mounted): // of a live system
		case mounted.at == "/":
			root = kind
		default:
			others = append(others, mounted.at+" ("+kind+")")
		}
	}
	switch {
	case len(others) > 0:
		return stop("can be written to, or are elsewhere: "+strings.Join(others, ", "), "unmount them; mount a medium when its step comes")
	case root != "":
		return warning("the system runs from a disk that can be written to ("+root+")", "start it from a read-only medium")
	}
	return ok("nothing that can be written to, but memory")
}

// overMemory reports whether what is written to an overlay stays in memory.
func overMemory(all []mount, overlay mount) bool {
	for _, option := range overlay.super {
		upper, ok := strings.CutPrefix(option, "upperdir=")
		if !ok {
			continue
		}
		in, found := holding(all, upper)
		return found && slices.Contains(inMemory, in.kind)
	}
	return false
}
