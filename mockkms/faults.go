// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"net/http"
	"slices"
	"sync"
)

// A FaultKind is a way in which a call can go wrong.
type FaultKind int

// The kinds of faults.
const (
	FaultThrottle   FaultKind = iota + 1 // ThrottlingException
	FaultInternal                        // KMSInternalException, status 500
	FaultDenied                          // AccessDeniedException that names the missing action
	FaultDropBefore                      // the connection breaks; nothing was done
	FaultDropAfter                       // the connection breaks; the work was done
	FaultError                           // the given Code and Message
)

// A Fault strikes calls of one operation, instead of or after their effect.
type Fault struct {
	Operation string    // name as in the API, such as "ImportKeyMaterial"; "" is any
	Kind      FaultKind // required
	Times     int       // calls it strikes; 0 means 1, below 0 all
	Skip      int       // calls that pass before it strikes
	Code      string    // FaultError: the error code
	Message   string    // FaultError: the text; "" leaves the member out
}

// Inject adds a fault. Faults for the same operation strike one after the other.
func (k *KMS) Inject(f Fault) { k.faults.add(f) }

type faults struct {
	mu   sync.Mutex
	list []*Fault
}

func (s *faults) add(f Fault) {
	if f.Times == 0 {
		f.Times = 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, &f)
}

// strike returns the fault that hits this call, or nil, and counts it.
func (s *faults) strike(operation string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.list {
		if f.Operation != "" && f.Operation != operation {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			return nil
		}
		struck := *f
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				s.list = slices.Delete(s.list, i, i+1)
			}
		}
		return &struck
	}
	return nil
}

// drops reports whether the fault breaks the connection.
func (f *Fault) drops() bool { return f.Kind == FaultDropBefore || f.Kind == FaultDropAfter }

// refusal is what a fault answers in place of the operation; an internal
// error, which nobody sees, where it breaks the connection.
func (f *Fault) refusal(c *call, keyRef string) *apiError {
	switch f.Kind {
	case FaultThrottle:
		return throttled()
	case FaultDenied:
		return accessDenied(c.userARN(), c.operation, c.resource(keyRef))
	case FaultError:
		return &apiError{code: f.Code, message: f.Message, status: http.StatusBadRequest}
	}
	return internalError()
}
