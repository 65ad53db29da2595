// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"slices"
	"strings"
	"time"
)

// earliest is before anybody could run this: a clock that says so was not set.
var earliest = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// clock tells the time. Whether it is right, people have to say.
func clock(m Machine) (finding, error) {
	seen := m.Now.UTC().Format(time.RFC3339)
	if m.Now.Before(earliest) {
		return stop(seen+", which was before this program", "date -u -s TIME, from a clock that is witnessed")
	}
	return finding{seen, OK, "read it aloud beside a clock that is witnessed, and note the difference"}, nil
}

// randomNumbers looks at whether the kernel's generator has been seeded since
// the machine started. How well, nobody can see.
func randomNumbers(m Machine) (finding, error) {
	ready, err := m.RandomReady()
	switch {
	case err != nil:
		return finding{}, err
	case !ready:
		return stop("the kernel's generator is not initialised", "wait, and use keyboard and mouse meanwhile")
	}
	return ok("the kernel's generator is initialised")
}

// hypervisor looks for a host, which sees all memory of the machine. Processors
// other than those of PCs do not say.
func hypervisor(m Machine) (finding, error) {
	cpus, err := m.read("proc/cpuinfo")
	if err != nil {
		return finding{}, err
	}
	const do = "use a machine of its own: a host sees and copies all memory of its guests"
	if kind := m.line("sys/hypervisor/type"); kind != "" {
		return warning("a virtual machine ("+kind+")", do)
	}
	for line := range strings.Lines(cpus) {
		name, flags, found := strings.Cut(line, ":")
		if !found || strings.TrimSpace(name) != "flags" {
			continue
		}
		if slices.Contains(strings.Fields(flags), "hypervisor") {
			return warning("a virtual machine", do)
		}
		return ok("none that shows itself")
	}
	return warning("the processor does not say", do)
}
