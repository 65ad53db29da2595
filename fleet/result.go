// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"

	"github.com/keymat/keymat/importer"
)

// Event is something that happens while a plan is applied. The set is closed:
// Looked, Ended.
type Event interface{ event() }

// Looked reports how many changes were looked at before anything is done.
type Looked struct{ Done, All int }

// Ended reports what became of a change.
type Ended struct {
	Result  Result
	Traffic Traffic // of its place so far
}

func (Looked) event() {}
func (Ended) event()  {}

// Traffic is what went to the KMS of a place's own account and Region.
type Traffic struct {
	Account   string // 12 digits; empty when the plan does not know it
	Region    string
	Done, All int     // changes of the place
	Sent      int     // calls, each attempt counted
	Throttled int     // of those
	Rate      float64 // GetParametersForImport let through at present, per second; 0 is any number
}

// Status is what became of a change.
type Status string

// The statuses.
const (
	StatusDone      Status = "done"      // now, or by an earlier run on the same plan
	StatusUnchanged Status = "unchanged" // it was as asked
	StatusFailed    Status = "failed"    // Err says why; running it again may help
	StatusLeft      Status = "left"      // not begun, or not finished, because the run was stopped
	StatusCannot    Status = "cannot"    // the plan says why
)

// Result is what became of one change. Err is nil when it is done or was as asked.
type Result struct {
	Change     string
	Place      string
	Action     Action
	Status     Status
	KeyARN     string // of the primary, as far as it is known
	MaterialID string // of the last step, where KMS tells; symmetric keys only
	Expiry     importer.Expiry
	Steps      int // of the change
	Taken      int // of those, by this run or an earlier one
	Err        error
}

// Summary counts what became of all changes, by status.
type Summary struct {
	Changes         map[Status]int
	Sent, Throttled int // calls, each attempt counted
}

// Left is how many changes are not done.
func (s Summary) Left() int {
	return s.Changes[StatusFailed] + s.Changes[StatusLeft] + s.Changes[StatusCannot]
}

// StoppedError says that a place was given up, because its credentials are not
// taken any more, or never were.
type StoppedError struct {
	Place string
	Err   error
}

func (e *StoppedError) Error() string { return fmt.Sprintf("place %s was stopped: %v", e.Place, e.Err) }
func (e *StoppedError) Unwrap() error { return e.Err }

// MismatchError says that KMS took an import and yet holds other material than
// was wrapped.
type MismatchError struct{ KeyARN string }

func (e *MismatchError) Error() string {
	return e.KeyARN + " holds other material than was imported"
}

// idle is the result of a change without steps.
func idle(c Change) Result {
	r := Result{Change: c.Name, Place: c.Place, Action: c.Action, Status: StatusUnchanged}
	if len(c.Seen) > 0 {
		r.KeyARN, r.MaterialID, r.Expiry = c.Seen[0].KeyARN, c.Seen[0].MaterialID, c.Seen[0].Expiry
	}
	if c.Action == Cannot {
		r.Status, r.Err = StatusCannot, &CannotError{Change: c.Name, Why: c.Why}
	}
	return r
}

// CannotError says that the plan knows no way to what the manifest asks for.
type CannotError struct{ Change, Why string }

func (e *CannotError) Error() string { return e.Why }

// ended counts a result and reports it.
func (r *run) ended(s *site, result Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.summary.Changes == nil {
		r.summary.Changes = make(map[Status]int)
	}
	r.summary.Changes[result.Status]++
	s.done++
	tally := r.pacer.Total()
	r.summary.Sent, r.summary.Throttled = tally.Sent, tally.Throttled
	if r.options.Observe != nil {
		r.options.Observe(Ended{Result: result, Traffic: r.traffic(s)})
	}
}

func (r *run) traffic(s *site) Traffic {
	tally := r.pacer.Tally(s.account, s.place.Region, "")
	return Traffic{
		Account: s.place.Account, Region: s.place.Region, Done: s.done, All: s.all, Sent: tally.Sent, Throttled: tally.Throttled,
		Rate: r.pacer.Rate(s.account, s.place.Region, "GetParametersForImport"),
	}
}
