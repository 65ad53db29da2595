// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// keepers are programs that keep what is on a terminal, or pass it on to
// another machine, as /proc/PID/comm has their names (15 bytes at most).
var keepers = []string{
	"asciinema", "byobu", "dtach", "gotty", "mosh-server", "screen", "SCREEN", "script", "sshd", "sshd-session", "telnetd",
	"tlog-rec", "tlog-rec-sessio", "tmux", "tmux: client", "tmux: server", "ttyd", "ttyrec", "zellij",
}

// terminal looks for who else sees the terminal: programs that this one was
// started in, and what they leave in the environment.
func terminal(m Machine) (finding, error) {
	var found []string
	for _, name := range []string{"TMUX", "STY", "ZELLIJ", "SCRIPT", "ASCIINEMA_REC", "SSH_CONNECTION", "SSH_TTY"} {
		if m.Getenv(name) != "" {
			found = append(found, name+" is set")
		}
	}
	ancestors, err := m.ancestors()
	if err != nil {
		return finding{}, err
	}
	for _, name := range ancestors {
		if slices.Contains(keepers, name) {
			found = append(found, "started in "+name)
		}
	}
	if len(found) == 0 {
		return ok("no multiplexer, recorder or remote session")
	}
	return stop(strings.Join(found, ", "), "log in on the machine's own console, and start keymat from there")
}

// maxAncestors is more than any process has.
const maxAncestors = 1000

// ancestors returns the names of the processes that this one was started by,
// the nearest first.
func (m Machine) ancestors() (names []string, err error) {
	for pid, next := "self", ""; len(names) < maxAncestors; pid = next {
		if next, err = m.parent(pid); err != nil {
			return nil, err
		}
		if next == "0" {
			return names, nil
		}
		name, err := m.read("proc/" + next + "/comm")
		if err != nil {
			return nil, err
		}
		names = append(names, strings.TrimSuffix(name, "\n"))
	}
	return nil, errors.New("the processes have no beginning")
}

// parent returns the process ID of what started a process, or "0".
func (m Machine) parent(pid string) (string, error) {
	status, err := m.read("proc/" + pid + "/status")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, "PPid:"); ok {
			parent := strings.TrimSpace(value)
			if _, err := strconv.ParseUint(parent, 10, 32); err == nil {
				return parent, nil
			}
		}
	}
	return "", fmt.Errorf("/proc/%s/status does not say what started it", pid)
}

// historyFiles are where shells keep what was typed, in the home folder.
var historyFiles = []string{".bash_history", ".zsh_history", ".histfile", ".ash_history", ".sh_history", ".local/share/fish/fish_history"}

// history looks for what shells keep of what is typed. No command of keymat
// takes a secret in its arguments, but people may type one elsewhere.
func history(m Machine) (finding, error) {
	const do = "unset HISTFILE, in the shell that starts keymat"
	if file := m.Getenv("HISTFILE"); file != "" && file != "/dev/null" {
		return warning("HISTFILE is set", do)
	}
	home := m.Getenv("HOME")
	if home == "" {
		return warning("the home folder is not known", do)
	}
	var found []string
	for _, name := range historyFiles {
		size, err := m.size(inRoot(home + "/" + name))
		if err != nil {
			return finding{}, err
		}
		if size > 0 {
			found = append(found, name)
		}
	}
	if len(found) > 0 {
		return warning("kept in "+strings.Join(found, ", "), do)
	}
	return ok("none kept so far")
}

// traceback looks at what a crash of this program would print: the runtime
// cannot go below what the environment asks for.
func traceback(m Machine) (finding, error) {
	switch level := m.Getenv("GOTRACEBACK"); level {
	case "":
		return ok("GOTRACEBACK is not set")
	case "none", "0":
		return ok("GOTRACEBACK is " + level)
	}
	return stop("GOTRACEBACK is set", "unset GOTRACEBACK")
}

// user tells who runs this.
func user(m Machine) (finding, error) {
	if m.UID < 0 {
		return finding{}, errors.New("the system has no user IDs")
	}
	if m.UID == 0 {
		return ok("root")
	}
	return ok(fmt.Sprintf("user ID %d; memory that can be locked is limited", m.UID))
}
