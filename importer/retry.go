// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"errors"
	"net"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// retryOnlyThrottling keeps the client's retryer, and its pacing, for answers
// that say "too fast", which certainly had no effect, and leaves every other
// failure to us, because the call may have had its effect.
func retryOnlyThrottling(o *kms.Options) {
	if r, ok := o.Retryer.(aws.RetryerV2); ok {
		o.Retryer = throttlingRetryer{r}
	}
}

type throttlingRetryer struct{ aws.RetryerV2 }

func (r throttlingRetryer) IsErrorRetryable(err error) bool {
	return isThrottling(err) && r.RetryerV2.IsErrorRetryable(err)
}

func isThrottling(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	_, ok := retry.DefaultThrottleErrorCodes[api.ErrorCode()]
	return ok
}

// MayHaveHappened reports that the error of a call to KMS does not say whether
// the call had its effect: it was sent and no answer came, or the answer was a
// fault of the service, or not the service's at all.
func MayHaveHappened(err error) bool {
	if isThrottling(err) {
		return false
	}
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && response.HTTPStatusCode() != 0 {
		return response.HTTPStatusCode() >= http.StatusInternalServerError || isUnreadable(err)
	}
	if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" {
		return false // never connected, so never sent
	}
	_, sent := errors.AsType[*smithyhttp.RequestSendError](err)
	return sent || isUnreadable(err)
}

func isUnreadable(err error) bool {
	_, unreadable := errors.AsType[*smithy.DeserializationError](err)
	return unreadable
}
