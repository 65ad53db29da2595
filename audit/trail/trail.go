// SPDX-License-Identifier: Apache-2.0

// Package trail looks the import history of a KMS key up in CloudTrail. It stands
// apart from package audit for those who read receipts where there is no network.
package trail

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/keymat/keymat/audit"
)

// A CloudTrail looks events up: the method LookupEvents of a *cloudtrail.Client.
// It is a function because the linker keeps every method of what is put into an
// interface, and a client has one, of 50 KiB, for each of CloudTrail's operations.
type CloudTrail func(context.Context, *cloudtrail.LookupEventsInput, ...func(*cloudtrail.Options)) (*cloudtrail.LookupEventsOutput, error)

// LookupEvents calls the function.
func (c CloudTrail) LookupEvents(ctx context.Context, in *cloudtrail.LookupEventsInput, o ...func(*cloudtrail.Options)) (*cloudtrail.LookupEventsOutput, error) {
	return c(ctx, in, o...)
}

// What LookupEvents shows (CloudTrail guide): 90 days of events, each some
// minutes after it happened. The delay has no bound; this is a usual one.
const (
	Kept  = 90 * 24 * time.Hour
	Delay = 15 * time.Minute
)

// Lookup gives the import history of the key with this ARN, oldest first, as
// far as CloudTrail keeps it. LookupEvents may be called twice a second: a key
// that is used much takes long, because its events of use are looked at, too.
func Lookup(ctx context.Context, trail CloudTrail, keyARN string) ([]audit.Event, error) {
	var events []audit.Event
	pages := cloudtrail.NewLookupEventsPaginator(trail, &cloudtrail.LookupEventsInput{
		LookupAttributes: []types.LookupAttribute{{
			AttributeKey:   types.LookupAttributeKeyResourceName,
			AttributeValue: aws.String(keyARN),
		}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("LookupEvents of %s: %w", keyARN, err)
		}
		for _, shown := range page.Events {
			e, ok, err := audit.Parse([]byte(aws.ToString(shown.CloudTrailEvent)))
			if err != nil {
				return nil, err
			}
			if ok {
				events = append(events, e)
			}
		}
	}
	slices.SortStableFunc(events, func(a, b audit.Event) int { return a.At.Compare(b.At) })
	return events, nil
}
