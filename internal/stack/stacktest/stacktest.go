// SPDX-License-Identifier: Apache-2.0

// Package stacktest stands in for CloudFormation in tests: it takes what the SDK
// sends for three operations, and remembers it.
package stacktest

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// Service is CloudFormation as an http.Handler and as an http.RoundTripper. The
// zero value has no stacks.
type Service struct {
	mu       sync.Mutex
	work     int    // how often a stack is seen in progress after a change
	end      string // of changes
	requests []url.Values
	stacks   map[string]*state
}

type state struct {
	id, template, status, end string
	parameters                url.Values
	work                      int
}

// SetWork says how often a stack that is changed from now on is seen in progress.
func (s *Service) SetWork(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.work = n
}

// SetEnd says in which status changes end from now on: "" is CREATE_COMPLETE or
// UPDATE_COMPLETE.
func (s *Service) SetEnd(status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end = status
}

// Requests are the forms that arrived, in their order.
func (s *Service) Requests() []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// RoundTrip answers a request without a network.
func (s *Service) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, r)
	return answer.Result(), nil
}

// ServeHTTP answers a request in the query protocol.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	form, err := url.ParseQuery(string(body))
	if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || form.Get("Version") != "2010-05-15" {
		http.Error(w, "no request of the query protocol", http.StatusNotFound)
		return
	}
	s.requests = append(s.requests, form)
	operation := map[string]func(url.Values) (string, string){
		"CreateStack": s.create, "UpdateStack": s.update, "DescribeStacks": s.describe,
	}[form.Get("Action")]
	if operation == nil {
		http.Error(w, "no such operation", http.StatusNotFound)
		return
	}
	result, problem := operation(form)
	w.Header().Set("Content-Type", "text/xml")
	if problem != "" {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type><Code>ValidationError</Code><Message>%s</Message></Error><RequestId>1</RequestId></ErrorResponse>`, escape(problem))
		return
	}
	action := form.Get("Action")
	fmt.Fprintf(w, `<%[1]sResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><%[1]sResult>%[2]s</%[1]sResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></%[1]sResponse>`, action, result)
}

func escape(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // memory takes all
	return b.String()
}

func (s *Service) find(nameOrID string) *state {
	if st, ok := s.stacks[nameOrID]; ok && st.status != "DELETE_COMPLETE" {
		return st
	}
	for _, st := range s.stacks {
		if st.id == nameOrID {
			return st
		}
	}
	return nil
}

// given is what a request says of a stack.
func given(form url.Values) url.Values {
	parameters := url.Values{}
	for name := range form {
		if strings.HasPrefix(name, "Parameters.") {
			parameters[name] = form[name]
		}
	}
	return parameters
}

func (s *Service) create(form url.Values) (result, problem string) {
	name := form.Get("StackName")
	if s.find(name) != nil {
		return "", "Stack [" + name + "] already exists"
	}
	st := &state{id: "arn:aws:cloudformation:eu-central-1:111122223333:stack/" + name + "/1", template: form.Get("TemplateBody"), parameters: given(form)}
	s.change(st, "CREATE")
	if s.stacks == nil {
		s.stacks = make(map[string]*state)
	}
	s.stacks[name] = st
	return "<StackId>" + st.id + "</StackId>", ""
}

func (s *Service) update(form url.Values) (result, problem string) {
	st := s.find(form.Get("StackName"))
	if st == nil {
		return "", "Stack [" + form.Get("StackName") + "] does not exist"
	}
	parameters := given(form)
	if st.template == form.Get("TemplateBody") && maps.EqualFunc(st.parameters, parameters, slices.Equal) {
		return "", "No updates are to be performed."
	}
	st.template, st.parameters = form.Get("TemplateBody"), parameters
	s.change(st, "UPDATE")
	return "<StackId>" + st.id + "</StackId>", ""
}

// change begins work on a stack.
func (s *Service) change(st *state, verb string) {
	st.status, st.end, st.work = verb+"_IN_PROGRESS", verb+"_COMPLETE", s.work
	if s.end != "" {
		st.end = s.end
	}
}

func (s *Service) describe(form url.Values) (result, problem string) {
	st := s.find(form.Get("StackName"))
	if st == nil {
		return "", "Stack with id " + form.Get("StackName") + " does not exist"
	}
	if st.work--; st.work < 0 {
		st.status = st.end
	}
	return "<Stacks><member><StackId>" + st.id + "</StackId><StackStatus>" + st.status +
		"</StackStatus><StackStatusReason>a reason</StackStatusReason><CreationTime>2026-03-01T12:00:00Z</CreationTime></member></Stacks>", ""
}
