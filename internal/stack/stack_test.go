// SPDX-License-Identifier: Apache-2.0

package stack_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"github.com/keymat/keymat/internal/stack"
	"github.com/keymat/keymat/internal/stack/stacktest"
)

const id = "arn:aws:cloudformation:eu-central-1:111122223333:stack/name/1"

func api(transport http.RoundTripper) stack.API {
	return stack.Of(cloudformation.New(cloudformation.Options{
		Region:      "eu-central-1",
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		HTTPClient:  &http.Client{Transport: transport},
		Retryer:     aws.NopRetryer{},
	}))
}

// apply applies a template with two parameters, and wants this outcome.
func apply(t *testing.T, service *stacktest.Service, template string, want stack.Applied) {
	t.Helper()
	got, err := api(service).Apply(t.Context(), stack.Stack{Name: "name", Template: template, Parameters: map[string]string{"B": "2", "A": "1"}})
	if err != nil || got != want {
		t.Errorf("applied %+v, error %v, want %+v", got, err, want)
	}
}

// TestRequests looks at what is sent, to the last field.
func TestRequests(t *testing.T) {
	service := new(stacktest.Service)
	apply(t, service, `{"a": "é"}`, stack.Applied{Action: stack.Created, ID: id})
	apply(t, service, `{"a": "é"}`, stack.Applied{Action: stack.Unchanged})
	apply(t, service, "{}", stack.Applied{Action: stack.Updated, ID: id})
	describe := func(name string) string {
		return "Action=DescribeStacks&StackName=" + url.QueryEscape(name) + "&Version=2010-05-15"
	}
	const parameters = "Parameters.member.1.ParameterKey=A&Parameters.member.1.ParameterValue=1&Parameters.member.2.ParameterKey=B&Parameters.member.2.ParameterValue=2&StackName=name"
	const first = parameters + "&TemplateBody=%7B%22a%22%3A+%22%C3%A9%22%7D&Version=2010-05-15"
	want := []string{
		describe("name"), "Action=CreateStack&OnFailure=DELETE&" + first, describe(id),
		describe("name"), "Action=UpdateStack&" + first,
		describe("name"), "Action=UpdateStack&" + parameters + "&TemplateBody=%7B%7D&Version=2010-05-15", describe(id),
	}
	tokens := map[string]bool{}
	for n, form := range service.Requests() {
		if token := form.Get("ClientRequestToken"); token != "" {
			tokens[token] = true
			form.Del("ClientRequestToken")
		}
		if n >= len(want) || form.Encode() != want[n] {
			t.Errorf("request %d is %s", n, form.Encode())
		}
	}
	if got := len(service.Requests()); got != len(want) || len(tokens) != 3 {
		t.Errorf("%d requests with %d tokens, want %d with 3", got, len(tokens), len(want))
	}
}

// slow takes time for an answer, without which the SDK's waiter asks for ever at
// the end of its patience.
type slow struct{ next http.RoundTripper }

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(time.Millisecond)
	return s.next.RoundTrip(r)
}

// TestWait waits for as long as CloudFormation works, and no longer than some
// minutes.
func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := new(stacktest.Service)
		service.SetWork(5)
		start := time.Now()
		apply(t, service, "{}", stack.Applied{Action: stack.Created, ID: id})
		if took := time.Since(start); took < 2*time.Second || took > time.Minute {
			t.Errorf("waited %v", took)
		}
		service.SetWork(1e6)
		_, err := api(slow{service}).Apply(t.Context(), stack.Stack{Name: "name", Template: "[]"})
		if e, ok := errors.AsType[*stack.CallError](err); !ok || e.Operation != "DescribeStacks" || time.Since(start) > 20*time.Minute {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

// TestFailed: what CloudFormation says of a stack that it gave up.
func TestFailed(t *testing.T) {
	service := new(stacktest.Service)
	service.SetEnd("DELETE_COMPLETE")
	_, err := api(service).Apply(t.Context(), stack.Stack{Name: "name", Template: "{}"})
	want := stack.FailedError{Stack: "name", ID: id, Status: "DELETE_COMPLETE", Reason: "a reason"}
	if e, ok := errors.AsType[*stack.FailedError](err); !ok || *e != want {
		t.Errorf("error %v", err)
	}
	if got, want := fmt.Sprint(err), "stack name ended in DELETE_COMPLETE: a reason"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	service.SetEnd("") // it is gone, and can be made again
	apply(t, service, "{}", stack.Applied{Action: stack.Created, ID: id})
	service.SetEnd("UPDATE_ROLLBACK_COMPLETE")
	if _, err := api(service).Apply(t.Context(), stack.Stack{Name: "name", Template: "[]"}); err == nil {
		t.Error("an update that was rolled back is taken for done")
	}
}

// TestRefused: an error is told with the operation, and ends it.
func TestRefused(t *testing.T) {
	refuse := func(operation string) stack.API {
		a := api(new(stacktest.Service))
		switch operation {
		case "DescribeStacks":
			a.Describe = func(context.Context, *cloudformation.DescribeStacksInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error) {
				return nil, errors.New("refused")
			}
		case "CreateStack":
			a.Create = func(context.Context, *cloudformation.CreateStackInput, ...func(*cloudformation.Options)) (*cloudformation.CreateStackOutput, error) {
				return nil, errors.New("refused")
			}
		case "UpdateStack":
			if _, err := a.Apply(t.Context(), stack.Stack{Name: "name", Template: "{}"}); err != nil {
				t.Fatal(err)
			}
			a.Update = func(context.Context, *cloudformation.UpdateStackInput, ...func(*cloudformation.Options)) (*cloudformation.UpdateStackOutput, error) {
				return nil, errors.New("refused")
			}
		}
		return a
	}
	for _, operation := range []string{"DescribeStacks", "CreateStack", "UpdateStack"} {
		done, err := refuse(operation).Apply(t.Context(), stack.Stack{Name: "name", Template: "[]"})
		if got, want := fmt.Sprint(err), operation+" of stack name: refused"; got != want || done != (stack.Applied{}) {
			t.Errorf("got %s and %+v, want %s", got, done, want)
		}
	}
}
