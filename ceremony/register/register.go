// SPDX-License-Identifier: Apache-2.0

package register

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keymat/keymat/ceremony/chain"
	"github.com/keymat/keymat/ceremony/plan"
)

// A Register is what its lines add up to.
type Register struct {
	Organisation string
	Lines        int
	Last         chain.Digest // of the last line: noted elsewhere, it shows later that none was cut off

	keys []*Key // in the order in which they were added
}

// A Key is what a register knows of one.
type Key struct {
	Added                   // by the latest ceremony
	Since     time.Time     // when it came into its state, UTC
	Scheduled Scheduled     // the latest
	Drill     *Drilled      // the latest that opened the escrow and found what its header says; nil for none
	Ready     time.Time     // when the escrow it has now was added, UTC
	History   []HistoryLine // of the register that are about it
}

// A HistoryLine is one that is about a key.
type HistoryLine = chain.Entry[Event]

// Read reads a register. Errors: a [*chain.FaultError] where it was changed, or a
// [*LineError] around those of [Register.Check].
func Read(content []byte) (*Register, error) {
	c := form().Read(content, look)
	if len(c.Faults) > 0 {
		return nil, &chain.FaultError{Faults: c.Faults}
	}
	return fold(c)
}

func fold(c *chain.Chain[Event]) (*Register, error) {
	r := &Register{Lines: c.Lines, Last: c.Last}
	for _, e := range c.Entries {
		if err := r.Check(e.Event, e.Actors); err != nil {
			return nil, &LineError{e.Seq + 1, err}
		}
		r.apply(e)
	}
	return r, nil
}

// look checks what only the first line may say.
func look(n int, e Event) []string {
	opened, opens := e.(Opened)
	switch {
	case opens != (n == 1):
		return []string{"a register is opened in its first line, and nowhere else"}
	case opens && (opened.Kind != Kind || opened.Version != version):
		return []string{fmt.Sprintf("%+q version %d, want %s version %d", strings.ToValidUTF8(opened.Kind, "?"), opened.Version, Kind, version)}
	}
	return nil
}

// Keys are all that were ever added, in that order.
func (r *Register) Keys() (all []Key) {
	for _, k := range r.keys {
		c := *k
		c.History = slices.Clone(k.History)
		all = append(all, c)
	}
	return all
}

// Key finds one by its ID. An error is an [*UnknownKeyError].
func (r *Register) Key(id string) (Key, error) {
	if k := r.key(id); k != nil {
		return *k, nil
	}
	return Key{}, &UnknownKeyError{id}
}

// OfEscrow is the ID of the key that an escrow brings back, "" for none.
func (r *Register) OfEscrow(id string) string {
	for _, k := range r.keys {
		if id != "" && k.Escrow.ID == id {
			return k.Added.Key
		}
	}
	return ""
}

// ofFormer is the key that an escrow brings back, or brought back before another
// took its place.
func (r *Register) ofFormer(id string) *Key {
	for _, k := range r.keys {
		if id != "" && k.had(id) {
			return k
		}
	}
	return nil
}

// had reports whether an escrow is one of the key, or was.
func (k *Key) had(id string) bool {
	return slices.ContainsFunc(k.History, func(line HistoryLine) bool {
		a, ok := line.Event.(Added)
		return ok && a.Escrow.ID == id
	})
}

func (r *Register) key(id string) *Key {
	for _, k := range r.keys {
		if k.Added.Key == id {
			return k
		}
	}
	return nil
}

// Check reports whether a line could come next. Errors: [*UnknownKeyError],
// [*TakenError], [*TransitionError], [*KeptError], [*ApprovalError],
// [*MismatchError], [*RepeatedError].
func (r *Register) Check(e Event, actors []string) error {
	switch e := e.(type) {
	case Added:
		return r.checkAdded(e)
	case Scheduled:
		_, err := r.Key(e.Key)
		return err
	case Moved:
		return r.checkMoved(e, actors)
	case Drilled:
		return r.checkDrilled(e)
	}
	return nil
}

func (r *Register) checkAdded(e Added) error {
	k := r.key(e.Key)
	switch {
	case k == nil && !slices.Contains([]State{PreActivation, Active}, e.State):
		return &TransitionError{e.Key, "new", e.State}
	case k == nil:
		return nil
	case e.From == "" || !k.had(e.From):
		return r.known(k, e)
	case k.Fingerprint != e.Fingerprint:
		return &MismatchError{e.Key, "fingerprint", e.Fingerprint, k.Fingerprint}
	case k.KeySpec != e.KeySpec:
		return &MismatchError{e.Key, "key_spec", string(e.KeySpec), string(k.KeySpec)}
	case slices.ContainsFunc(k.History, told(e)):
		return &RepeatedError{e.Key, "the ceremony " + e.Ceremony}
	case e.From != k.Escrow.ID && (e.Purpose != plan.ForDestruction || e.Escrow != k.Escrow):
		return &MismatchError{e.Key, "from", e.From, k.Escrow.ID}
	case e.State != k.State && !k.State.may(e.State):
		return &TransitionError{e.Key, k.State, e.State}
	}
	return nil
}

// known says of a ceremony that is none of the key's whether it was added before.
func (r *Register) known(k *Key, e Added) error {
	if slices.ContainsFunc(k.History, told(e)) {
		return &RepeatedError{e.Key, "the ceremony " + e.Ceremony}
	}
	return &TakenError{e.Key}
}

// told finds the line of the same evidence.
func told(e Added) func(HistoryLine) bool {
	return func(line HistoryLine) bool {
		before, ok := line.Event.(Added)
		return ok && before.Head == e.Head
	}
}

func (r *Register) checkMoved(e Moved, actors []string) error {
	k := r.key(e.Key)
	switch {
	case k == nil:
		return &UnknownKeyError{e.Key}
	case k.State != e.From:
		return &MismatchError{e.Key, "state", string(e.From), string(k.State)}
	case !k.State.may(e.To):
		return &TransitionError{e.Key, k.State, e.To}
	case e.To == Destroyed && k.Escrow.ID != "" && !k.Escrow.InToken():
		return &KeptError{e.Key, k.Escrow.ID}
	case e.To == Destroyed && len(k.Retired()) > 0:
		return &KeptError{e.Key, k.Retired()[0].Escrow}
	case len(slices.Compact(slices.Sorted(slices.Values(actors)))) < 2:
		return &ApprovalError{Name(e)}
	}
	return nil
}

func (r *Register) checkDrilled(e Drilled) error {
	k := r.key(e.Key)
	switch {
	case k == nil:
		return &UnknownKeyError{e.Key}
	case k.Escrow.ID != e.Escrow:
		return &MismatchError{e.Key, "escrow", e.Escrow, k.Escrow.ID}
	case slices.ContainsFunc(k.History, func(line HistoryLine) bool {
		before, ok := line.Event.(Drilled)
		return ok && before.SHA256 == e.SHA256
	}):
		return &RepeatedError{e.Key, "this drill"}
	}
	return nil
}
