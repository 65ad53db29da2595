// SPDX-License-Identifier: Apache-2.0

package rehearsal

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/ceremony/online"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/awsclient"
	"github.com/keymat/keymat/mockkms"
)

// morning is when on its day a ceremony begins, UTC.
const morning = 9 * time.Hour

// A world is what is outside of the rooms: a mock of KMS, and the time, which is
// the same everywhere.
type world struct {
	mock    *mockkms.KMS
	account string

	mu      sync.Mutex
	clients map[string]online.KMS // by Region
	ahead   time.Duration         // of the clock of this machine
}

// openWorld takes up the world whose KMS is in a file; a new one begins on the
// morning of a day. wrappingKeys of each size are made while people are busy with
// something else.
func openWorld(path string, day time.Time, account string, wrappingKeys mockkms.KeysAhead) (*world, error) {
	store, err := mockkms.OpenStore(path)
	if err != nil {
		return nil, err
	}
	w := &world{
		mock:    mockkms.New(mockkms.WithStore(store), mockkms.WithKeysAhead(wrappingKeys), mockkms.WithReplicationTime(0)),
		account: account, clients: map[string]online.KMS{},
	}
	clock, err := w.mock.Clock()
	if err == nil && clock.Offset == 0 {
		clock, err = w.mock.MoveClock(mockkms.ClockMove{Set: day.Add(morning)})
	}
	if err != nil {
		return nil, closing(err, w.mock.Close)
	}
	w.ahead = clock.Offset
	return w, nil
}

// now is the time, UTC.
func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.ahead).UTC()
}

// wait lets time pass.
func (w *world) wait(d time.Duration) error {
	clock, err := w.mock.MoveClock(mockkms.ClockMove{Advance: d})
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		w.ahead = clock.Offset
	}
	return err
}

// in is the KMS of a Region.
func (w *world) in(ctx context.Context, region string) (online.KMS, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if client, ok := w.clients[region]; ok {
		return client, nil
	}
	client, err := awsclient.New(ctx, awsclient.Options{Region: region, Account: w.account, Transport: mockkms.Transport(w.mock)})
	if err != nil {
		return nil, err
	}
	w.clients[region] = kms.New(client.Options(), hasty)
	return w.clients[region], nil
}

// hasty has a client wait for nothing between its tries: the mock is not busy, it
// only says so.
func hasty(o *kms.Options) {
	o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond })
}

// service is the KMS as the machines see it.
func (w *world) service() online.Service { return online.Service{Embedded: true, Mock: true, In: w.in} }

// makeKeys makes a key for each target of a plan, ready to take its material, but
// for replicas: KMS makes none of a key that has no material yet. The result has
// their ARNs by the IDs of the targets, but for those that the plan names by an
// alias, which they then have.
func (w *world) makeKeys(ctx context.Context, p *plan.Plan) (map[string]string, error) {
	made, named := map[string]string{}, map[string]string{}
	for _, t := range p.Targets {
		primary, err := made[t.ReplicaOf], error(nil)
		made[t.ID] = strings.Replace(primary, ":"+importer.RegionOf(primary)+":", ":"+t.Region+":", 1)
		if t.ReplicaOf == "" {
			made[t.ID], err = w.makeKey(ctx, p, t)
		}
		if err != nil {
			return nil, fmt.Errorf("making the key of %s in the mock: %w", t.ID, err)
		}
		if aliasOf(t) == "" {
			named[t.ID] = made[t.ID]
		}
	}
	return named, nil
}

func (w *world) makeKey(ctx context.Context, p *plan.Plan, t plan.Target) (arn string, err error) {
	im, err := w.importer(ctx, t.Region)
	if err != nil {
		return "", err
	}
	k, err := im.Create(ctx, importer.CreateRequest{
		Spec: p.Material.Spec, Usage: types.KeyUsageType(p.Material.Usage), Alias: aliasOf(t), MultiRegion: multiRegion(p, t),
	})
	return k.ARN, err
}

// aliasOf is the alias by which a plan names a key, or "".
func aliasOf(t plan.Target) string {
	if strings.HasPrefix(t.Key, "arn:") {
		return ""
	}
	return t.Key
}

// key is that of a target. Where it is a replica that is not there yet, an
// administrator makes it.
func (w *world) key(ctx context.Context, p *plan.Plan, t plan.Target) (importer.Key, error) {
	im, err := w.importer(ctx, t.Region)
	if err != nil {
		return importer.Key{}, err
	}
	i := slices.IndexFunc(p.Targets, func(other plan.Target) bool { return other.ID == t.ReplicaOf })
	if i < 0 {
		return im.Describe(ctx, t.Key)
	}
	home, err := w.importer(ctx, p.Targets[i].Region)
	if err != nil {
		return importer.Key{}, err
	}
	primary, err := home.Describe(ctx, p.Targets[i].Key)
	if err != nil {
		return importer.Key{}, err
	}
	replica, err := home.Replicate(ctx, primary, t.Region)
	if err == nil && aliasOf(t) != "" {
		err = im.NameKey(ctx, replica.Key, aliasOf(t))
	}
	return replica.Key, err
}

// multiRegion reports whether the key of a target is one of several Regions.
func multiRegion(p *plan.Plan, t plan.Target) bool {
	for _, other := range p.Targets {
		if other.ReplicaOf == t.ID {
			return true
		}
	}
	return strings.Contains(t.Key, ":key/mrk-")
}

func (w *world) importer(ctx context.Context, region string) (*importer.Importer, error) {
	client, err := w.in(ctx, region)
	if err != nil {
		return nil, err
	}
	regions := func(region string) (importer.KMS, error) { return w.in(ctx, region) }
	return &importer.Importer{KMS: client, Now: w.now, Regions: regions}, nil
}

func (w *world) close() error { return w.mock.Close() }
