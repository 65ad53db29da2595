// SPDX-License-Identifier: Apache-2.0

package online

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/importer"
)

// KMS is what the two machines call of the AWS KMS API. *kms.Client satisfies
// it. See [FetchActions] and [ImportActions] for what each of them has to be
// allowed.
type KMS interface {
	importer.KMS
	VerifyMac(context.Context, *kms.VerifyMacInput, ...func(*kms.Options)) (*kms.VerifyMacOutput, error)
}

var _ KMS = (*kms.Client)(nil)

// FetchActions are the IAM actions that a fetcher has to be allowed on the keys
// of a plan. GetCallerIdentity needs none.
func FetchActions() []string { return []string{"kms:DescribeKey", "kms:GetParametersForImport"} }

// ImportActions are the IAM actions that an importer has to be allowed on the
// keys of a plan. None of them makes or changes a key, or fetches anything.
func ImportActions() []string {
	return []string{"kms:DescribeKey", "kms:ImportKeyMaterial", "kms:ListKeyRotations", "kms:GetPublicKey", "kms:VerifyMac", "kms:Encrypt", "kms:Decrypt"}
}

// A Service is the KMS that a machine talks to, and what it is.
type Service struct {
	Embedded bool   // the mock inside this program
	Endpoint string // the URL in place of AWS's own, "" for AWS's own
	Mock     bool   // it is known to be a mock: the embedded one, or what at Endpoint answers as one

	// In gives the KMS of a Region.
	In func(ctx context.Context, region string) (KMS, error)
	// Caller gives the ARN of whoever calls in a Region (sts:GetCallerIdentity). It may be nil: then the bundle names nobody.
	Caller func(ctx context.Context, region string) (string, error)
}

// Check demands a KMS that a ceremony by this plan may talk to: for a rehearsal a
// mock that no other machine reaches, and for a real one any but the mock inside
// this program, which ends with it. The error is a [*ServiceError].
func (s Service) Check(p *plan.Plan) error {
	local := s.Endpoint != "" && isLoopback(s.Endpoint)
	switch {
	case p.Rehearsal && !s.Mock:
		return &ServiceError{p.Rehearsal, s.name(), "a mock"}
	case p.Rehearsal && !s.Embedded && !local:
		return &ServiceError{p.Rehearsal, s.name(), "a mock on this machine"}
	case !p.Rehearsal && s.Embedded:
		return &ServiceError{p.Rehearsal, s.name(), "AWS, or what is at an endpoint"}
	}
	return nil
}

// local reports whether a real ceremony would talk to something that is on this
// machine, and so can hardly be AWS: a test does.
func (s Service) local() bool { return !s.Embedded && s.Endpoint != "" && isLoopback(s.Endpoint) }

func (s Service) name() string {
	switch {
	case s.Embedded:
		return "the embedded mock"
	case s.Endpoint != "":
		return s.Endpoint
	}
	return "AWS"
}

// importer gives the steps through the KMS of a Region.
func (s Service) importer(ctx context.Context, region string, now func() time.Time, observe func(importer.Event)) (*importer.Importer, KMS, error) {
	client, err := s.In(ctx, region)
	if err != nil {
		return nil, nil, fmt.Errorf("connecting to KMS in %s: %w", region, err)
	}
	return &importer.Importer{KMS: client, Now: now, Observe: observe}, client, nil
}

// isLoopback reports whether no other machine reaches what is at a URL.
func isLoopback(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// A ServiceError says that a ceremony must not talk to this KMS.
type ServiceError struct {
	Rehearsal bool // the ceremony is one
	Got       string
	Want      string // in words
}

func (e *ServiceError) Error() string {
	what := "a real ceremony"
	if e.Rehearsal {
		what = "a rehearsal"
	}
	return fmt.Sprintf("%s talks to %s, and never to %s", what, e.Want, e.Got)
}

// targetOf finds a target of a plan.
func targetOf(p *plan.Plan, id string) (plan.Target, error) {
	i := slices.IndexFunc(p.Targets, func(t plan.Target) bool { return t.ID == id })
	if i < 0 {
		return plan.Target{}, errors.New("the plan has no target " + id)
	}
	return p.Targets[i], nil
}

// reference is how KMS is asked about the key of a target: by its ARN, or by the
// ARN of its alias, so that it cannot be that of another account.
func reference(t plan.Target) string {
	if strings.HasPrefix(t.Key, "arn:") {
		return t.Key
	}
	return strings.Join([]string{"arn", t.Partition, "kms", t.Region, t.Account, t.Key}, ":")
}
