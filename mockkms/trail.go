// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// DefaultTrail is how many events a mock keeps unless told otherwise.
const DefaultTrail = 1000

// trailInterval is how long events may wait before they are written. Like
// CloudTrail, and unlike the calls themselves, they arrive a little later: a
// call that only reads must not wait for the disk, and under load most events
// are past keeping by then and need never be put together.
const trailInterval = time.Second

// trailPatience is how many intervals events wait at most while calls come so
// fast that what an interval writes the next one would drop again.
const trailPatience = 10

// A trail holds the events of calls on their way to the store.
type trail struct {
	keep    int        // events kept; 0 keeps none
	writing sync.Mutex // held while events go to the store, so that they go in order

	mu      sync.Mutex
	pending []*pastCall
	timer   *time.Timer // will write what is pending; nil: nobody will
	added   int         // events of this interval
	waited  int         // intervals for which nothing was written
}

func (t *trail) add(p *pastCall, write func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.pending) >= t.keep { // the oldest would be dropped anyway
		t.pending = t.pending[1:]
	}
	t.pending = append(t.pending, p)
	t.added++
	if t.timer == nil {
		t.timer = time.AfterFunc(trailInterval, write)
	}
}

// postpone reports whether an interval that is over was so busy that its events
// wait for another one.
func (t *trail) postpone() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	busy := t.timer != nil && t.added > t.keep && t.waited+1 < trailPatience
	if busy {
		t.added = 0
		t.waited++
		t.timer.Reset(trailInterval)
	}
	return busy
}

// take gives the events that wait, and the time of the last by the mock's clock.
func (t *trail) take() (events []Event, last time.Time) {
	t.mu.Lock()
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
	taken := t.pending
	t.pending, t.added, t.waited = nil, 0, 0
	t.mu.Unlock()
	for _, p := range taken {
		events, last = append(events, p.events()...), p.now
	}
	return events, last
}

// writeTrail writes the events that wait, after what happened by itself until
// the last of them. It runs beside the caller's own code, so it does not ask
// the caller's clock.
func (k *KMS) writeTrail() error {
	k.trail.writing.Lock()
	defer k.trail.writing.Unlock()
	events, now := k.trail.take()
	if len(events) == 0 {
		return nil
	}
	return k.store.Update(func(tx Tx) error {
		r := k.records(tx, now)
		if err := r.settleDue(); err != nil {
			return err
		}
		return r.addEvents(events)
	})
}

// trailDue writes the events of the intervals that are over, unless they are to
// wait.
func (k *KMS) trailDue() {
	if !k.trail.postpone() {
		k.writeTrailUnasked()
	}
}

// writeTrailUnasked is writeTrail where nobody waits for the outcome.
func (k *KMS) writeTrailUnasked() {
	if err := k.writeTrail(); err != nil && !errors.Is(err, ErrStoreClosed) {
		k.log.Warn("writing events", "error", err)
	}
}

// An EventQuery says which events are asked for. The zero value asks for all.
type EventQuery struct {
	After uint64 // events after the one of this number; see [EventPage.Last]
	Key   string // of one key: its ID or ARN, or the name that was used for it
	Limit int    // the newest this many; 0 is all
}

// An EventPage is a list of events.
type EventPage struct {
	Events []Event `json:"events"` // oldest first
	Last   uint64  `json:"last"`   // number of the last event there is: After, to go on
}

// Events lists the calls that were answered, and what happened by itself, as
// far as it is still kept: see [WithTrail].
func (k *KMS) Events(q EventQuery) (EventPage, error) {
	if err := errors.Join(k.settle(), k.writeTrail()); err != nil {
		return EventPage{}, err
	}
	page := EventPage{Events: []Event{}, Last: q.After}
	err := k.store.View(func(tx Tx) error {
		return eachEvent(tx, q.After+1, func(number uint64, raw []byte) error {
			page.Last = number
			var e Event
			if err := json.Unmarshal(raw, &e); err != nil {
				return fmt.Errorf("decoding event %d: %w", number, err)
			}
			if q.Key == "" || e.concerns(q.Key) {
				page.Events = append(page.Events, e)
			}
			return nil
		})
	})
	slices.SortStableFunc(page.Events, func(a, b Event) int { return a.EventTime.Compare(b.EventTime) })
	if q.Limit > 0 && len(page.Events) > q.Limit {
		page.Events = page.Events[len(page.Events)-q.Limit:]
	}
	return page, err
}

// concerns reports whether an event is about the key of that ID, ARN or name.
func (e *Event) concerns(key string) bool {
	for _, r := range e.Resources {
		if r.ARN == key || strings.HasSuffix(r.ARN, ":key/"+key) {
			return true
		}
	}
	for _, member := range []string{"keyId", "aliasName", "targetKeyId", "sourceKeyId", "destinationKeyId"} {
		if e.RequestParameters[member] == key {
			return true
		}
	}
	return false
}

// eachEvent visits the stored events from a number on.
func eachEvent(tx Tx, from uint64, visit func(number uint64, raw []byte) error) (err error) {
	tx.Ascend(eventRecords, eventRecord(from), func(name, raw []byte) bool {
		number, bad := strconv.ParseUint(string(name[len(eventRecords):]), 10, 64)
		if bad != nil {
			return false
		}
		err = visit(number, raw)
		return err == nil
	})
	return err
}

func eventRecord(number uint64) string { return fmt.Sprintf("%s%016d", eventRecords, number) }

// addEvents gives events the next numbers, stores them, and drops the oldest.
func (r *records) addEvents(events []Event) error {
	if r.keep <= 0 || len(events) == 0 {
		return nil
	}
	last, _ := strconv.ParseUint(string(r.tx.Get(lastEventRecord)), 10, 64) // 0 before the first
	for _, e := range events {
		raw, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("encoding an event: %w", err)
		}
		last++
		if err := r.tx.Put(eventRecord(last), raw); err != nil {
			return err
		}
	}
	if err := r.tx.Put(lastEventRecord, strconv.AppendUint(nil, last, 10)); err != nil {
		return err
	}
	if last <= uint64(r.keep) {
		return nil
	}
	kept := eventRecord(last - uint64(r.keep) + 1)
	for _, name := range r.list(eventRecords, "", func(name string) bool { return name < kept }) {
		if err := r.tx.Delete(name); err != nil {
			return err
		}
	}
	return nil
}
