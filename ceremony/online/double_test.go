// SPDX-License-Identifier: Apache-2.0

package online_test

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/ceremony/online"
)

// tomorrow is that of the clock in tests.
var tomorrow = time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC)

// A double changes what KMS answers on its way to us.
type double struct {
	online.KMS
	describe   func(*kms.DescribeKeyOutput)
	publicKey  func(*kms.GetPublicKeyOutput)
	acceptsAll bool // any MAC is right
	refusesAll bool
	list       func(*kms.ListKeyRotationsOutput)
	verifying  func(*kms.DescribeKeyOutput) // once the key is enabled
	decrypt    func(*kms.DecryptOutput)
}

func (d double) DescribeKey(ctx context.Context, in *kms.DescribeKeyInput, o ...func(*kms.Options)) (*kms.DescribeKeyOutput, error) {
	out, err := d.KMS.DescribeKey(ctx, in, o...)
	if err == nil && d.describe != nil {
		d.describe(out)
	}
	if err == nil && d.verifying != nil && out.KeyMetadata.KeyState == types.KeyStateEnabled {
		d.verifying(out)
	}
	return out, err
}

func (d double) GetPublicKey(ctx context.Context, in *kms.GetPublicKeyInput, o ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error) {
	out, err := d.KMS.GetPublicKey(ctx, in, o...)
	if err == nil && d.publicKey != nil {
		d.publicKey(out)
	}
	return out, err
}

func (d double) VerifyMac(ctx context.Context, in *kms.VerifyMacInput, o ...func(*kms.Options)) (*kms.VerifyMacOutput, error) {
	if d.acceptsAll || d.refusesAll {
		return &kms.VerifyMacOutput{MacValid: d.acceptsAll}, nil
	}
	return d.KMS.VerifyMac(ctx, in, o...)
}

func (d double) ListKeyRotations(ctx context.Context, in *kms.ListKeyRotationsInput, o ...func(*kms.Options)) (*kms.ListKeyRotationsOutput, error) {
	out, err := d.KMS.ListKeyRotations(ctx, in, o...)
	if err == nil && d.list != nil {
		d.list(out)
	}
	return out, err
}

func (d double) Decrypt(ctx context.Context, in *kms.DecryptInput, o ...func(*kms.Options)) (*kms.DecryptOutput, error) {
	out, err := d.KMS.Decrypt(ctx, in, o...)
	if err == nil && d.decrypt != nil {
		d.decrypt(out)
	}
	return out, err
}

// puts a double before KMS.
func (b *bench) puts(d double) {
	in := b.service.In
	b.service.In = func(ctx context.Context, region string) (online.KMS, error) {
		d := d
		var err error
		d.KMS, err = in(ctx, region)
		return d, err
	}
}
