// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/mockkms"
)

type conditionsOptions struct {
	latency, lag time.Duration
	quotas       bool
}

func newMockConditionsCmd(a *app) *cobra.Command {
	var o conditionsOptions
	c := &cobra.Command{
		Use:   "conditions",
		Short: "Tell or change how a served mock behaves besides right",
		Long: `Latency is added to every call. With a lag, changes to keys and aliases show only
after a while, for KMS is eventually consistent. With quotas on, calls beyond
the request quotas of KMS are throttled. What no flag names stays as it is.`,
		Example: `  keymat mock conditions --lag 2s
  keymat mock conditions --quotas=false --latency 0s`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.mockConditions(cmd, o) },
	}
	c.Flags().DurationVar(&o.latency, "latency", 0, "add this `time` to every call")
	c.Flags().DurationVar(&o.lag, "lag", 0, "let changes show after this `time`")
	c.Flags().BoolVar(&o.quotas, "quotas", false, "throttle at the request quotas of KMS")
	return c
}

func (a *app) mockConditions(cmd *cobra.Command, o conditionsOptions) error {
	mock, err := a.servedMockControl(cmd)
	if err != nil {
		return err
	}
	now, err := mock.Conditions(cmd.Context())
	if err != nil {
		return err
	}
	flags := cmd.Flags()
	if flags.Changed("latency") {
		now.Latency = o.latency
	}
	if flags.Changed("lag") {
		now.Lag = o.lag
	}
	if flags.Changed("quotas") {
		now.Quotas = o.quotas
	}
	if flags.Changed("latency") || flags.Changed("lag") || flags.Changed("quotas") {
		if err := mock.SetConditions(cmd.Context(), now); err != nil {
			return err
		}
	}
	return a.print(mockConditions{now.Latency.String(), now.Lag.String(), now.Quotas, now.Flaws})
}

// mockConditions are the conditions under which a mock works.
type mockConditions struct {
	Latency string `json:"latency"`
	Lag     string `json:"lag"`
	Quotas  bool   `json:"quotas"`

	Flaws []mockkms.Flaw `json:"flaws,omitempty"` // it was served with
}

func (m mockConditions) text(w io.Writer) {
	quotas := "off"
	if m.Quotas {
		quotas = "on"
	}
	fields(w, "latency", m.Latency, "lag", m.Lag, "quotas", quotas)
	for _, flaw := range m.Flaws {
		fields(w, "flaw", string(flaw))
	}
}
