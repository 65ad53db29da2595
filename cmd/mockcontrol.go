// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/internal/files"
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
	remote, err := a.remoteMock(c)
	if err != nil {
		return nil, err
	}
	if remote != nil {
		return remote, nil
	}
	store, _, err := a.openMock()
	if err != nil {
		return nil, err
	}
	kms := mockkms.New(mockkms.WithStore(store))
	a.AtEnd(kms.Close)
	return storedMock{kms}, nil
}

// servedMockControl is the control of a mock that must be a served one: what
// is asked of it ends with its process.
func (a *app) servedMockControl(c *cobra.Command) (*mockkms.Remote, error) {
	remote, err := a.remoteMock(c)
	if remote == nil && err == nil {
		err = usagef("only a mock that is being served can be asked for this; name it with --endpoint-url or AWS_ENDPOINT_URL_KMS")
	}
	return remote, err
}

// remoteMock is the control of the served mock that KMS clients are pointed
// at; nil if they are not, or the state file is meant.
func (a *app) remoteMock(c *cobra.Command) (*mockkms.Remote, error) {
	url := a.globals.endpointURL
	if url == "" && !a.globals.mock && !c.Flags().Changed("mock-state") {
		url = a.endpointSetting()
	}
	if url == "" {
		return nil, nil
	}
	client, err := a.bundleClient()
	if err != nil {
		return nil, err
	}
	return mockkms.NewRemote(url, client), nil
}

// bundleClient trusts the certificates that the AWS SDK is told to trust.
func (a *app) bundleClient() (*http.Client, error) {
	name := a.Getenv("AWS_CA_BUNDLE")
	if name == "" {
		return http.DefaultClient, nil
	}
	bundle, err := files.ReadLimited(name, nil, 1<<20)
	if err != nil {
		return nil, fmt.Errorf("AWS_CA_BUNDLE: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(bundle) {
		return nil, fmt.Errorf("AWS_CA_BUNDLE: no certificate in %s", name)
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}, nil
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
