// SPDX-License-Identifier: Apache-2.0

// Package lockdown keeps the memory of this process from other processes, from
// core files and from swap, as far as the system lets it.
package lockdown

// A Report says what was achieved. What was not has a reason: a ceremony goes on
// with it, and its record says so.
type Report struct {
	CoreFiles string `json:"core_files"` // "" if none will be written, or why they may be
	Tracing   string `json:"tracing"`    // "" if other processes of the user cannot read the memory, or why they may; root always can
	Swap      string `json:"swap"`       // "" if all memory is locked, or why it may be swapped
}

// Enter locks down this process, for good. It starts no process and opens no
// file; what it cannot do it leaves alone.
func Enter() Report { return enter() }
