// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/mockkms"
)

type clockOptions struct {
	advance string
	set     string
	freeze  bool
	resume  bool
	reset   bool
}

func newMockClockCmd(a *app) *cobra.Command {
	var o clockOptions
	c := &cobra.Command{
		Use:   "clock",
		Short: "Tell or move the time at which the mock lives",
		Long: `Import tokens, expiring material, deletion windows and rotations follow the
mock's clock. Moving it lets them end without waiting. Without flags, the time
is told.

A served mock is moved where AWS_ENDPOINT_URL_KMS or --endpoint-url points to
it, from its own machine only; otherwise the one in the state file, for every
keymat that uses it. The move lasts until --reset. Nothing that is gone comes
back when the clock is turned back.`,
		Example: `  keymat mock clock --advance 24h
  keymat mock clock --set 2027-01-31T12:00:00Z --freeze
  keymat mock clock --reset`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			move, err := o.move()
			if err != nil {
				return err
			}
			return a.mockClock(cmd, move)
		},
	}
	c.Flags().StringVar(&o.advance, "advance", "", "jump ahead by a `span` of time, such as 90d, 24h or 30s; back when negative")
	c.Flags().StringVar(&o.set, "set", "", "jump to a `time`: 2027-01-31 or 2027-01-31T12:00:00Z")
	c.Flags().BoolVar(&o.freeze, "freeze", false, "stand still")
	c.Flags().BoolVar(&o.resume, "resume", false, "go on from where it stands still")
	c.Flags().BoolVar(&o.reset, "reset", false, "go back to the time of day")
	c.MarkFlagsMutuallyExclusive("freeze", "resume")
	for _, f := range []string{"advance", "set", "freeze", "resume"} {
		c.MarkFlagsMutuallyExclusive("reset", f)
	}
	return c
}

func (o clockOptions) move() (mockkms.ClockMove, error) {
	m := mockkms.ClockMove{Freeze: o.freeze, Resume: o.resume, Reset: o.reset}
	if o.advance != "" {
		d, ok := importer.ParseSpan(o.advance)
		if !ok {
			return m, usagef("--advance %q is no span of time, such as 90d or 24h", o.advance)
		}
		m.Advance = d
	}
	if o.set != "" {
		t, err := time.Parse(time.RFC3339, o.set)
		if err != nil {
			t, err = time.Parse(time.DateOnly, o.set)
		}
		if err != nil {
			return m, usagef("--set %q is no time, such as 2027-01-31 or 2027-01-31T12:00:00Z", o.set)
		}
		m.Set = t
	}
	return m, nil
}

func (a *app) mockClock(cmd *cobra.Command, move mockkms.ClockMove) error {
	mock, err := a.mockControl(cmd)
	if err != nil {
		return err
	}
	var clock mockkms.Clock
	if move == (mockkms.ClockMove{}) {
		clock, err = mock.Clock(cmd.Context())
	} else {
		clock, err = mock.MoveClock(cmd.Context(), move)
	}
	if err != nil {
		return err
	}
	return a.print(mockTime{clock.Time, clock.Offset.Round(time.Second).String(), clock.Frozen, clock.Offset})
}

// mockTime is the time at which a mock lives.
type mockTime struct {
	Time   time.Time `json:"time"`
	Offset string    `json:"offset"` // from the time of day
	Frozen bool      `json:"frozen"`

	offset time.Duration
}

func (t mockTime) text(w io.Writer) {
	state := ""
	if t.Frozen {
		state = ", frozen"
	}
	fmt.Fprintf(w, "%s (%s%s)\n", seconds(t.Time), besideTimeOfDay(t.offset), state)
}

// besideTimeOfDay says how far a clock is off: "1 d 1 h ahead of the time of day".
func besideTimeOfDay(d time.Duration) string {
	way := "ahead of"
	if d < 0 {
		d, way = -d, "behind"
	}
	if d = d.Round(time.Second); d == 0 {
		return "the time of day"
	}
	words := ""
	for _, unit := range []struct {
		long time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if n := d / unit.long; n > 0 {
			words += fmt.Sprintf("%d %s ", n, unit.name)
		}
		d %= unit.long
	}
	return words + way + " the time of day"
}
