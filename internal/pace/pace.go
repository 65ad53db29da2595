// SPDX-License-Identifier: Apache-2.0

// Package pace keeps calls to KMS below its request quotas, instead of running
// into them: a throttled call is lost time for everything in the account. It
// learns from those that are throttled nevertheless, since others use the same
// quotas, and not every account has KMS's own.
package pace

import (
	"context"
	"errors"
	"fmt"
	"sync"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// Quotas are KMS's own for the operations that few calls per second are
// allowed of, in calls per second for an account and Region (Developer Guide,
// Request quotas, 2026). An account may have others.
func Quotas() map[string]float64 {
	return map[string]float64{
		"CancelKeyDeletion": 5, "CreateAlias": 5, "CreateGrant": 50, "CreateKey": 5, "DeleteAlias": 15,
		"DeleteImportedKeyMaterial": 15, "DisableKey": 5, "DisableKeyRotation": 5, "EnableKey": 5, "EnableKeyRotation": 15,
		"GetKeyLastUsage": 5, "GetParametersForImport": 1, "ImportKeyMaterial": 15, "ListGrants": 100, "ListKeyPolicies": 100,
		"ListKeyRotations": 100, "PutKeyPolicy": 15, "ReplicateKey": 5, "RetireGrant": 50, "RevokeGrant": 50,
		"RotateKeyOnDemand": 5, "ScheduleKeyDeletion": 15, "TagResource": 10, "UntagResource": 5, "UpdateAlias": 5,
		"UpdateKeyDescription": 5, "UpdatePrimaryRegion": 5,
	}
}

// A Pacer holds calls back until it is their turn. Clients for several
// accounts and Regions, and several of one, share it.
type Pacer struct {
	quotas map[string]float64

	mu    sync.Mutex
	lanes map[turn]*lane
	tally map[turn]Tally
}

// A turn is what calls queue up for.
type turn struct{ account, region, operation string }

// Tally counts the attempts of calls.
type Tally struct{ Sent, Throttled int }

// New makes a Pacer for these quotas, such as [Quotas], in calls per second.
func New(quotas map[string]float64) *Pacer {
	return &Pacer{quotas: quotas, lanes: make(map[turn]*lane), tally: make(map[turn]Tally)}
}

// Slow is an option for [kms.New], for clients of one account: each attempt of
// a call waits its turn. The pauses between attempts are the retryer's.
func (p *Pacer) Slow(o *kms.Options) { p.In("")(o) }

// In is [Pacer.Slow] for one account of several, by any name that tells them
// apart.
func (p *Pacer) In(account string) func(*kms.Options) {
	return func(o *kms.Options) {
		o.APIOptions = append(o.APIOptions[:len(o.APIOptions):len(o.APIOptions)], func(s *middleware.Stack) error {
			err := s.Initialize.Add(middleware.InitializeMiddlewareFunc("pace", noteReplica), middleware.After)
			hold := func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				return p.hold(ctx, account, in, next)
			}
			return errors.Join(err, s.Finalize.Insert(middleware.FinalizeMiddlewareFunc("pace", hold), "Retry", middleware.After))
		})
	}
}

// replicaKey finds in a call's context the Region in which it makes a replica.
type replicaKey struct{}

func noteReplica(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	if replicate, ok := in.Parameters.(*kms.ReplicateKeyInput); ok && replicate.ReplicaRegion != nil {
		ctx = middleware.WithStackValue(ctx, replicaKey{}, *replicate.ReplicaRegion)
	}
	return next.HandleInitialize(ctx, in)
}

func (p *Pacer) hold(ctx context.Context, account string, in middleware.FinalizeInput, next middleware.FinalizeHandler) (out middleware.FinalizeOutput, metadata middleware.Metadata, err error) {
	this := turn{account, awsmiddleware.GetRegion(ctx), awsmiddleware.GetOperationName(ctx)}
	turns := []turn{this}
	if region, ok := middleware.GetStackValue(ctx, replicaKey{}).(string); ok {
		there := turn{account, region, "CreateKey"} // of which a replica counts as two, there
		turns = append(turns, there, there)
	}
	for _, t := range turns {
		if err := p.wait(ctx, t); err != nil {
			return out, metadata, fmt.Errorf("waiting for the turn of %s: %w", this.operation, err)
		}
	}
	out, metadata, err = next.HandleFinalize(ctx, in)
	p.learn(this, isThrottling(err))
	return out, metadata, err
}

func isThrottling(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	_, ok := retry.DefaultThrottleErrorCodes[api.ErrorCode()]
	return ok
}

func (p *Pacer) wait(ctx context.Context, t turn) error {
	if l := p.lane(t); l != nil {
		return l.wait(ctx, func() float64 { return p.Rate(t.account, t.region, t.operation) })
	}
	return nil
}

func (p *Pacer) learn(t turn, throttled bool) {
	l := p.lane(t)
	p.mu.Lock()
	defer p.mu.Unlock()
	tally := p.tally[t]
	tally.Sent++
	if throttled {
		tally.Throttled++
	}
	p.tally[t] = tally
	if l != nil {
		l.learn(throttled)
	}
}

// lane is the one for a turn; nil for an operation without a quota.
func (p *Pacer) lane(t turn) *lane {
	quota, limited := p.quotas[t.operation]
	if !limited || quota <= 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	l, ok := p.lanes[t]
	if !ok {
		l = newLane(quota)
		p.lanes[t] = l
	}
	return l
}

// Tally counts the attempts of one operation in an account and Region; those
// of all operations for "".
func (p *Pacer) Tally(account, region, operation string) (sum Tally) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for t, n := range p.tally {
		if t.account == account && t.region == region && (operation == "" || t.operation == operation) {
			sum.Sent += n.Sent
			sum.Throttled += n.Throttled
		}
	}
	return sum
}

// Rate is how many calls of an operation a second are let through at present
// in an account and Region; 0 is any number.
func (p *Pacer) Rate(account, region, operation string) float64 {
	l := p.lane(turn{account, region, operation})
	if l == nil {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return l.rate
}

// Total counts the attempts of all calls.
func (p *Pacer) Total() (sum Tally) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range p.tally {
		sum.Sent += n.Sent
		sum.Throttled += n.Throttled
	}
	return sum
}
