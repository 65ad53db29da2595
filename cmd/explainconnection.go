// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"

	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/keymat/keymat/internal/cli"
)

// explainConnection covers everything between us and KMS.
func explainConnection(err error) (cli.Advice, bool) {
	if advice, ok := explainAddress(err); ok {
		return advice, true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return hint("AWS_CA_BUNDLE names a PEM file of certificates to trust, such as that of keymat mock serve --tls-cert"), true
	}
	if errors.Is(err, http.ErrSchemeMismatch) {
		return hint("what answers there speaks no TLS: write http:// in --endpoint-url or AWS_ENDPOINT_URL_KMS"), true
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return hint("KMS took too long; try again"), true
	}
	if _, ok := errors.AsType[*smithyhttp.RequestSendError](err); ok {
		return hint("the connection broke; try again"), true
	}
	// The SDK has no types for what its settings lack.
	switch text := err.Error(); {
	case strings.Contains(text, "failed to resolve service endpoint"):
		return hint("a URL begins with http:// or https://, also in AWS_ENDPOINT_URL_KMS: http://127.0.0.1:4599"), true
	case strings.Contains(text, "get credentials"), strings.Contains(text, "get identity"):
		return hint("no AWS credentials were found: aws configure, aws sso login, or keymat's own KMS with --mock; a mock that is being served takes any, such as those it prints"), true
	}
	return cli.Advice{}, false
}

// explainAddress covers names and ports that do not lead to KMS, or are taken.
func explainAddress(err error) (cli.Advice, bool) {
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return hint("%s cannot be found: look at the network, and at --region", e.Name), true
	}
	e, ok := errors.AsType[*net.OpError](err)
	switch {
	case !ok:
		return cli.Advice{}, false
	case e.Op == "listen" && errors.Is(err, syscall.EADDRINUSE):
		return hint("another program, perhaps another mock, listens at %s; --listen 127.0.0.1:0 takes a free port", e.Addr), true
	case e.Op == "dial" && ofThisMachine(e.Addr):
		return hint("nothing answers at %s: start keymat mock serve there, or look at --endpoint-url and AWS_ENDPOINT_URL_KMS", e.Addr), true
	case e.Op == "dial":
		return hint("nothing answers at %s: look at the network, and at --endpoint-url", e.Addr), true
	}
	return cli.Advice{}, false
}

func ofThisMachine(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
