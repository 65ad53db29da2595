// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keymat/keymat/internal/experiment"
)

// A countingClock remembers by how much it was moved.
type countingClock struct {
	experiment.Clock
	moved time.Duration
}

// Advance moves the clock. An interrupt does not reach it: whether the clock
// was moved would stay unknown.
func (c *countingClock) Advance(ctx context.Context, d time.Duration) error {
	err := c.Clock.Advance(context.WithoutCancel(ctx), d)
	if err == nil {
		c.moved += d
	}
	return err
}

// setBack undoes all moves.
func (c *countingClock) setBack(ctx context.Context) error {
	if c.moved == 0 {
		return nil
	}
	if err := c.Advance(ctx, -c.moved); err != nil {
		return fmt.Errorf("setting back the clock by %s: %w", c.moved, err)
	}
	return nil
}

// A fixedClock is for experiments beside which others are made.
type fixedClock struct{ experiment.Clock }

var errClockInUse = errors.New("a rule that does not say so moves the clock, with which others are tested")

// Advance refuses.
func (fixedClock) Advance(context.Context, time.Duration) error { return errClockInUse }
