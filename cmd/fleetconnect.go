// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"cmp"
	"context"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/fleet"
	"github.com/keymat/keymat/internal/awsclient"
	"github.com/keymat/keymat/internal/pace"
	"github.com/keymat/keymat/inventory"
	"github.com/keymat/keymat/mockkms"
)

// fleetConnections are the clients for the places of a fleet, each made once:
// those of one place share connections, credentials and the pace.
type fleetConnections struct {
	app *app

	mu      sync.Mutex
	clients map[settings]*kms.Client
	pacers  map[settings]*pace.Pacer // their Region left open
}

// settings are what makes one client differ from another.
type settings struct{ profile, role, region string }

func (a *app) newFleetConnections() *fleetConnections {
	return &fleetConnections{app: a, clients: map[settings]*kms.Client{}, pacers: map[settings]*pace.Pacer{}}
}

// connect satisfies [fleet.Connect].
func (f *fleetConnections) connect(ctx context.Context, p fleet.Place) (inventory.Place, error) {
	s := settings{cmp.Or(p.Profile, f.app.globals.profile), p.Role, p.Region}
	client, err := f.client(ctx, s)
	if err != nil {
		return inventory.Place{}, err
	}
	return inventory.Place{
		Profile: s.profile, Region: s.region, KMS: client, Now: f.app.now,
		Regions: func(region string) (inventory.KMS, error) {
			return f.client(ctx, settings{s.profile, s.role, region})
		},
	}, nil
}

func (f *fleetConnections) client(ctx context.Context, s settings) (*kms.Client, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if client, ok := f.clients[s]; ok {
		return client, nil
	}
	o := awsclient.Options{Region: s.region, Profile: s.profile, Role: s.role, EndpointURL: f.app.globals.endpointURL, Debug: f.app.debug()}
	if f.app.usesEmbedded() {
		mock, err := f.app.embedded()
		if err != nil {
			return nil, err
		}
		o.Transport = mockkms.Transport(mock)
		if arn := strings.Split(s.role, ":"); len(arn) > 4 {
			o.Account = arn[4]
		}
	}
	client, err := awsclient.New(ctx, o)
	if err != nil {
		return nil, err
	}
	if f.app.onAWS() {
		client = kms.New(client.Options(), f.pacer(s).Slow)
	}
	f.clients[s] = client
	return client, nil
}

// describes is how many DescribeKey KMS takes a second, for an account and
// Region (Developer Guide, Request quotas), less what others may need.
const describes = 1900

func (f *fleetConnections) pacer(s settings) *pace.Pacer {
	s.region = ""
	if f.pacers[s] == nil {
		quotas := pace.Quotas()
		quotas["DescribeKey"] = describes
		f.pacers[s] = pace.New(quotas)
	}
	return f.pacers[s]
}

// onAWS reports whether calls go to AWS itself, as far as settings tell.
func (a *app) onAWS() bool {
	return !a.usesEmbedded() && cmp.Or(a.globals.endpointURL, a.endpointSetting()) == ""
}
