// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/mockkms"
)

// A mockControl is what the mock commands ask of a mock, wherever it is.
// [mockkms.Remote] is one.
type mockControl interface {
	Clock(ctx context.Context) (mockkms.Clock, error)
	MoveClock(ctx context.Context, m mockkms.ClockMove) (mockkms.Clock, error)
	Events(ctx context.Context, q mockkms.EventQuery) (mockkms.EventPage, error)
}

var _ mockControl = (*mockkms.Remote)(nil)

// mockControl finds the mock that is meant: a served one where KMS clients
// are pointed at it, otherwise the one in the state file. Naming that file
// decides, as does --mock.
func (a *app) mockControl(c *cobra.Command) (mockControl, error) {
	url := a.globals.endpointURL
	embedded := a.globals.mock || c.Flags().Changed("mock-state")
	if url == "" && !embedded {
		url = a.env.Getenv("AWS_ENDPOINT_URL_KMS")
	}
	if url == "" && !embedded {
		url = a.env.Getenv("AWS_ENDPOINT_URL")
	}
	if url != "" {
		return mockkms.NewRemote(url, nil), nil
	}
	store, _, err := a.openMock()
	if err != nil {
		return nil, err
	}
	kms := mockkms.New(mockkms.WithStore(store))
	a.closers = append(a.closers, kms.Close)
	return storedMock{kms}, nil
}

// storedMock is the mock in a state file as a mockControl.
type storedMock struct{ kms *mockkms.KMS }

func (m storedMock) Clock(context.Context) (mockkms.Clock, error) { return m.kms.Clock() }

func (m storedMock) MoveClock(_ context.Context, move mockkms.ClockMove) (mockkms.Clock, error) {
	return m.kms.MoveClock(move)
}

func (m storedMock) Events(_ context.Context, q mockkms.EventQuery) (mockkms.EventPage, error) {
	return m.kms.Events(q)
}

// seconds is a time as results tell it.
func seconds(t time.Time) string { return t.UTC().Format(time.RFC3339) }
