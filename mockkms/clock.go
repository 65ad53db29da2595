// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"encoding/json"
	"fmt"
	"time"
)

// A Clock is the time at which a mock lives, and how it got there. Without
// being moved it is the time of day, or that of [WithClock].
type Clock struct {
	Time   time.Time     // now, UTC
	Offset time.Duration // ahead of the clock beneath; behind it when negative
	Frozen bool          // it stands still
}

// A ClockMove changes the time at which a mock lives. What is not zero is
// done in the order of the fields.
type ClockMove struct {
	Reset   bool          // undo all moves
	Resume  bool          // go on after Freeze, from where it stood
	Set     time.Time     // jump to a time
	Advance time.Duration // jump ahead, or back when negative
	Freeze  bool          // stand still
}

// A ClockRangeError means that a move would leave the years a mock can live in.
type ClockRangeError struct {
	Got      time.Time
	Min, Max time.Time
}

func (e *ClockRangeError) Error() string {
	return fmt.Sprintf("the mock's clock cannot go to %s, only from %s to %s",
		e.Got.UTC().Format(time.RFC3339), e.Min.Format(time.DateOnly), e.Max.Format(time.DateOnly))
}

// The years that records and a [time.Duration] of offset hold with ease.
var (
	earliestTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	latestTime   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// A clockSetting is how the clock was moved, as it is stored. It is part of
// the state, so that it outlives the process and holds for all that share it.
type clockSetting struct {
	Offset time.Duration `json:",omitempty"`
	Frozen time.Time     `json:",omitzero"` // stands still at this time
}

// at is the mock's time when the clock beneath shows base.
func (s clockSetting) at(base time.Time) time.Time {
	if !s.Frozen.IsZero() {
		return s.Frozen.UTC()
	}
	return base.Add(s.Offset).UTC()
}

func (s clockSetting) clock(base time.Time) Clock {
	now := s.at(base)
	return Clock{Time: now, Offset: now.Sub(base), Frozen: !s.Frozen.IsZero()}
}

func (s clockSetting) moved(m ClockMove, base time.Time) (clockSetting, error) {
	if m.Reset {
		s = clockSetting{}
	}
	now, frozen := s.at(base), !s.Frozen.IsZero() && !m.Resume || m.Freeze
	if !m.Set.IsZero() {
		now = m.Set
	}
	now = now.Add(m.Advance)
	if now.Before(earliestTime) || now.After(latestTime) {
		return s, &ClockRangeError{now, earliestTime, latestTime}
	}
	if frozen {
		return clockSetting{Frozen: now.Round(0)}, nil
	}
	return clockSetting{Offset: now.Sub(base)}, nil
}

// Clock tells the time at which the mock lives.
func (k *KMS) Clock() (Clock, error) {
	base := k.clock()
	setting, err := k.clockSetting()
	return setting.clock(base), err
}

// MoveClock moves the clock, and lets happen what becomes due by that. The
// move is part of the stored state. Going back brings nothing back that is
// gone. Errors: [*ClockRangeError], or that of the store.
func (k *KMS) MoveClock(m ClockMove) (Clock, error) {
	base := k.clock()
	var moved clockSetting
	err := k.store.Update(func(tx Tx) error {
		setting, err := storedClock(tx)
		if err != nil {
			return err
		}
		if moved, err = setting.moved(m, base); err != nil {
			return err
		}
		if moved != setting {
			if err := putClock(tx, moved); err != nil {
				return err
			}
		}
		return k.records(tx, moved.at(base)).settleDue()
	})
	return moved.clock(base), err
}

// settle lets happen what has become due.
func (k *KMS) settle() error {
	_, err := k.MoveClock(ClockMove{})
	return err
}

// now is the mock's time.
func (k *KMS) now() (time.Time, error) {
	setting, err := k.clockSetting()
	return setting.at(k.clock()), err
}

func (k *KMS) clockSetting() (s clockSetting, err error) {
	err = k.store.View(func(tx Tx) (err error) {
		s, err = storedClock(tx)
		return err
	})
	return s, err
}

func storedClock(tx Tx) (clockSetting, error) {
	raw := tx.Get(clockRecord)
	if raw == nil {
		return clockSetting{}, nil
	}
	var s clockSetting
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, fmt.Errorf("decoding the clock: %w", err)
	}
	return s, nil
}

func putClock(tx Tx, s clockSetting) error {
	if s == (clockSetting{}) {
		return tx.Delete(clockRecord)
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encoding the clock: %w", err)
	}
	return tx.Put(clockRecord, raw)
}
