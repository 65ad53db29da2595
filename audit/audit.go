// SPDX-License-Identifier: Apache-2.0

// Package audit puts the import history of a KMS key together from CloudTrail,
// and holds it against the receipts that keymat gave for its own imports.
package audit

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Event is one entry in the import history of a key. Times are UTC, to the
// second.
type Event struct {
	At         time.Time
	Name       string // CloudTrail's eventName, such as "ImportKeyMaterial"
	KeyARN     string
	Who        string // ARN of the caller, or "AWS Internal" for what happened by itself
	MaterialID string // KeyMaterialId, where the event names one
	Expires    string // of an import: RFC 3339, or "never"
	Error      string // errorCode: the call was refused, and had no effect
	ID         string // eventID
}

// history are the events that change what material a key has, or whether it
// is there at all (KMS guide, "logging with CloudTrail").
var history = map[string]bool{
	"CreateKey":                 true,
	"ReplicateKey":              true,
	"ImportKeyMaterial":         true,
	"DeleteImportedKeyMaterial": true,
	"DeleteExpiredKeyMaterial":  true,
	"RotateKeyOnDemand":         true,
	"RotateKey":                 true,
	"ScheduleKeyDeletion":       true,
	"CancelKeyDeletion":         true,
	"DeleteKey":                 true,
}

// record is what we read of a CloudTrail record; the rest is not our business.
type record struct {
	EventID      string    `json:"eventID"`
	EventName    string    `json:"eventName"`
	EventTime    time.Time `json:"eventTime"`
	ErrorCode    string    `json:"errorCode"`
	UserIdentity struct {
		ARN       string `json:"arn"`
		InvokedBy string `json:"invokedBy"`
	} `json:"userIdentity"`
	RequestParameters struct {
		KeyMaterialID   string `json:"keyMaterialId"`
		ExpirationModel string `json:"expirationModel"`
		ValidTo         string `json:"validTo"`
	} `json:"requestParameters"`
	ResponseElements struct {
		KeyMaterialID string `json:"keyMaterialId"`
	} `json:"responseElements"`
	ServiceEventDetails struct {
		KeyMaterialID        string `json:"keyMaterialId"`
		CurrentKeyMaterialID string `json:"currentKeyMaterialId"`
	} `json:"serviceEventDetails"`
	Resources []struct {
		ARN string `json:"ARN"`
	} `json:"resources"`
}

// Parse reads a CloudTrail record, a JSON object. ok is false for events that
// are no part of an import history.
func Parse(text []byte) (e Event, ok bool, err error) {
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return Event{}, false, fmt.Errorf("reading a CloudTrail record: %w", err)
	}
	if !history[r.EventName] {
		return Event{}, false, nil
	}
	e = Event{
		At:         r.EventTime.UTC().Truncate(time.Second),
		Name:       r.EventName,
		Who:        first(r.UserIdentity.ARN, r.UserIdentity.InvokedBy),
		MaterialID: first(r.ResponseElements.KeyMaterialID, r.ServiceEventDetails.KeyMaterialID, r.ServiceEventDetails.CurrentKeyMaterialID, r.RequestParameters.KeyMaterialID),
		Error:      r.ErrorCode,
		ID:         r.EventID,
	}
	if len(r.Resources) > 0 {
		e.KeyARN = r.Resources[0].ARN
	}
	if r.EventName == "ImportKeyMaterial" {
		e.Expires = expiryOf(r.RequestParameters.ExpirationModel, r.RequestParameters.ValidTo)
	}
	return e, true, nil
}

func first(candidates ...string) string {
	for _, c := range candidates {
		if c != "" {
			return c
		}
	}
	return ""
}

// shownTime is how CloudTrail shows times within parameters: display text, UTC.
const shownTime = "Jan 2, 2006, 3:04:05 PM"

// expiryOf reads what an import asked for. Newer Java puts a narrow space
// before AM and PM. A time in another form is kept as it is.
func expiryOf(model, validTo string) string {
	if model == "KEY_MATERIAL_DOES_NOT_EXPIRE" {
		return "never"
	}
	validTo = strings.ReplaceAll(validTo, "\u202f", " ")
	if t, err := time.Parse(shownTime, validTo); err == nil {
		return t.UTC().Format(time.RFC3339)
	}
	return validTo
}
