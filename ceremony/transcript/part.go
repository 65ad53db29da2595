// SPDX-License-Identifier: Apache-2.0

package transcript

// A Part places a record in a ceremony that has several, one after the other:
// each binds the end of the one before. The zero value is the first, which the
// offline machine writes.
type Part struct {
	Number  int     `json:"number"` // of records before it
	Machine Machine `json:"machine"`
	After   Digest  `json:"after"` // the digest of the last line of the record before
}

// A Machine has its place in a ceremony; no two of them are one.
type Machine string

// The machines.
const (
	OfflineMachine Machine = "offline" // where the material is
	FetchMachine   Machine = "fetch"   // gets wrapping keys and import tokens, and writes no record
	ImportMachine  Machine = "import"  // submits what was wrapped
)

// Writer is the machine that writes the record.
func (p Part) Writer() Machine {
	if p == (Part{}) {
		return OfflineMachine
	}
	return p.Machine
}
