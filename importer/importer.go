// SPDX-License-Identifier: Apache-2.0

// Package importer takes one AWS KMS key through the import of key material,
// step by step: create, fetch, import, confirm, re-import, rotate, replicate,
// delete material.
//
// Every step checks what can be checked before it calls, checks what came back
// before it believes it, and never repeats a call that may have had its effect
// without looking first. The steps report what happens as [Event] values;
// words are the caller's business.
package importer

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

// KMS is what this package calls of the AWS KMS API. *kms.Client satisfies it.
// Its method set is also the list of IAM actions a user must be allowed.
type KMS interface {
	CreateAlias(context.Context, *kms.CreateAliasInput, ...func(*kms.Options)) (*kms.CreateAliasOutput, error)
	CreateKey(context.Context, *kms.CreateKeyInput, ...func(*kms.Options)) (*kms.CreateKeyOutput, error)
	Decrypt(context.Context, *kms.DecryptInput, ...func(*kms.Options)) (*kms.DecryptOutput, error)
	DeleteImportedKeyMaterial(context.Context, *kms.DeleteImportedKeyMaterialInput, ...func(*kms.Options)) (*kms.DeleteImportedKeyMaterialOutput, error)
	DescribeKey(context.Context, *kms.DescribeKeyInput, ...func(*kms.Options)) (*kms.DescribeKeyOutput, error)
	Encrypt(context.Context, *kms.EncryptInput, ...func(*kms.Options)) (*kms.EncryptOutput, error)
	GenerateMac(context.Context, *kms.GenerateMacInput, ...func(*kms.Options)) (*kms.GenerateMacOutput, error)
	GetKeyPolicy(context.Context, *kms.GetKeyPolicyInput, ...func(*kms.Options)) (*kms.GetKeyPolicyOutput, error)
	GetKeyRotationStatus(context.Context, *kms.GetKeyRotationStatusInput, ...func(*kms.Options)) (*kms.GetKeyRotationStatusOutput, error)
	GetParametersForImport(context.Context, *kms.GetParametersForImportInput, ...func(*kms.Options)) (*kms.GetParametersForImportOutput, error)
	GetPublicKey(context.Context, *kms.GetPublicKeyInput, ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error)
	ImportKeyMaterial(context.Context, *kms.ImportKeyMaterialInput, ...func(*kms.Options)) (*kms.ImportKeyMaterialOutput, error)
	ListKeyRotations(context.Context, *kms.ListKeyRotationsInput, ...func(*kms.Options)) (*kms.ListKeyRotationsOutput, error)
	ListResourceTags(context.Context, *kms.ListResourceTagsInput, ...func(*kms.Options)) (*kms.ListResourceTagsOutput, error)
	ReplicateKey(context.Context, *kms.ReplicateKeyInput, ...func(*kms.Options)) (*kms.ReplicateKeyOutput, error)
	RotateKeyOnDemand(context.Context, *kms.RotateKeyOnDemandInput, ...func(*kms.Options)) (*kms.RotateKeyOnDemandOutput, error)
	UpdateAlias(context.Context, *kms.UpdateAliasInput, ...func(*kms.Options)) (*kms.UpdateAliasOutput, error)
}

var _ KMS = (*kms.Client)(nil)

// Importer performs the steps through KMS and reports them to Observe.
type Importer struct {
	KMS     KMS
	Observe func(Event)      // may be nil
	Now     func() time.Time // the time at KMS; nil is [time.Now]

	// Regions gives the KMS of another Region, for the other copies of a
	// multi-Region key. It may be nil where no such key is met.
	Regions func(region string) (KMS, error)

	// Parameters gives import parameters that were fetched ahead, or nil where
	// there are none: then, and when they do not fit, it fetches. It may be nil.
	Parameters func(context.Context, Key, wrap.Pair) (*token.Parameters, error)
}

// Time is the time at KMS.
func (i *Importer) Time() time.Time { return i.now() }

func (i *Importer) now() time.Time {
	if i.Now == nil {
		return time.Now()
	}
	return i.Now()
}

func (i *Importer) report(e Event) {
	if i.Observe != nil {
		i.Observe(e)
	}
}

// CallError says which KMS operation on which key ended in Err, an error of
// the AWS SDK. Key is what the caller named; it is empty where no key exists yet.
type CallError struct {
	Operation string
	Key       string
	Err       error
}

func (e *CallError) Error() string {
	if e.Key == "" {
		return fmt.Sprintf("%s: %v", e.Operation, e.Err)
	}
	return fmt.Sprintf("%s of %s: %v", e.Operation, e.Key, e.Err)
}

func (e *CallError) Unwrap() error { return e.Err }

// AnswerError says that KMS, or whatever answered in its place, sent something
// that does not fit what was asked. Nothing of such an answer is used.
type AnswerError struct {
	Operation string
	Field     string
	Got, Want string
}

func (e *AnswerError) Error() string {
	return fmt.Sprintf("%s answered %s %s, expected %s", e.Operation, e.Field, e.Got, e.Want)
}
