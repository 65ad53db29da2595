// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/keymat/keymat/mockkms"
)

// What is done in two Regions is told in both (CloudTrail samples of the
// Developer Guide).
func TestEventsInOtherRegions(t *testing.T) {
	s := newSession(t)
	s.moves(mockkms.ClockMove{Set: frozenAt, Freeze: true})
	key := s.multiRegion("AWS_KMS")
	_, id, _ := strings.Cut(key, "/")
	replicate := send(t, s.mock, "ReplicateKey", `{"KeyId": "`+id+`", "ReplicaRegion": "us-west-2", "Description": "copy"}`, "User-Agent", "probe/1")
	s.moves(mockkms.ClockMove{Advance: mockkms.DefaultReplicationTime})
	send(t, s.mock, "UpdatePrimaryRegion", `{"KeyId": "`+id+`", "PrimaryRegion": "us-east-1"}`)
	send(t, s.mock, "UpdatePrimaryRegion", `{"KeyId": "`+id+`", "PrimaryRegion": "eu-west-1"}`)
	update := send(t, s.mock, "UpdatePrimaryRegion", `{"KeyId": "`+id+`", "PrimaryRegion": "us-west-2"}`)
	requests := map[string]string{
		replicate.header.Get("x-amzn-RequestId"): "replicate", update.header.Get("x-amzn-RequestId"): "update",
	}

	var got []string
	_, all := s.events(mockkms.EventQuery{Key: id})
	for _, e := range all {
		if e.EventName == "ReplicateKey" {
			e.ResponseElements = nil // much, and held elsewhere
		}
		if m, ok := e.ResponseElements["keyMetadata"].(map[string]any); ok {
			e.ResponseElements = map[string]any{"arn": m["arn"], "keyState": m["keyState"]}
		}
		got = append(got, fmt.Sprintf("%s %s %s%s: %s, %s of %s, by %s %s from %s, %s", e.AWSRegion, e.EventName, requests[e.RequestID], e.ErrorCode,
			text(e.RequestParameters), text(e.ResponseElements), e.Resources[0].ARN, e.UserIdentity.UserName, e.UserIdentity.InvokedBy,
			e.SourceIPAddress, e.EventType))
	}
	replacer := strings.NewReplacer("{east}", key, "{west}", arnIn(key, west), "{id}", id)
	var want []string
	for _, line := range []string{
		`us-east-1 CreateKey : {"multiRegion":true,"origin":"AWS_KMS"}, {"arn":"{east}","keyState":"Enabled"} of {east}, by mock  from 127.0.0.1, AwsApiCall`,
		`us-east-1 ReplicateKey replicate: {"description":"copy","keyId":"{id}","replicaRegion":"us-west-2"}, null of {east}, by mock  from 192.0.2.1, AwsApiCall`,
		`us-west-2 CreateKey replicate: {"description":"copy","keySpec":"SYMMETRIC_DEFAULT","keyUsage":"ENCRYPT_DECRYPT","multiRegion":true,"origin":"AWS_KMS"}, ` +
			`{"arn":"{west}","keyState":"Creating"} of {west}, by mock kms.amazonaws.com from 192.0.2.1, AwsApiCall`,
		`us-east-1 SynchronizeMultiRegionKey : null, {"keyId":"{east}"} of {east}, by  AWS Internal from AWS Internal, AwsApiCall`,
		`us-east-1 UpdatePrimaryRegion : {"keyId":"{id}","primaryRegion":"us-east-1"}, {"keyId":"{east}"} of {east}, by mock  from 192.0.2.1, AwsApiCall`,
		`us-east-1 UpdatePrimaryRegion ValidationException: {"keyId":"{id}","primaryRegion":"eu-west-1"}, null of {east}, by mock  from 192.0.2.1, AwsApiCall`,
		`us-east-1 UpdatePrimaryRegion update: {"keyId":"{id}","primaryRegion":"us-west-2"}, {"keyId":"{east}"} of {east}, by mock  from 192.0.2.1, AwsApiCall`,
		`us-west-2 UpdatePrimaryRegion update: {"keyId":"{west}","primaryRegion":"us-west-2"}, {"keyId":"{west}"} of {west}, by mock kms.amazonaws.com from 192.0.2.1, AwsApiCall`,
	} {
		want = append(want, replacer.Replace(line))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A rotation of a multi-Region key happens in every Region, and is synchronised
// from the primary's.
func TestEventsOfARotationInAllRegions(t *testing.T) {
	s := newSession(t)
	s.moves(mockkms.ClockMove{Set: frozenAt, Freeze: true})
	key := s.multiRegion("AWS_KMS")
	must(0, s.replicate(key, west))
	s.moves(mockkms.ClockMove{Advance: mockkms.DefaultReplicationTime})
	send(t, s.mock, "RotateKeyOnDemand", `{"KeyId": "`+key+`"}`)
	s.moves(mockkms.ClockMove{Advance: mockkms.DefaultRotationTime})
	_, all := s.events(mockkms.EventQuery{})
	got := make(map[string]int)
	for _, e := range all {
		if e.UserIdentity.InvokedBy == "AWS Internal" {
			got[e.AWSRegion+" "+e.EventName]++
		}
	}
	want := map[string]int{"us-east-1 SynchronizeMultiRegionKey": 2, "us-east-1 RotateKey": 1, "us-west-2 RotateKey": 1}
	if text(got) != text(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
