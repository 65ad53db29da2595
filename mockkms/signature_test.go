// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/mockkms"
)

// signing makes a client that signs with the given access key.
func signing(rt http.RoundTripper, endpoint *string, id, secret, token string) *kms.Client {
	return kms.New(kms.Options{
		Region: region, Retryer: aws.NopRetryer{}, HTTPClient: &http.Client{Transport: rt}, BaseEndpoint: endpoint,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: token}, nil
		}),
	})
}

// tampered changes requests after they were signed.
type tampered struct {
	http.RoundTripper
	change func(*http.Request)
}

func (t tampered) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	t.change(r)
	return t.RoundTripper.RoundTrip(r)
}

const (
	noMatch = "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	noClient = "The security token included in the request is invalid."
)

func TestSignatures(t *testing.T) {
	mock := mockkms.New(mockkms.WithCredentials(
		mockkms.Credentials{AccessKeyID: "AKIAONE", SecretAccessKey: "one"},
		mockkms.Credentials{AccessKeyID: "ASIATWO", SecretAccessKey: "two", SessionToken: "token", Account: "444455556666"},
	))
	must(mock.MoveClock(mockkms.ClockMove{Advance: time.Hour})) // no matter: signatures go by the time of day
	server := httptest.NewServer(mock)
	defer server.Close()
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	cut := func(old string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, "x", 1))
		}
	}
	for _, tt := range []struct {
		name, id, secret, token string
		change                  func(*http.Request)
		code, message           string
	}{
		{"right", "AKIAONE", "one", "", nil, "", ""},
		{"right, with a token", "ASIATWO", "two", "token", nil, "", ""},
		{"wrong secret", "AKIAONE", "two", "", nil, "InvalidSignatureException", noMatch},
		{"unknown", "AKIATWO", "two", "", nil, "UnrecognizedClientException", noClient},
		{"no token", "ASIATWO", "two", "", nil, "UnrecognizedClientException", noClient},
		{"another token", "ASIATWO", "two", "other", nil, "UnrecognizedClientException", noClient},
		{"token not asked for", "AKIAONE", "one", "token", nil, "UnrecognizedClientException", noClient},
		{"another operation", "AKIAONE", "one", "", set("X-Amz-Target", "TrentService.CreateKey"), "InvalidSignatureException", noMatch},
		{"another host", "AKIAONE", "one", "", func(r *http.Request) { r.Host = "elsewhere" }, "InvalidSignatureException", noMatch},
		{"another query", "AKIAONE", "one", "", func(r *http.Request) { r.URL.RawQuery = "a=b" }, "InvalidSignatureException", noMatch},
		{"no signature", "AKIAONE", "one", "", cut("Signature"), "IncompleteSignatureException", "Authorization header requires 'Signature' parameter."},
		{"no headers", "AKIAONE", "one", "", cut("SignedHeaders"), "IncompleteSignatureException", "Authorization header requires 'SignedHeaders' parameter."},
		{"host not signed", "AKIAONE", "one", "", cut(";host"), "InvalidSignatureException", noMatch},
		{"no date", "AKIAONE", "one", "", func(r *http.Request) { r.Header.Del("X-Amz-Date") }, "IncompleteSignatureException",
			"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."},
		{"bad date", "AKIAONE", "one", "", set("X-Amz-Date", "today"), "IncompleteSignatureException",
			"Date must be in ISO-8601 'basic format'. Got 'today'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"another date", "AKIAONE", "one", "", set("X-Amz-Date", "20200101T000000Z"), "InvalidSignatureException",
			"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP."},
	} {
		for _, way := range []struct {
			transport http.RoundTripper
			endpoint  *string
		}{{mockkms.Transport(mock), nil}, {http.DefaultTransport, &server.URL}} {
			if tt.change != nil {
				way.transport = tampered{way.transport, tt.change}
			}
			out, err := signing(way.transport, way.endpoint, tt.id, tt.secret, tt.token).DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: ptr("alias/a")})
			if out != nil {
				t.Errorf("%s: got an answer", tt.name)
			}
			want, message := tt.code, tt.message
			if want == "" { // it got through
				want, message = "NotFoundException", "Alias arn:aws:kms:us-east-1:111122223333:alias/a is not found."
				if tt.token != "" {
					message = strings.Replace(message, account, "444455556666", 1)
				}
			}
			t.Run(tt.name, func(t *testing.T) { refused(t, err, want, message) })
		}
	}
}

func TestSignaturesAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(6 * time.Minute) // after midnight, or the scope's day would change
		now := time.Now().UTC()
		clock := now
		mock := mockkms.New(mockkms.WithCredentials(mockkms.Credentials{AccessKeyID: "AKIAONE", SecretAccessKey: "one"}),
			mockkms.WithClock(func() time.Time { return clock }))
		for _, tt := range []struct {
			ahead   time.Duration // of the mock
			message string
		}{
			{0, ""}, {5 * time.Minute, ""}, {-5 * time.Minute, ""},
			{5*time.Minute + time.Second, "Signature expired: 20000101T000600Z is now earlier than 20000101T000601Z (20000101T001101Z - 5 min.)"},
			{-5*time.Minute - time.Second, "Signature not yet current: 20000101T000600Z is still later than 20000101T000559Z (20000101T000059Z + 5 min.)"},
		} {
			clock = now.Add(tt.ahead)
			_, err := signing(mockkms.Transport(mock), nil, "AKIAONE", "one", "").ListKeys(t.Context(), nil)
			if tt.message != "" {
				refused(t, err, "InvalidSignatureException", tt.message)
			} else if err != nil {
				t.Errorf("%v ahead: %v", tt.ahead, err)
			}
		}
	})
}
