// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/mockkms"
)

// ask sends a request to a server's handler, as if from this machine.
func ask(h http.Handler, method, path, body string, alter ...func(*http.Request)) (status int, answer string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr, r.Host = "127.0.0.1:40000", "localhost:4599"
	for _, f := range alter {
		f(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, strings.TrimSpace(w.Body.String())
}

func TestHealth(t *testing.T) {
	s := newSession(t)
	fromAfar := func(r *http.Request) { r.RemoteAddr = "192.0.2.1:40000" }
	for _, tt := range []struct {
		method string
		status int
		answer string
	}{
		{"GET", 200, `{"status":"ok"}`},
		{"POST", 405, ``},
	} {
		status, answer := ask(s.mock.Server(), tt.method, "/healthz", "", fromAfar)
		if status != tt.status || answer != tt.answer {
			t.Errorf("%s: got %d %s, want %d %s", tt.method, status, answer, tt.status, tt.answer)
		}
	}
	s.mock.Close()
	if status, answer := ask(s.mock.Server(), "GET", "/healthz", ""); status != 503 || answer != `{"error":"the mock's store is closed"}` {
		t.Errorf("without a store: got %d %s", status, answer)
	}
}

func TestServerAnswersKMSRequests(t *testing.T) {
	s := newSession(t)
	if got := send(t, s.mock.Server(), "ListKeys", `{}`); got.status != 200 {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func TestControlIsForThisMachine(t *testing.T) {
	h := newSession(t).mock.Server()
	for _, tt := range []struct {
		name         string
		remote, host string
		origin       string
		status       int
	}{
		{"IPv4", "127.0.0.1:40000", "127.0.0.1:4599", "", 200},
		{"IPv6", "[::1]:40000", "[::1]", "", 200},
		{"by name", "127.8.9.1:40000", "localhost", "", 200},
		{"another machine", "192.0.2.1:40000", "localhost:4599", "", 403},
		{"a name made to point here", "127.0.0.1:40000", "localhost.example.com:4599", "", 403},
		{"a web page", "127.0.0.1:40000", "localhost:4599", "https://example.com", 403},
	} {
		status, answer := ask(h, "GET", "/_mock/clock", "", func(r *http.Request) {
			r.RemoteAddr, r.Host = tt.remote, tt.host
			if tt.origin != "" {
				r.Header.Set("Origin", tt.origin)
			}
		})
		if status != tt.status {
			t.Errorf("%s: got %d %s, want %d", tt.name, status, answer, tt.status)
		}
	}
}

func TestControlRefusesNonsense(t *testing.T) {
	h := newSession(t).mock.Server()
	for _, tt := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/_mock/", "", 404},
		{"DELETE", "/_mock/clock", "", 404},
		{"GET", "/_mock/events?after=-1", "", 400},
		{"GET", "/_mock/events?limit=some", "", 400},
		{"POST", "/_mock/faults", `{}`, 400},
		{"POST", "/_mock/faults", `{"kind": "flood"}`, 400},
		{"POST", "/_mock/faults", `{"kind": "throttle", "operation": "Enkrypt"}`, 400},
		{"POST", "/_mock/faults", `{"kind": "throttle", "message": "m"}`, 400},
		{"POST", "/_mock/faults", `{"kind": "throttle", "skip": -1}`, 400},
		{"POST", "/_mock/faults", `{"kind": "error"}`, 400},
		{"POST", "/_mock/conditions", `{"latency": "-1s"}`, 400},
		{"POST", "/_mock/conditions", `{"lag": 1}`, 400},
		{"POST", "/_mock/conditions", `{"rates": {"Enkrypt": 1}}`, 400},
		{"POST", "/_mock/conditions", `{"rates": {"Encrypt": -1}}`, 400},
		{"POST", "/_mock/clock", "", 400},
		{"POST", "/_mock/clock", `{"advance": "1h"`, 400},
		{"POST", "/_mock/clock", `{"advance": "1 hour"}`, 400},
		{"POST", "/_mock/clock", `{"advance": 3600}`, 400},
		{"POST", "/_mock/clock", `{"forward": "1h"}`, 400},
		{"POST", "/_mock/clock", `{} {}`, 400},
		{"POST", "/_mock/clock", `{"set": "1970-01-01T00:00:00Z"}`, 400},
		{"POST", "/_mock/clock", `{"set": "` + strings.Repeat(" ", 1<<16) + `"}`, 400},
	} {
		if status, answer := ask(h, tt.method, tt.path, tt.body); status != tt.status || !strings.HasPrefix(answer, `{"error":"`) {
			t.Errorf("%s %s %.40s: got %d %s, want %d", tt.method, tt.path, tt.body, status, answer, tt.status)
		}
	}
}

func TestRemoteClock(t *testing.T) {
	s := newSession(t)
	server := httptest.NewServer(s.mock.Server())
	defer server.Close()
	remote := mockkms.NewRemote(server.URL+"/", nil)
	at := time.Date(2031, 5, 6, 7, 8, 9, 10, time.UTC)
	moved := must(remote.MoveClock(t.Context(), mockkms.ClockMove{Set: at, Advance: time.Hour, Freeze: true}))
	if want := at.Add(time.Hour); !moved.Time.Equal(want) || !moved.Frozen || moved.Offset <= 0 {
		t.Errorf("got %v, want %v", moved, want)
	}
	must(remote.MoveClock(t.Context(), mockkms.ClockMove{Resume: true}))
	if got := must(remote.Clock(t.Context())); got.Frozen || got.Time.Before(moved.Time) {
		t.Errorf("resumed: got %v", got)
	}
	_, err := remote.MoveClock(t.Context(), mockkms.ClockMove{Set: time.Unix(0, 0)})
	if e := new(mockkms.RemoteError); !errors.As(err, &e) || e.Status != 400 || !strings.Contains(e.Message, "1970-01-01T00:00:00Z") {
		t.Errorf("got %v", err)
	}
	must(remote.MoveClock(t.Context(), mockkms.ClockMove{Reset: true}))
	if got := must(s.mock.Clock()); got.Offset != 0 {
		t.Errorf("reset: got %v", got)
	}
}

func TestRemoteFaults(t *testing.T) {
	s := newSession(t)
	server := httptest.NewServer(s.mock.Server())
	defer server.Close()
	remote := mockkms.NewRemote(server.URL, nil)
	strange := mockkms.Fault{Operation: "ListAliases", Kind: mockkms.FaultError, Times: -1, Code: "StrangeException", Message: "it is"}
	must(remote.Inject(t.Context(), strange))
	left := must(remote.Inject(t.Context(), mockkms.Fault{Operation: "ListKeys", Kind: mockkms.FaultThrottle, Skip: 1, Times: 2}))
	if len(left) != 2 || left[0] != strange {
		t.Errorf("got %v", left)
	}
	_, err := s.ListAliases(t.Context(), nil)
	refused(t, err, "StrangeException", "it is")
	must(s.ListKeys(t.Context(), nil))
	_, err = s.ListKeys(t.Context(), nil)
	refused(t, err, "ThrottlingException", "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.")
	want := []mockkms.Fault{strange, {Operation: "ListKeys", Kind: mockkms.FaultThrottle, Times: 1}}
	if left := must(remote.Faults(t.Context())); !slices.Equal(left, want) {
		t.Errorf("got %v, want %v", left, want)
	}
	must(0, remote.ClearFaults(t.Context()))
	must(s.ListAliases(t.Context(), nil))
}

func TestRemoteConditions(t *testing.T) {
	s := newSession(t)
	server := httptest.NewServer(s.mock.Server())
	defer server.Close()
	remote := mockkms.NewRemote(server.URL, nil)
	want := mockkms.Conditions{Latency: time.Nanosecond, Lag: time.Second, Quotas: true, Rates: map[string]float64{"Encrypt": 0.5},
		Flaws: []mockkms.Flaw{mockkms.FlawTokenForAnyKey}}
	must(0, remote.SetConditions(t.Context(), want))
	if got := must(remote.Conditions(t.Context())); !reflect.DeepEqual(got, want) || !reflect.DeepEqual(s.mock.Conditions(), want) {
		t.Errorf("got %v, want %v", got, want)
	}
	ask(s.mock.Server(), "POST", "/_mock/conditions", `{"lag": "0s"}`) // the rest stays
	want.Lag = 0
	if got := must(remote.Conditions(t.Context())); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	must(0, remote.SetConditions(t.Context(), mockkms.Conditions{}))
	if got := s.mock.Conditions(); got.Quotas || got.Latency != 0 || len(got.Rates) != 0 || len(got.Flaws) != 0 {
		t.Errorf("got %v", got)
	}
	if code, _ := ask(s.mock.Server(), "POST", "/_mock/conditions", `{"flaws": ["none-such"]}`); code != 400 {
		t.Errorf("a flaw that there is not: status %d", code)
	}
}

func TestRemoteThatIsNoMock(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	_, err := mockkms.NewRemote(server.URL, nil).Clock(t.Context())
	if e := new(mockkms.NotMockError); !errors.As(err, &e) || e.Status != 404 {
		t.Errorf("got %v, want a NotMockError", err)
	}
}
