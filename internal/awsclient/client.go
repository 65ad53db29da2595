// SPDX-License-Identifier: Apache-2.0

// Package awsclient makes the AWS SDK's clients: of KMS, for AWS as the SDK's own
// chain of settings says or for a KMS inside the process; of what else keymat
// asks, for AWS.
package awsclient

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
)

const (
	appID           = "keymat"       // in the user agent, unless the user configured one
	keptConnections = 64             // to one KMS endpoint, between calls
	embeddedRegion  = "us-east-1"    // where a KMS inside the process is, unless told
	embeddedOwner   = "111122223333" // whose it is, unless told

	// embeddedSecret signs requests that nobody checks. It has more than the 10
	// bytes below which FIPS 140-3 enforcement lets the signing panic.
	embeddedSecret = "embedded-kms-secret-key"
)

// Options are the settings a user gave on the command line. The zero value
// leaves everything to the SDK's chain: environment, shared configuration and
// credentials files, SSO, container and instance metadata.
type Options struct {
	Region      string // such as "eu-central-1"
	Profile     string // of the shared configuration files
	Role        string // ARN of a role to assume with the credentials found; "" for none
	EndpointURL string // of KMS only; the services that give out credentials keep theirs

	// Transport carries the requests to a KMS inside the process. With it set no
	// configuration file is read, no credentials are looked for and nothing is
	// sent anywhere: requests are signed by the access key ID Account.
	Transport http.RoundTripper
	Account   string // 12 digits; with Transport only; "" is 111122223333

	Debug io.Writer // one line per request, nothing of its content; nil for none
}

// NoRegionError says that neither the options nor the SDK's chain name a Region.
type NoRegionError struct {
	Profile string // asked for, or "" for the default one
}

func (e *NoRegionError) Error() string {
	if e.Profile == "" {
		return "no AWS Region is configured"
	}
	return fmt.Sprintf("no AWS Region is configured in profile %s or elsewhere", e.Profile)
}

// New returns a KMS client. It reads the user's configuration but talks to
// nobody: credentials are fetched when the first request needs them. Throttled
// requests are retried adaptively unless the user configured another retry
// mode. Errors: *NoRegionError, or the SDK's about broken configuration, wrapped.
func New(ctx context.Context, o Options) (*kms.Client, error) {
	cfg, err := o.settle(ctx)
	if err != nil {
		return nil, err
	}
	return kms.NewFromConfig(cfg, func(k *kms.Options) {
		if o.EndpointURL != "" {
			k.BaseEndpoint = aws.String(o.EndpointURL)
		}
		if o.Debug != nil {
			k.HTTPClient = &tracer{next: k.HTTPClient, w: o.Debug}
		}
	}), nil
}

// Caller gives the ARN of whoever calls, as STS has it (sts:GetCallerIdentity, for
// which nobody needs a permission). Options for a KMS elsewhere are not for it.
// Errors are those of New, or of the call.
func Caller(ctx context.Context, o Options) (arn string, err error) {
	o.Transport = nil
	cfg, err := o.settle(ctx)
	if err != nil {
		return "", err
	}
	answer, err := sts.NewFromConfig(cfg, func(s *sts.Options) {
		if o.Debug != nil {
			s.HTTPClient = &tracer{next: s.HTTPClient, w: o.Debug}
		}
	}).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", fmt.Errorf("asking STS who calls: %w", err)
	}
	return aws.ToString(answer.Arn), nil
}

// NewCloudTrail returns a client for CloudTrail, otherwise as New does. Options
// for a KMS elsewhere (EndpointURL, Transport) are not for it.
func NewCloudTrail(ctx context.Context, o Options) (*cloudtrail.Client, error) {
	o.Transport = nil
	cfg, err := o.settle(ctx)
	if err != nil {
		return nil, err
	}
	return cloudtrail.NewFromConfig(cfg, func(c *cloudtrail.Options) {
		if o.Debug != nil {
			c.HTTPClient = &tracer{next: c.HTTPClient, w: o.Debug}
		}
	}), nil
}

// NewCloudFormation returns a client for CloudFormation, as NewCloudTrail does
// for CloudTrail.
func NewCloudFormation(ctx context.Context, o Options) (*cloudformation.Client, error) {
	o.Transport = nil
	cfg, err := o.settle(ctx)
	if err != nil {
		return nil, err
	}
	return cloudformation.NewFromConfig(cfg, func(c *cloudformation.Options) {
		if o.Debug != nil {
			c.HTTPClient = &tracer{next: c.HTTPClient, w: o.Debug}
		}
	}), nil
}

// settle is load, and our own choices where the user made none.
func (o Options) settle(ctx context.Context) (aws.Config, error) {
	cfg, err := o.load(ctx)
	if err != nil {
		return aws.Config{}, err
	}
	if o.Role != "" && o.Transport == nil {
		asCaller := sts.NewFromConfig(cfg)
		cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(asCaller, o.Role, func(a *stscreds.AssumeRoleOptions) { a.RoleSessionName = appID }))
	}
	cfg.RetryMode = cmp.Or(cfg.RetryMode, aws.RetryModeAdaptive)
	cfg.AppID = cmp.Or(cfg.AppID, appID)
	return cfg, nil
}

// load gathers the configuration both kinds of client start from.
func (o Options) load(ctx context.Context) (aws.Config, error) {
	if o.Transport != nil {
		return o.embedded(), nil
	}
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithRegion(o.Region),
		config.WithSharedConfigProfile(o.Profile),
		config.WithLogger(o.sdkLog()),
	)
	if err != nil {
		return aws.Config{}, fmt.Errorf("loading the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return aws.Config{}, &NoRegionError{Profile: o.Profile}
	}
	if pool, ok := cfg.HTTPClient.(*awshttp.BuildableClient); ok {
		// The SDK keeps ten, and would shake hands anew for each call beyond them.
		cfg.HTTPClient = pool.WithTransportOptions(func(t *http.Transport) { t.MaxIdleConnsPerHost = keptConnections })
	}
	// The SDK's modern time limits: three seconds to connect, not thirty.
	cfg.DefaultsMode = cmp.Or(cfg.DefaultsMode, aws.DefaultsModeStandard)
	return cfg, nil
}

// sdkLog takes the SDK's own warnings, such as about instance metadata, which
// only explain what an error says better.
func (o Options) sdkLog() logging.Logger {
	if o.Debug == nil {
		return logging.Nop{}
	}
	return logging.NewStandardLogger(o.Debug)
}

// embedded is the configuration for a KMS behind o.Transport. A plain HTTP
// client may be set here only because the SDK's chain is not asked: with
// AWS_CA_BUNDLE in the environment LoadDefaultConfig refuses one.
func (o Options) embedded() aws.Config {
	account := cmp.Or(o.Account, embeddedOwner)
	return aws.Config{
		Region:      cmp.Or(o.Region, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"), embeddedRegion),
		Credentials: credentials.NewStaticCredentialsProvider(account, embeddedSecret, ""),
		HTTPClient:  &http.Client{Transport: o.Transport},
	}
}
