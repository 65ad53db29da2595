// SPDX-License-Identifier: Apache-2.0

package awsclient

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// tracer writes a line about each request that really goes out, retries
// included. The SDK's own logging will not do: it prints headers, and with them
// session tokens, or whole bodies, and with them what Decrypt returned.
type tracer struct {
	next aws.HTTPClient
	w    io.Writer
}

// Do sends the request and reports it.
func (t *tracer) Do(req *http.Request) (*http.Response, error) {
	start := time.Now()
	resp, err := t.next.Do(req)
	took := time.Since(start).Round(time.Millisecond)
	operation := cmp.Or(req.Header.Get("X-Amz-Target"), req.Method) // the query protocol names it in the body
	if err != nil {
		fmt.Fprintf(t.w, "%s %s: %v (%v)\n", operation, req.URL.Host, err, took)
		return resp, err
	}
	fmt.Fprintf(t.w, "%s %s: %d (%v, request ID %s)\n",
		operation, req.URL.Host, resp.StatusCode, took, resp.Header.Get("X-Amzn-Requestid"))
	return resp, nil
}
