// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"errors"
	"fmt"
	"maps"
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
	FaultError                           // the given Code and Message, with the status that goes with the code
)

// faultKinds are the kinds as text.
var faultKinds = map[FaultKind]string{
	FaultThrottle: "throttle", FaultInternal: "internal", FaultDenied: "deny",
	FaultDropBefore: "drop-before", FaultDropAfter: "drop-after", FaultError: "error",
}

// FaultKinds lists the kinds of faults.
func FaultKinds() []FaultKind { return slices.Sorted(maps.Keys(faultKinds)) }

// String is the kind in one word: throttle, internal, deny, drop-before,
// drop-after or error.
func (k FaultKind) String() string {
	if s, ok := faultKinds[k]; ok {
		return s
	}
	return fmt.Sprintf("FaultKind(%d)", int(k))
}

// MarshalText implements [encoding.TextMarshaler].
func (k FaultKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (k *FaultKind) UnmarshalText(text []byte) error {
	for kind, s := range faultKinds {
		if s == string(text) {
			*k = kind
			return nil
		}
	}
	return fmt.Errorf("there is no fault %q", text)
}

// A Fault strikes calls of one operation, instead of or after their effect.
type Fault struct {
	Operation string    `json:"operation,omitempty"` // name as in the API, such as "ImportKeyMaterial"; "" is any
	Kind      FaultKind `json:"kind"`                // required
	Times     int       `json:"times,omitempty"`     // calls it strikes; 0 means 1, below 0 all
	Skip      int       `json:"skip,omitempty"`      // calls that pass before it strikes
	Code      string    `json:"code,omitempty"`      // FaultError: the error code
	Message   string    `json:"message,omitempty"`   // FaultError: the text; "" leaves the member out
}

// Inject adds a fault. Faults for the same operation strike one after the other.
func (k *KMS) Inject(f Fault) { k.faults.add(f) }

// Faults lists the faults that have yet to strike, as far as they have.
func (k *KMS) Faults() []Fault { return k.faults.remaining() }

// ClearFaults takes back all faults.
func (k *KMS) ClearFaults() { k.faults.clear() }

// checkFault refuses a fault that could never strike, or has nothing to say.
func (k *KMS) checkFault(f Fault) error {
	_, known := k.operations[f.Operation]
	switch {
	case f.Operation != "" && !known:
		return fmt.Errorf("there is no operation %q", f.Operation)
	case faultKinds[f.Kind] == "":
		return errors.New("a fault needs a kind")
	case f.Kind == FaultError && f.Code == "":
		return errors.New("an error fault needs a code")
	case f.Kind != FaultError && f.Code+f.Message != "":
		return fmt.Errorf("a fault of kind %s has its own code and message", f.Kind)
	case f.Skip < 0:
		return errors.New("a fault cannot skip fewer than 0 calls")
	}
	return nil
}

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

func (s *faults) remaining() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Fault, len(s.list))
	for i, f := range s.list {
		list[i] = *f
	}
	return list
}

func (s *faults) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = nil
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
		return &apiError{code: f.Code, message: f.Message, status: statusOf(f.Code)}
	}
	return internalError()
}

// statusOf is the HTTP status of an error code: KMS has others than 400 for its
// own faults only (API reference, its common errors included).
func statusOf(code string) int {
	switch code {
	case "KMSInternalException", "KeyUnavailableException", "InternalFailure":
		return http.StatusInternalServerError
	case "DependencyTimeoutException", "ServiceUnavailable":
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}
