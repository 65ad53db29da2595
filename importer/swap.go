// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// SwapRequest asks for a new key in the place of another behind an alias, the
// way to rotate what KMS does not rotate.
type SwapRequest struct {
	Alias    string // "alias/…", naming the old key now
	Material *material.Material
	Pair     wrap.Pair
	Expiry   Expiry
}

// Swapped is the outcome of SwapAlias.
type Swapped struct {
	Old, New Key
	Receipt  Receipt
	Proof    Proof
}

// SwapAlias creates a key like k (spec, usage, policy, description, tags),
// brings the material into it, and then makes the alias name it. The old key
// stays as it is: what it encrypted or signed needs it further. Grants are not
// carried over.
//
// It fails with *AliasElsewhereError, or *CopiesError for a key with replicas;
// once the new key exists, with *UnfinishedError naming it.
func (i *Importer) SwapAlias(ctx context.Context, k Key, r SwapRequest) (Swapped, error) {
	if err := i.CheckSwap(ctx, k, r.Alias); err != nil {
		return Swapped{}, err
	}
	if err := r.Expiry.Check(i.now()); err != nil {
		return Swapped{}, err
	}
	t, err := i.traitsOf(ctx, k)
	if err != nil {
		return Swapped{}, err
	}
	created, err := i.Create(ctx, CreateRequest{
		Spec: k.Spec, Usage: k.Usage, MultiRegion: k.MultiRegion,
		Policy: t.policy, Description: t.description, Tags: t.tags,
	})
	if err != nil {
		return Swapped{}, err
	}
	done := Swapped{Old: k, New: created}
	if done.Receipt, done.Proof, err = i.Bring(ctx, created, r.Material, r.Pair, ImportRequest{Expiry: r.Expiry}); err != nil {
		return done, &UnfinishedError{KeyARN: created.ARN, Err: err}
	}
	if done.Proof.Verdict == Mismatch {
		return done, nil
	}
	// Moving it twice is no different from once, so the SDK may repeat this.
	if _, err := i.KMS.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: aws.String(r.Alias), TargetKeyId: aws.String(created.ID)}); err != nil {
		return done, &UnfinishedError{KeyARN: created.ARN, Err: &CallError{Operation: "UpdateAlias", Key: r.Alias, Err: err}}
	}
	i.report(AliasMoved{Alias: r.Alias, From: k.ARN, To: created.ARN})
	return done, nil
}

// CheckSwap tells whether the alias names k, and k is alone.
func (i *Importer) CheckSwap(ctx context.Context, k Key, alias string) error {
	if len(k.Copies) > 1 {
		return &CopiesError{KeyARN: k.ARN, Copies: len(k.Copies)}
	}
	named, err := i.Describe(ctx, alias)
	if err != nil {
		return err
	}
	if named.ARN != k.ARN {
		return &AliasElsewhereError{Alias: alias, Got: named.ARN, Want: k.ARN}
	}
	return nil
}

// AliasElsewhereError says that an alias names another key than was meant.
type AliasElsewhereError struct{ Alias, Got, Want string }

func (e *AliasElsewhereError) Error() string {
	return fmt.Sprintf("%s names %s, not %s", e.Alias, e.Got, e.Want)
}

// CopiesError says that a key with replicas cannot be replaced as a whole:
// each Region has aliases of its own.
type CopiesError struct {
	KeyARN string
	Copies int
}

func (e *CopiesError) Error() string {
	return fmt.Sprintf("%s has copies in %d Regions, each with aliases of its own", e.KeyARN, e.Copies)
}
