// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/pace"
)

// credentialCodes are what AWS answers to credentials that it does not take,
// or takes no longer.
var credentialCodes = []string{
	"ExpiredTokenException", "ExpiredToken", "RequestExpired", "UnrecognizedClientException", "InvalidClientTokenId",
	"InvalidSignatureException", "SignatureDoesNotMatch", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
}

// refusesCredentials reports that no call of a place can succeed until its
// credentials are renewed.
func refusesCredentials(err error) bool {
	if err == nil {
		return false
	}
	var api smithy.APIError
	if errors.As(err, &api) && slices.Contains(credentialCodes, api.ErrorCode()) {
		return true
	}
	// The SDK has no type for this; see also explain in cmd.
	return strings.Contains(err.Error(), "get credentials") || strings.Contains(err.Error(), "get identity")
}

// passes reports that the same may succeed a moment later.
func passes(err error) bool {
	if err == nil || wasStopped(err) || refusesCredentials(err) {
		return false
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		_, throttled := retry.DefaultThrottleErrorCodes[api.ErrorCode()]
		if throttled || api.ErrorFault() == smithy.FaultServer {
			return true
		}
	}
	_, dial := errors.AsType[*net.OpError](err)
	return dial || importer.MayHaveHappened(err)
}

// wasStopped reports that the run ended something that had not failed.
func wasStopped(err error) bool {
	return errors.Is(err, pace.ErrStopped) || errors.Is(err, context.Canceled)
}
