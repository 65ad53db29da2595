// SPDX-License-Identifier: Apache-2.0

package mockkms

import "strings"

// serviceCaller is who KMS says invoked what it does in another Region for a
// call.
const serviceCaller = "kms.amazonaws.com"

// events tells of the call where it was made, and then of what it brought about
// in another Region. KMS tells that there as an operation of its own, in the
// name of whoever called and with the call's request ID: ReplicateKey results in
// a CreateKey, UpdatePrimaryRegion writes an entry in either Region (CloudTrail
// samples of the Developer Guide).
func (c *pastCall) events() []Event {
	e := c.event()
	if c.refusal != nil {
		return []Event{e}
	}
	switch request := c.request.(type) {
	case *replicateKeyRequest:
		m := c.answer.(*replicateKeyAnswer).ReplicaKeyMetadata
		echo := c.echo(e, "CreateKey", request.ReplicaRegion, m.Arn)
		echo.RequestParameters = requestParameters("CreateKey", &createKeyRequest{
			Policy: request.Policy, Description: request.Description, Tags: request.Tags, MultiRegion: true,
			KeySpec: m.KeySpec, KeyUsage: m.KeyUsage, Origin: m.Origin,
		})
		echo.ResponseElements = responseElements(&createKeyAnswer{m}, m.Arn)
		return []Event{e, echo}
	case *updatePrimaryRegionRequest:
		if request.PrimaryRegion == c.scope.Region { // where nothing was to do
			return []Event{e}
		}
		_, id, _ := strings.Cut(c.key, "key/")
		arn := scope{c.scope.Account, request.PrimaryRegion}.keyARN(id)
		echo := c.echo(e, c.operation, request.PrimaryRegion, arn)
		echo.RequestParameters = map[string]any{"keyId": arn, "primaryRegion": request.PrimaryRegion}
		echo.ResponseElements = responseElements(c.answer, arn)
		return []Event{e, echo}
	}
	return []Event{e}
}

// echo is the event of an operation on the key in another Region that the call
// of event e led to.
func (c *pastCall) echo(e Event, name, region, arn string) Event {
	echo := newEvent(scope{c.scope.Account, region}, name, c.now)
	echo.EventType, echo.RequestID = e.EventType, e.RequestID
	echo.UserIdentity = e.UserIdentity
	echo.UserIdentity.InvokedBy = serviceCaller
	echo.SourceIPAddress, echo.UserAgent = e.SourceIPAddress, internalCaller
	echo.Resources = []EventResource{keyResource(arn)}
	return echo
}
