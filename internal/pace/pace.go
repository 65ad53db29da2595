// SPDX-License-Identifier: Apache-2.0

// Package pace keeps calls to KMS below its request quotas, instead of running
// into them: a throttled call is lost time for everything in the account.
package pace

import (
	"context"
	"fmt"
	"sync"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/time/rate"
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
// Regions, and several of one, share it.
type Pacer struct {
	quotas map[string]float64

	mu       sync.Mutex
	limiters map[turn]*rate.Limiter
}

// A turn is what calls queue up for.
type turn struct{ region, operation string }

// New makes a Pacer for these quotas, such as [Quotas], in calls per second.
func New(quotas map[string]float64) *Pacer {
	return &Pacer{quotas: quotas, limiters: make(map[turn]*rate.Limiter)}
}

// Slow is an option for [kms.New]: each call of the client waits its turn
// once, before its first attempt. The pauses between attempts are the retryer's.
func (p *Pacer) Slow(o *kms.Options) {
	o.APIOptions = append(o.APIOptions[:len(o.APIOptions):len(o.APIOptions)], func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("pace", p.hold), middleware.After)
	})
}

func (p *Pacer) hold(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (out middleware.InitializeOutput, metadata middleware.Metadata, err error) {
	operation, region := awsmiddleware.GetOperationName(ctx), awsmiddleware.GetRegion(ctx)
	turns := []turn{{region, operation}}
	if replicate, ok := in.Parameters.(*kms.ReplicateKeyInput); ok && replicate.ReplicaRegion != nil {
		there := turn{*replicate.ReplicaRegion, "CreateKey"} // of which a replica counts as two, there
		turns = append(turns, there, there)
	}
	for _, t := range turns {
		if err := p.wait(ctx, t); err != nil {
			return out, metadata, fmt.Errorf("waiting for the turn of %s: %w", operation, err)
		}
	}
	return next.HandleInitialize(ctx, in)
}

func (p *Pacer) wait(ctx context.Context, t turn) error {
	quota, limited := p.quotas[t.operation]
	if !limited {
		return nil
	}
	p.mu.Lock()
	limiter, ok := p.limiters[t]
	if !ok {
		// No burst: KMS does not say how many calls at once it allows.
		limiter = rate.NewLimiter(rate.Limit(quota), 1)
		p.limiters[t] = limiter
	}
	p.mu.Unlock()
	return limiter.Wait(ctx)
}
