// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"errors"
	"slices"
	"strings"
)

// swap looks at what memory could be moved to.
func swap(m Machine) (finding, error) {
	areas, err := m.swapAreas()
	if err != nil {
		return finding{}, err
	}
	if len(areas) == 0 {
		return ok("off")
	}
	return stop("on: "+strings.Join(areas, ", "), "swapoff -a, before there is any secret: what was swapped stays on the disk")
}

func (m Machine) swapAreas() (areas []string, err error) {
	table, err := m.optional("proc/swaps") // not there in a kernel without swap
	for _, row := range lines(table, 1) {
		areas = append(areas, row[0])
	}
	return areas, err
}

// hibernation looks at whether all memory could be written to a disk.
func hibernation(m Machine) (finding, error) {
	states, err := m.optional("sys/power/state") // not there in a kernel that never sleeps
	if err != nil {
		return finding{}, err
	}
	if !slices.Contains(strings.Fields(states), "disk") {
		return ok("not in this kernel")
	}
	modes, err := m.read("sys/power/disk")
	if err != nil {
		return finding{}, err
	}
	if strings.Contains(modes, "[disabled]") {
		return ok("disabled")
	}
	areas, err := m.swapAreas()
	if err != nil {
		return finding{}, err
	}
	const do = "start the machine with nohibernate on the kernel's command line"
	if len(areas) == 0 {
		return warning("possible, but without swap there is nowhere to write to", do)
	}
	return stop("possible, and there is swap to write to", do)
}

// corePattern looks at where the memory of a process that crashes goes. A limit
// of 0 stops a file, but no program that the kernel starts for it (core(5)).
func corePattern(m Machine) (finding, error) {
	content, err := m.read("proc/sys/kernel/core_pattern")
	if err != nil {
		return finding{}, err
	}
	pattern := strings.TrimSpace(content)
	program, piped := strings.CutPrefix(pattern, "|")
	switch {
	case !piped:
		return ok("to files, which the core limit decides on")
	case slices.Contains([]string{"/bin/false", "/bin/true", "/usr/bin/false", "/usr/bin/true"}, program):
		return ok("to " + program + ", which keeps nothing")
	}
	return stop("to "+strings.Fields(program + " ?")[0]+", whatever the core limit is", "sysctl -w kernel.core_pattern='|/bin/false'")
}

// coreLimit looks at RLIMIT_CORE of this process, which those it starts get too.
func coreLimit(m Machine) (finding, error) {
	limits, err := m.read("proc/self/limits")
	if err != nil {
		return finding{}, err
	}
	for line := range strings.Lines(limits) {
		values, found := strings.CutPrefix(line, "Max core file size")
		if !found {
			continue
		}
		if f := strings.Fields(values); len(f) >= 2 && f[0] == "0" {
			return ok("0")
		}
		return stop("core files may be written", "ulimit -c 0, in the shell that starts keymat")
	}
	return finding{}, errors.New("/proc/self/limits does not say it")
}
