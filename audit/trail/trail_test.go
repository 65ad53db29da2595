// SPDX-License-Identifier: Apache-2.0

package trail_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/keymat/keymat/audit/trail"
)

const key = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd"

// pages answers LookupEvents with one event a page, the newest first.
type pages struct {
	asked []*cloudtrail.LookupEventsInput
	err   error
}

func (p *pages) LookupEvents(_ context.Context, in *cloudtrail.LookupEventsInput, _ ...func(*cloudtrail.Options)) (*cloudtrail.LookupEventsOutput, error) {
	p.asked = append(p.asked, in)
	records := []string{
		`{"eventID":"2","eventName":"DeleteImportedKeyMaterial","eventTime":"2026-03-01T13:00:00Z"}`,
		`{"eventID":"x","eventName":"Decrypt","eventTime":"2026-03-01T12:30:00Z"}`,
		`{"eventID":"1","eventName":"ImportKeyMaterial","eventTime":"2026-03-01T12:00:00Z"}`,
	}
	n := len(p.asked) - 1
	out := &cloudtrail.LookupEventsOutput{Events: []types.Event{{CloudTrailEvent: &records[n]}}}
	if n < len(records)-1 {
		out.NextToken = aws.String("more")
	}
	return out, p.err
}

func TestLookup(t *testing.T) {
	p := &pages{}
	events, err := trail.Lookup(t.Context(), p.LookupEvents, key)
	if err != nil || len(events) != 2 || events[0].ID != "1" || events[1].ID != "2" {
		t.Errorf("got %+v, error %v", events, err)
	}
	if a := p.asked[0].LookupAttributes; len(p.asked) != 3 || len(a) != 1 || a[0].AttributeKey != types.LookupAttributeKeyResourceName || *a[0].AttributeValue != key {
		t.Errorf("asked %+v", a)
	}
	denied := errors.New("denied")
	if _, err := trail.Lookup(t.Context(), (&pages{err: denied}).LookupEvents, key); !errors.Is(err, denied) {
		t.Errorf("error %v", err)
	}
}
