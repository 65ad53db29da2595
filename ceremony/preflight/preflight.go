// SPDX-License-Identifier: Apache-2.0

// Package preflight looks at a machine before key material is made on it, and
// says what it saw: the network, what could write memory to a disk, who else
// could read the terminal, and where files would go.
//
// It reports observations of one process at one moment. It certifies no air gap:
// firmware, other operating systems on the machine, cables plugged in later and
// what a dishonest kernel says are beyond it. What cannot be seen stops like
// what is wrong.
package preflight

import (
	"io/fs"
	"runtime"
	"time"
)

// Verdict is what an observation means for making key material here.
type Verdict string

// The verdicts, from good to bad.
const (
	OK      Verdict = "ok"
	Warning Verdict = "warning" // people have to know it, and decide
	Stop    Verdict = "stop"    // no key material is to be made here
)

// Observation is one thing that was looked at.
type Observation struct {
	Name    string  `json:"name"` // such as "links": one of Names
	Seen    string  `json:"seen"`
	Verdict Verdict `json:"verdict"`
	Do      string  `json:"do,omitempty"` // what a person does about it
}

// Machine is what the observations are made of. Tests fill it with cases; Host
// gives the real one.
type Machine struct {
	OS          string                   // as runtime.GOOS has it; nothing but "linux" is known how to look at
	Files       fs.FS                    // the root of the file system: proc, sys and home folders are read
	Getenv      func(name string) string // the environment of this process
	UID         int                      // effective user ID; 0 is root
	Now         time.Time                // what the clock of the machine says
	Workspace   string                   // absolute path without symbolic links of the folder where files would go
	RandomReady func() (bool, error)     // whether the kernel's random number generator is initialised
}

// known reports whether it is known how to look at a machine.
func (m Machine) known() bool { return m.OS == "linux" }

// Report is what was seen.
type Report struct {
	At           time.Time     `json:"at"` // UTC, by the machine's own clock
	System       string        `json:"system"`
	Kernel       string        `json:"kernel,omitempty"`
	BootID       string        `json:"boot_id,omitempty"` // the kernel's name for the time since it started
	Workspace    string        `json:"workspace"`
	Observations []Observation `json:"observations"`
	Verdict      Verdict       `json:"verdict"` // the worst of them
}

// A look makes one observation. An error says why nothing was seen.
type look struct {
	name string
	at   func(Machine) (finding, error)
}

// finding is an observation without its name.
type finding struct {
	seen    string
	verdict Verdict
	do      string
}

func ok(seen string) (finding, error)          { return finding{seen: seen, verdict: OK}, nil }
func warning(seen, do string) (finding, error) { return finding{seen, Warning, do}, nil }
func stop(seen, do string) (finding, error)    { return finding{seen, Stop, do}, nil }

// looks are all there are, in the order in which they are reported.
func looks() []look {
	return []look{
		{"links", links}, {"routes", routes}, {"addresses", addresses}, {"radios", radios},
		{"swap", swap}, {"hibernation", hibernation}, {"core pattern", corePattern}, {"core limit", coreLimit},
		{"workspace", workspace}, {"mounts", mounts},
		{"terminal", terminal}, {"history", history}, {"traceback", traceback}, {"user", user},
		{"clock", clock}, {"random numbers", randomNumbers}, {"hypervisor", hypervisor},
	}
}

// Names returns the names of all observations, in the order in which Observe
// makes them.
func Names() (names []string) {
	for _, l := range looks() {
		names = append(names, l.name)
	}
	return names
}

// seeOtherwise is for what this program cannot see.
const seeOtherwise = "have it looked at in another way, and the witness note how"

// Observe looks at everything, whatever it finds.
func Observe(m Machine) Report {
	r := Report{
		At: m.Now.UTC().Truncate(time.Second), System: m.OS + "/" + runtime.GOARCH, Workspace: m.Workspace, Verdict: OK,
		Kernel: m.line("proc/sys/kernel/osrelease"), BootID: m.line("proc/sys/kernel/random/boot_id"),
	}
	for _, l := range looks() {
		o := Observation{Name: l.name, Seen: "not observed: " + m.OS + " is not known here", Verdict: Stop, Do: seeOtherwise}
		if m.known() {
			f, err := l.at(m)
			if err != nil {
				f = finding{"not observed: " + err.Error(), Stop, seeOtherwise}
			}
			o.Seen, o.Verdict, o.Do = f.seen, f.verdict, f.do
		}
		r.Observations = append(r.Observations, o)
		r.Verdict = worse(r.Verdict, o.Verdict)
	}
	return r
}

func worse(a, b Verdict) Verdict {
	for _, v := range []Verdict{Stop, Warning} {
		if a == v || b == v {
			return v
		}
	}
	return OK
}
