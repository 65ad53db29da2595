// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/material"
)

// CreateRequest describes a new key of origin EXTERNAL.
type CreateRequest struct {
	Spec        material.Spec
	Usage       types.KeyUsageType // empty: DefaultUsage of the spec
	Alias       string             // "alias/…"; empty for none
	MultiRegion bool
	Description string
	Tags        map[string]string
	Policy      string // key policy, JSON; empty: KMS's default
}

// DefaultUsage is the usage of a key when none is asked for. Only key pairs
// leave a choice; signing is what most bring a key pair for.
func DefaultUsage(s material.Spec) types.KeyUsageType {
	switch s.Kind() {
	case material.Symmetric:
		return types.KeyUsageTypeEncryptDecrypt
	case material.HMAC:
		return types.KeyUsageTypeGenerateVerifyMac
	}
	return types.KeyUsageTypeSignVerify
}

// Create makes the key, and its alias if one is asked for, and waits until KMS
// shows it. A taken alias is found before the key exists (*AliasTakenError);
// if the alias fails after all, the error is an *UnfinishedError naming the key.
// A lost answer is never repeated: every CreateKey that arrives makes a key.
func (i *Importer) Create(ctx context.Context, r CreateRequest) (Key, error) {
	if err := i.CheckAliasFree(ctx, r.Alias); err != nil {
		return Key{}, err
	}
	out, err := i.KMS.CreateKey(ctx, r.input(), retryOnlyThrottling)
	if err != nil {
		return Key{}, &CallError{Operation: "CreateKey", Err: err}
	}
	key, err := keyOf("CreateKey", out.KeyMetadata)
	if err != nil {
		return Key{}, err
	}
	if r.Alias != "" {
		if err := i.NameKey(ctx, key, r.Alias); err != nil {
			return key, &UnfinishedError{KeyARN: key.ARN, Err: err}
		}
	}
	i.report(Created{Key: key, Alias: r.Alias})
	return key, nil
}

// NameKey gives a key an alias. It is well if the key has it already: the answer
// to an earlier try may have been lost. An alias that names another key is an
// *AliasTakenError.
func (i *Importer) NameKey(ctx context.Context, k Key, alias string) error {
	_, err := i.KMS.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String(alias), TargetKeyId: aws.String(k.ID)})
	if _, taken := errors.AsType[*types.AlreadyExistsException](err); taken {
		var named Key
		err := i.whileYoung(ctx, k, func() (err error) {
			named, err = i.Describe(ctx, alias)
			return err
		})
		if err == nil && named.ARN != k.ARN {
			err = &AliasTakenError{Alias: alias, KeyARN: named.ARN}
		}
		return err
	}
	if err != nil {
		return &CallError{Operation: "CreateAlias", Key: alias, Err: err}
	}
	return nil
}

func (r CreateRequest) input() *kms.CreateKeyInput {
	in := &kms.CreateKeyInput{
		KeySpec:     types.KeySpec(r.Spec),
		KeyUsage:    r.Usage,
		Origin:      types.OriginTypeExternal,
		MultiRegion: aws.Bool(r.MultiRegion),
	}
	if in.KeyUsage == "" {
		in.KeyUsage = DefaultUsage(r.Spec)
	}
	if r.Description != "" {
		in.Description = aws.String(r.Description)
	}
	if r.Policy != "" {
		in.Policy = aws.String(r.Policy)
	}
	in.Tags = tagList(r.Tags)
	return in
}

func tagList(tags map[string]string) (list []types.Tag) {
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.Tag{TagKey: aws.String(k), TagValue: aws.String(tags[k])})
	}
	return list
}

// CheckAliasFree fails with *AliasTakenError if the alias names a key already.
// It changes nothing, and makes no call for the alias "".
func (i *Importer) CheckAliasFree(ctx context.Context, alias string) error {
	if alias == "" {
		return nil
	}
	out, err := i.KMS.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(alias)})
	if _, ok := errors.AsType[*types.NotFoundException](err); ok {
		return nil
	}
	if err != nil {
		return &CallError{Operation: "DescribeKey", Key: alias, Err: err}
	}
	return &AliasTakenError{Alias: alias, KeyARN: aws.ToString(out.KeyMetadata.Arn)}
}

// AliasTakenError says that the alias for a new key already names another.
type AliasTakenError struct{ Alias, KeyARN string }

func (e *AliasTakenError) Error() string {
	return fmt.Sprintf("%s already names %s", e.Alias, e.KeyARN)
}

// UnfinishedError says that a key was created and remains although a later
// step ended in Err.
type UnfinishedError struct {
	KeyARN string
	Err    error
}

func (e *UnfinishedError) Error() string {
	return fmt.Sprintf("%s was created and remains: %v", e.KeyARN, e.Err)
}

func (e *UnfinishedError) Unwrap() error { return e.Err }

// youngKey is for how long KMS may not know a new key everywhere.
const youngKey = time.Minute

// DescribeNew is [Importer.Describe] of a key that was made at a time not long
// ago: it waits, within a bound, until KMS knows it.
func (i *Importer) DescribeNew(ctx context.Context, ref string, made time.Time) (k Key, err error) {
	err = i.whileYoung(ctx, Key{Created: made}, func() error {
		k, err = i.Describe(ctx, ref)
		return err
	})
	return k, err
}

// whileYoung repeats call while KMS does not yet know a key made just now:
// it is eventually consistent (KMS guide, "eventual consistency").
func (i *Importer) whileYoung(ctx context.Context, k Key, call func() error) error {
	var err error
	i.poll(ctx, "KMS to know the new key", func() bool {
		err = call()
		_, missing := errors.AsType[*types.NotFoundException](err)
		return !missing || time.Since(k.Created) > youngKey
	})
	return err
}
