// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"fmt"
	"time"

	"github.com/keymat/keymat/ceremony/phase"
)

// A TokenError says that an import token has too little time left.
type TokenError struct {
	ValidTo   time.Time     // UTC
	Remaining time.Duration // negative once it has expired
	Need      time.Duration // by the plan
}

func (e *TokenError) Error() string {
	if e.Remaining <= 0 {
		return fmt.Sprintf("the import token expired at %s", e.ValidTo.Format(time.RFC3339))
	}
	return fmt.Sprintf("the import token is valid for %s more, until %s, and the plan wants %s", e.Remaining.Round(time.Minute), e.ValidTo.Format(time.RFC3339), e.Need)
}

// A SessionError says that the offline machine has been on for longer than the plan
// allows.
type SessionError struct {
	Step phase.Step
	Over time.Duration
}

func (e *SessionError) Error() string {
	return fmt.Sprintf("the session has lasted %s longer than the plan allows", e.Over.Round(time.Minute))
}

// time is what the clock on the wall shows, as far as is known.
func (m *Machine) time() time.Time { return m.now().Add(m.offset).UTC() }

// sessionLeft is for how long the session may still last.
func (m *Machine) sessionLeft() time.Duration {
	ours := m.ours()
	if !m.open() || len(ours) == 0 {
		return m.plan.Limits.MaxSession
	}
	return m.plan.Limits.MaxSession - m.now().Sub(ours[0].Time)
}

// checkSession refuses to bring material into memory or into reach, or to take anything new on,
// once the session should be over. What has been begun has to be brought to an end:
// shares that are dealt by halves help nobody.
func (m *Machine) checkSession(s phase.Step) error {
	switch s {
	case phase.Generate, phase.Recover, phase.Unlock, phase.Accept, phase.Wrap:
		if left := m.sessionLeft(); left <= 0 {
			return &SessionError{s, -left}
		}
	}
	return nil
}

// checkToken demands that an import token lives long enough to be wrapped for.
func (m *Machine) checkToken(validTo time.Time) error {
	if left := validTo.Sub(m.time()); left < m.plan.Limits.TokenMinRemaining {
		return &TokenError{validTo, left, m.plan.Limits.TokenMinRemaining}
	}
	return nil
}

// departure is when what was wrapped has to be on its way at the latest.
func (m *Machine) departure(validTo time.Time) time.Time {
	return validTo.Add(-m.plan.Limits.ImportMargin)
}
