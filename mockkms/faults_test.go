// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/mockkms"
)

func TestFaultsInPlaceOfAnAnswer(t *testing.T) {
	s := newSession(t)
	const missing = "12345678-1234-1234-1234-123456789012"
	for _, tt := range []struct {
		fault         mockkms.Fault
		code, message string
	}{
		{mockkms.Fault{Kind: mockkms.FaultThrottle}, "ThrottlingException",
			"You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."},
		{mockkms.Fault{Kind: mockkms.FaultInternal}, "KMSInternalException", "An internal error occurred."},
		{mockkms.Fault{Kind: mockkms.FaultDenied}, "AccessDeniedException", "User: arn:aws:iam::111122223333:user/mock is not authorized to perform: " +
			"kms:DescribeKey on resource: arn:aws:kms:us-east-1:111122223333:key/" + missing +
			" because no identity-based policy allows the kms:DescribeKey action"},
		{mockkms.Fault{Kind: mockkms.FaultError, Code: "ExpiredTokenException", Message: "The security token included in the request is expired"},
			"ExpiredTokenException", "The security token included in the request is expired"},
	} {
		tt.fault.Operation = "DescribeKey"
		s.mock.Inject(tt.fault)
		must(s.ListKeys(t.Context(), nil)) // another operation
		_, err := s.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: ptr(missing)})
		refused(t, err, tt.code, tt.message)
		_, err = s.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: ptr(missing)}) // struck only once
		refused(t, err, "NotFoundException", "Key 'arn:aws:kms:us-east-1:111122223333:key/"+missing+"' does not exist")
	}
}

// Only what is KMS's own fault has another status than 400 (documented).
func TestStatusOfFaults(t *testing.T) {
	mock := mockkms.New()
	for code, want := range map[string]int{
		"KMSInternalException": 500, "KeyUnavailableException": 500, "DependencyTimeoutException": 503, "ThrottlingException": 400,
		"KMSInvalidStateException": 400, "NotFoundException": 400,
	} {
		mock.Inject(mockkms.Fault{Kind: mockkms.FaultError, Code: code, Message: "m"})
		if got := send(t, mock, "ListKeys", `{}`); got.status != want || got.body != `{"__type":"`+code+`","message":"m"}` {
			t.Errorf("%s: got %d %s, want %d", code, got.status, got.body, want)
		}
	}
}

func TestFaultsAreCounted(t *testing.T) {
	s := newSession(t, mockkms.WithFault(mockkms.Fault{Kind: mockkms.FaultThrottle, Skip: 1, Times: 2}))
	var got []bool
	for range 5 {
		_, err := s.ListKeys(t.Context(), nil)
		got = append(got, err == nil)
	}
	if want := []bool{true, false, false, true, true}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A dropped connection tells the client nothing; only the effect differs.
func TestDroppedConnections(t *testing.T) {
	mock := mockkms.New()
	server := httptest.NewServer(mock)
	defer server.Close()
	overHTTP := kms.New(newClient(mock).Options(), func(o *kms.Options) {
		o.BaseEndpoint, o.HTTPClient = &server.URL, http.DefaultClient
	})
	keys := 0
	for _, client := range []*kms.Client{newClient(mock), overHTTP} {
		for _, kind := range []mockkms.FaultKind{mockkms.FaultDropBefore, mockkms.FaultDropAfter} {
			mock.Inject(mockkms.Fault{Operation: "CreateKey", Kind: kind})
			if _, err := client.CreateKey(t.Context(), nil); !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("kind %d: got %v, want a broken connection", kind, err)
			}
			if kind == mockkms.FaultDropAfter {
				keys++
			}
			if got := must(client.ListKeys(t.Context(), nil)).Keys; len(got) != keys {
				t.Errorf("kind %d: got %d keys, want %d", kind, len(got), keys)
			}
		}
	}
}

func TestCallsAndLog(t *testing.T) {
	var log bytes.Buffer
	s := newSession(t, mockkms.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	key := s.external("SYMMETRIC_DEFAULT")
	s.imports(key, letters("A", 32))
	s.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: ptr("alias/none")})
	want := []string{"CreateKey", "GetParametersForImport", "ImportKeyMaterial", "DescribeKey"}
	if got := s.mock.Calls(); !slices.Equal(got, want) {
		t.Errorf("got calls %v, want %v", got, want)
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 4 || !strings.Contains(lines[2], "operation=ImportKeyMaterial status=200 error=\"\"") ||
		!strings.Contains(lines[2], "key="+key) || !strings.Contains(lines[3], "error=NotFoundException") {
		t.Errorf("got log\n%s", log.String())
	}
	if strings.Contains(log.String(), "AAAA") {
		t.Error("key material in the log")
	}
}
