// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"cmp"
	"context"
	"net"
	"net/url"
	"time"

	"github.com/keymat/keymat/mockkms"
)

// now is the time at the KMS that the command talks to: for a mock whose clock
// was moved that of the mock, or a token that was just fetched would seem to
// be valid for months, and 90 days from now to be over.
func (a *app) now() time.Time {
	if a.clock == nil {
		a.clock = a.findClock()
	}
	return a.clock()
}

// clockPatience is how long a served mock may take to tell its time.
const clockPatience = 2 * time.Second

// findClock asks a mock for its time. Whatever hinders that is for the calls to
// KMS to report, which follow.
func (a *app) findClock() func() time.Time {
	var clock mockkms.Clock
	var err error
	switch endpoint := cmp.Or(a.globals.endpointURL, a.endpointSetting()); {
	case a.usesEmbedded():
		var mock *mockkms.KMS
		if mock, err = a.embedded(); err == nil {
			clock, err = mock.Clock()
		}
	case onLoopback(endpoint):
		ctx, cancel := context.WithTimeout(context.Background(), clockPatience)
		defer cancel()
		clock, err = mockkms.NewRemote(endpoint, nil).Clock(ctx)
	default:
		return time.Now
	}
	switch {
	case err != nil:
		return time.Now
	case clock.Frozen:
		return func() time.Time { return clock.Time }
	}
	return func() time.Time { return time.Now().Add(clock.Offset) }
}

// usesEmbedded reports whether the command talks to the KMS inside keymat.
func (a *app) usesEmbedded() bool { return a.globals.mock && a.globals.endpointURL == "" }

// endpointSetting is where the environment points KMS clients to.
func (a *app) endpointSetting() string {
	return cmp.Or(a.Getenv("AWS_ENDPOINT_URL_KMS"), a.Getenv("AWS_ENDPOINT_URL"))
}

// onLoopback reports whether a URL names this machine by its loopback address.
func onLoopback(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
