// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/keymat/keymat/internal/term"
	"github.com/keymat/keymat/mockkms"
)

// TestTarget: which KMS is meant, and what that means.
func TestTarget(t *testing.T) {
	mock := mockkms.New()
	serve := func(h http.Handler) string {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return server.URL
	}
	served, plain := serve(mock.Server()), serve(mock)
	state := filepath.Join(t.TempDir(), "mock.db")
	stocked, err := os.ReadFile(filepath.Join("testdata", "stocked.db")) // wrapping keys are none of this test's business
	if err == nil {
		err = os.WriteFile(state, stocked, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	type facts struct{ lasting, billed, clock, private bool }
	for _, test := range []struct {
		name    string
		globals globals
		options targetOptions
		env     string // of AWS_ENDPOINT_URL_KMS
		want    facts
		second  string
	}{
		{"nothing", globals{}, targetOptions{}, served, facts{clock: true, private: true}, "us-east-1"},
		{"Region", globals{region: "us-east-1"}, targetOptions{}, "", facts{clock: true, private: true}, "us-west-2"},
		{"China", globals{region: "cn-north-1"}, targetOptions{}, "", facts{clock: true, private: true}, ""},
		{"second", globals{}, targetOptions{second: "eu-west-1"}, "", facts{clock: true, private: true}, "eu-west-1"},
		{"--mock", globals{mock: true, mockState: state}, targetOptions{}, "", facts{clock: true, lasting: true}, "us-east-1"},
		{"--endpoint-url", globals{endpointURL: served}, targetOptions{}, "", facts{clock: true, lasting: true}, "us-east-1"},
		{"both", globals{mock: true, endpointURL: served}, targetOptions{}, "", facts{clock: true, lasting: true}, "us-east-1"},
		{"no mock", globals{endpointURL: plain}, targetOptions{}, "", facts{lasting: true, billed: true}, ""},
		{"--aws", globals{}, targetOptions{aws: true}, "", facts{lasting: true, billed: true}, ""},
		{"--aws, led to a mock", globals{}, targetOptions{aws: true}, served, facts{clock: true, lasting: true}, "us-east-1"},
		{"elsewhere", globals{endpointURL: "https://kms.example.com"}, targetOptions{second: "eu-west-1"}, "", facts{lasting: true, billed: true}, "eu-west-1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("AWS_REGION", "eu-central-1")
			a := newApp(Env{Prompter: term.Refuse{}, Getenv: func(name string) string {
				return map[string]string{"AWS_ENDPOINT_URL_KMS": test.env}[name]
			}})
			a.globals = test.globals
			defer a.Close()
			got, err := a.target(t.Context(), test.options)
			if err != nil {
				t.Fatal(err)
			}
			if f := (facts{got.lasting, got.billed, got.clock != nil, got.wrappingKeys != nil}); f != test.want || got.second != test.second {
				t.Errorf("%s: %+v and %q, want %+v and %q", got.name, f, got.second, test.want, test.second)
			}
			client, err := got.client(got.region)
			if err != nil {
				t.Fatal(err)
			}
			stack := middleware.NewStack("", smithyhttp.NewStackRequest)
			retry := func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				return next.HandleFinalize(ctx, in)
			}
			if err := stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("Retry", retry), middleware.After); err != nil {
				t.Fatal(err)
			}
			for _, add := range client.Options().APIOptions {
				if err := add(stack); err != nil {
					t.Fatal(err)
				}
			}
			if paced := slices.Contains(stack.Finalize.List(), "pace"); paced != test.want.billed {
				t.Errorf("calls wait for their turn: %t, want %t", paced, test.want.billed)
			}
		})
	}
}
