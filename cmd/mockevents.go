// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/mockkms"
)

type eventsOptions struct {
	key    string
	last   int
	follow bool
}

func newMockEventsCmd(a *app) *cobra.Command {
	var o eventsOptions
	c := &cobra.Command{
		Use:   "events",
		Short: "Tell what the mock was asked, as CloudTrail would",
		Long: `Every call that the mock answered, and what happened by itself (expired material,
rotations, deleted keys), oldest first. With --json the events have the names
and fields of CloudTrail; with --follow too, there is one event per line.

Plaintexts, ciphertexts, tokens and key material are never told. The mock keeps
the last few thousand events. Which mock is meant: see keymat mock clock.`,
		Example: `  keymat mock events --key alias/app
  keymat mock events --follow --json | jq .eventName`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.mockEvents(cmd, o) },
	}
	c.Flags().StringVar(&o.key, "key", "", "only events of this `key`: its ID or ARN, or the name that calls used for it")
	c.Flags().IntVar(&o.last, "last", 0, "only the newest `n` events; 0 is all")
	c.Flags().BoolVarP(&o.follow, "follow", "f", false, "go on telling events as they come, until interrupted")
	return c
}

// followInterval is how often a followed mock is asked for news.
const followInterval = 300 * time.Millisecond

func (a *app) mockEvents(cmd *cobra.Command, o eventsOptions) error {
	mock, err := a.mockControl(cmd)
	if err != nil {
		return err
	}
	q := mockkms.EventQuery{Key: o.key, Limit: o.last}
	for {
		page, err := mock.Events(cmd.Context(), q)
		switch {
		case o.follow && cmd.Context().Err() != nil:
			return nil // being told to stop is how following ends
		case err != nil:
			return err
		case !o.follow:
			return a.print(mockEvents{page.Events})
		}
		if err := a.printEvents(page.Events); err != nil {
			return err
		}
		q.After, q.Limit = page.Last, 0
		select {
		case <-cmd.Context().Done():
		case <-time.After(followInterval):
		}
	}
}

// printEvents prints some events of many, one per line.
func (a *app) printEvents(events []mockkms.Event) error {
	a.Told()
	if !a.JSON {
		mockEvents{events}.text(a.Stdout)
		return nil
	}
	enc := json.NewEncoder(a.Stdout)
	enc.SetEscapeHTML(false)
	for _, e := range events {
		if err := enc.Encode(e); err != nil {
			return err
		}
	}
	return nil
}

// mockEvents are events of a mock.
type mockEvents struct {
	Events []mockkms.Event `json:"events"`
}

func (m mockEvents) text(w io.Writer) {
	for _, e := range m.Events {
		line := fmt.Sprintf("%s  %-26s  %s", seconds(e.EventTime), e.EventName, cmp.Or(eventKeys(e), "-"))
		if e.ErrorCode != "" {
			line += "  " + e.ErrorCode
		}
		fmt.Fprintln(w, line)
	}
}

func eventKeys(e mockkms.Event) string {
	arns := make([]string, len(e.Resources))
	for i, r := range e.Resources {
		arns[i] = r.ARN
	}
	return strings.Join(arns, " ")
}
