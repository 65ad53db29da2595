// SPDX-License-Identifier: Apache-2.0

package mockkms

import "sync"

// An updateQueue gathers concurrent updates into commits without delaying
// any: whoever comes first commits alone, at once; whoever comes meanwhile
// waits, and the first of these commits for all of them.
type updateQueue struct {
	mu      sync.Mutex
	busy    bool
	waiting []*update
}

// An update is one call of Store.Update on its way to the disk.
type update struct {
	f        func(Tx) error
	err      error
	panicked any
	out      bool      // has failed; takes no part any more
	lead     chan bool // true: commit for all that wait; false: it is done
}

// run calls the update's function and reports whether it went well.
func (u *update) run(tx Tx) (ok bool) {
	defer func() {
		if p := recover(); p != nil {
			fault, isFault := caught(p).(storeFault)
			if isFault {
				panic(fault)
			}
			u.panicked = caught(p)
		}
	}()
	u.err = u.f(tx)
	return u.err == nil
}

// do has the update committed, by this goroutine or another.
func (q *updateQueue) do(f func(Tx) error, commit func([]*update) error) error {
	u := &update{f: f, lead: make(chan bool, 1)}
	if q.join(u) {
		q.commit(commit)
	} else if <-u.lead {
		q.commit(commit)
	}
	if u.panicked != nil {
		panic(u.panicked)
	}
	return u.err
}

// join queues an update and reports whether it has to lead at once.
func (q *updateQueue) join(u *update) (lead bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, u)
	lead = !q.busy
	q.busy = true
	return lead
}

// commit commits all that wait, the caller's update among them, and hands
// the lead to the first of those that came meanwhile.
func (q *updateQueue) commit(commit func([]*update) error) {
	q.mu.Lock()
	batch := q.waiting
	q.waiting = nil
	q.mu.Unlock()

	err := commit(batch)

	q.mu.Lock()
	if q.busy = len(q.waiting) > 0; q.busy {
		q.waiting[0].lead <- true
	}
	q.mu.Unlock()
	for _, u := range batch {
		if u.err == nil {
			u.err = err
		}
		u.lead <- false // never waits, and the leader does not listen
	}
}
