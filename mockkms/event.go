// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"crypto/tls"
	"net"
	"net/http"
	"strings"
	"time"
)

// An Event is one call, or one thing that happened by itself, told as
// CloudTrail tells it: names and fields are those of its samples in the KMS
// Developer Guide. Plaintexts, ciphertexts, tokens and key material are left out.
type Event struct {
	EventVersion        string          `json:"eventVersion"`
	UserIdentity        EventIdentity   `json:"userIdentity"`
	EventTime           time.Time       `json:"eventTime"` // whole seconds, UTC
	EventSource         string          `json:"eventSource"`
	EventName           string          `json:"eventName"` // the operation, or what happened
	AWSRegion           string          `json:"awsRegion"`
	SourceIPAddress     string          `json:"sourceIPAddress"`
	UserAgent           string          `json:"userAgent"`
	ErrorCode           string          `json:"errorCode,omitempty"`
	ErrorMessage        string          `json:"errorMessage,omitempty"`
	RequestParameters   map[string]any  `json:"requestParameters"` // null where there is nothing to tell
	ResponseElements    map[string]any  `json:"responseElements"`  // likewise; always for calls that only read
	AdditionalEventData map[string]any  `json:"additionalEventData,omitempty"`
	RequestID           string          `json:"requestID,omitempty"` // as in x-amzn-RequestId
	EventID             string          `json:"eventID"`
	ReadOnly            bool            `json:"readOnly"`
	Resources           []EventResource `json:"resources,omitempty"`
	EventType           string          `json:"eventType"` // AwsApiCall or AwsServiceEvent
	ManagementEvent     bool            `json:"managementEvent"`
	RecipientAccountID  string          `json:"recipientAccountId"`
	ServiceEventDetails map[string]any  `json:"serviceEventDetails,omitempty"`
	EventCategory       string          `json:"eventCategory"`
	TLSDetails          *EventTLS       `json:"tlsDetails,omitempty"`
}

// An EventIdentity is who called.
type EventIdentity struct {
	Type        string `json:"type,omitempty"`
	PrincipalID string `json:"principalId,omitempty"`
	ARN         string `json:"arn,omitempty"`
	AccountID   string `json:"accountId"`
	AccessKeyID string `json:"accessKeyId,omitempty"`
	UserName    string `json:"userName,omitempty"`
	InvokedBy   string `json:"invokedBy,omitempty"` // "AWS Internal" for what happened by itself

	SessionContext *EventSession `json:"sessionContext,omitempty"` // of roles
}

// An EventSession tells of the session in which a role called.
type EventSession struct {
	SessionIssuer EventIssuer `json:"sessionIssuer"`
}

// An EventIssuer is the role whose session it is.
type EventIssuer struct {
	Type        string `json:"type"`
	PrincipalID string `json:"principalId"`
	ARN         string `json:"arn"`
	AccountID   string `json:"accountId"`
	UserName    string `json:"userName"` // the role's name
}

// An EventResource is a key that an event is about.
type EventResource struct {
	AccountID string `json:"accountId"`
	Type      string `json:"type"`
	ARN       string `json:"ARN"`
}

// An EventTLS tells of the connection that a call came over.
type EventTLS struct {
	TLSVersion               string `json:"tlsVersion"`
	CipherSuite              string `json:"cipherSuite"`
	ClientProvidedHostHeader string `json:"clientProvidedHostHeader"`
}

const internalCaller = "AWS Internal"

// newEvent makes an event with the fields that all have.
func newEvent(s scope, name string, at time.Time) Event {
	return Event{
		EventVersion: "1.11", EventTime: at.UTC().Truncate(time.Second), EventSource: "kms.amazonaws.com", EventName: name,
		AWSRegion: s.Region, EventID: newUUID(), ManagementEvent: true, RecipientAccountID: s.Account, EventCategory: "Management",
	}
}

func keyResource(arn string) EventResource {
	account := ""
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		account = parts[4]
	}
	return EventResource{account, "AWS::KMS::Key", arn}
}

// A pastCall is a call that is over and waits to become an event, and what came
// of it.
type pastCall struct {
	*call
	answer  any
	refusal *apiError // nil: success
	address string
	agent   string
	tls     *EventTLS
}

// past ends a call. Thousands wait to become events, and must not keep alive what
// served them: the HTTP request, of whose headers every string is a part, and
// the keys it used.
func (c *call) past(answer any, refusal *apiError) *pastCall {
	p := &pastCall{c, answer, refusal, sourceAddress(c.http), strings.Clone(c.http.UserAgent()), tlsDetails(c.http)}
	c.http, c.used = nil, [2]*key{}
	return p
}

// event tells of the call: what was asked, and what came of it.
func (c *pastCall) event() Event {
	e := newEvent(c.scope, c.operation, c.now)
	e.EventID, e.EventType, e.RequestID, e.ReadOnly = eventID(c.requestID), "AwsApiCall", c.requestID, c.readOnly()
	e.UserIdentity = c.identity()
	e.SourceIPAddress, e.UserAgent = c.address, c.agent
	e.RequestParameters = requestParameters(c.operation, c.request)
	e.TLSDetails = c.tls
	arns := []string{c.key}
	if a, ok := c.answer.(interface{ keyARNs() []string }); ok && c.refusal == nil {
		arns = a.keyARNs()
	}
	for _, arn := range arns {
		if arn != "" {
			e.Resources = append(e.Resources, keyResource(arn))
		}
	}
	switch {
	case c.refusal != nil:
		e.ErrorCode, e.ErrorMessage = errorCode(c.refusal.code), c.refusal.message
	case !e.ReadOnly:
		e.ResponseElements = responseElements(c.answer, c.key)
	default:
		e.AdditionalEventData = additionalData(c.answer)
	}
	return e
}

// identity is who called: one of the principals, or whoever has the access key.
func (c *call) identity() EventIdentity {
	if c.caller != nil {
		return c.caller.identity()
	}
	return EventIdentity{
		Type: "IAMUser", PrincipalID: "AIDAMOCKMOCKMOCKMOCK", ARN: c.userARN(), AccountID: c.scope.Account,
		AccessKeyID: c.accessKey, UserName: "mock",
	}
}

// readOnly is what CloudTrail says of the operation: cryptography counts as
// reading, and so does fetching import parameters.
func (c *call) readOnly() bool {
	return !c.kms.operations[c.operation].writes || c.operation == "GetParametersForImport"
}

// errorCode is a code as CloudTrail spells it.
func errorCode(code string) string {
	if code == "AccessDeniedException" {
		return "AccessDenied"
	}
	return code
}

// sourceAddress is where a request came from; within the process, from here.
func sourceAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return "127.0.0.1"
	}
	return host
}

func tlsDetails(r *http.Request) *EventTLS {
	if r.TLS == nil {
		return nil
	}
	version := strings.ReplaceAll(tls.VersionName(r.TLS.Version), "TLS ", "TLSv")
	return &EventTLS{version, tls.CipherSuiteName(r.TLS.CipherSuite), r.Host}
}
