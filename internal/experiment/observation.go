// SPDX-License-Identifier: Apache-2.0

package experiment

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/smithy-go"
)

// An Observation is one step: what was done, what was foretold, what happened.
// It holds no secret: neither plaintext nor material, nor a token.
type Observation struct {
	What       string    `json:"what"`                // in the words of the rule or lesson
	Operation  string    `json:"operation,omitempty"` // of KMS; "" where none was called
	Region     string    `json:"region,omitempty"`
	Expected   string    `json:"expected"`
	Observed   string    `json:"observed"`
	AsExpected bool      `json:"as_expected"`
	RequestID  string    `json:"request_id,omitempty"`
	At         time.Time `json:"at"`      // UTC
	Seconds    float64   `json:"seconds"` // until the answer, retries included
}

// An Answer is what a rule demands of a call: success, or a refusal.
type Answer struct {
	Code string // of the error; "" is success
	Says string // what its message contains; "" for anything
	Mute bool   // it has no message at all
}

// AnyCode is the code of a refusal for which no code is known. Accidents are
// none.
const AnyCode = "any refusal"

// Success is the answer of a call that KMS carries out.
var Success = Answer{}

// Refused is a refusal with this error code, whatever the message.
func Refused(code string) Answer { return Answer{Code: code} }

// Saying is the refusal with a message that contains text.
func (a Answer) Saying(text string) Answer {
	a.Says = text
	return a
}

// Silent is the refusal without any message, as KMS sends some.
func (a Answer) Silent() Answer {
	a.Mute = true
	return a
}

// String is the answer in words: "success", or the error code and what is known of
// its message.
func (a Answer) String() string {
	switch {
	case a.Code == "":
		return "success"
	case a.Mute:
		return a.Code + " without a message"
	case a.Says != "":
		return fmt.Sprintf("%s: … %s …", a.Code, a.Says)
	}
	return a.Code
}

// fits reports whether err, nil for success, is the answer.
func (a Answer) fits(err error) bool {
	if a.Code == "" || err == nil {
		return a.Code == "" && err == nil
	}
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != a.Code && (a.Code != AnyCode || accident(err)) {
		return false
	}
	return strings.Contains(api.ErrorMessage(), a.Says) && (!a.Mute || api.ErrorMessage() == "")
}

// describe is what an error, nil for success, tells: KMS's code and message.
func describe(err error) string {
	var api smithy.APIError
	switch {
	case err == nil:
		return Success.String()
	case !errors.As(err, &api):
		return err.Error()
	case api.ErrorMessage() == "":
		return api.ErrorCode() + " without a message"
	}
	return api.ErrorCode() + ": " + api.ErrorMessage()
}

// accidents are errors that say something about the account or the moment, and
// nothing about a rule.
var accidents = []string{
	"AccessDeniedException", "UnrecognizedClientException", "InvalidClientTokenId", "ExpiredTokenException", "ExpiredToken", "RequestExpired",
	"InvalidSignatureException", "SignatureDoesNotMatch", "MissingAuthenticationTokenException", "MissingAuthenticationToken",
	"IncompleteSignature", "OptInRequired", "ThrottlingException", "Throttling", "TooManyRequestsException", "LimitExceededException",
	"KMSInternalException", "DependencyTimeoutException", "InternalFailure", "ServiceUnavailableException", "ServiceUnavailable",
}

// Passing reports whether an error that ended a trial says something about the
// moment only, so that the next trial may well go through: an error inside
// KMS, as opposed to a denied permission, a quota, or a broken connection.
func Passing(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorFault() == smithy.FaultServer
}

// accident reports whether err says nothing about the rule. What KMS did not
// answer, such as a broken connection, says nothing either.
func accident(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err != nil
	}
	return slices.Contains(accidents, api.ErrorCode())
}
