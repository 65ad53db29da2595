// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
)

// Where a server answers besides KMS's own path, which is /.
const (
	healthPath  = "/healthz"
	controlPath = "/_mock/"
)

// Server is the handler for a port of its own. It answers KMS requests;
// GET /healthz, with status 200 as long as the store can be read; and below
// /_mock/ what KMS has no operations for, such as moving the clock, to
// programs on the same machine only. [Remote] is the client for the latter.
func (k *KMS) Server() http.Handler {
	control := onlyLocal(k.control())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == healthPath:
			k.health(w, r)
		case strings.HasPrefix(r.URL.Path, controlPath):
			control.ServeHTTP(w, r)
		default:
			k.ServeHTTP(w, r)
		}
	})
}

func (k *KMS) health(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	if _, err := k.clockSetting(); err != nil {
		replyError(w, http.StatusServiceUnavailable, err)
		return
	}
	reply(w, http.StatusOK, struct {
		Status string `json:"status"`
	}{"ok"})
}

// onlyLocal lets programs of this machine through. The address alone would
// not keep out web pages: a browser calls from here, too, but names the page
// as Origin, or as Host where a foreign name was made to point to us.
func onlyLocal(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(r.RemoteAddr) || !isLoopback(r.Host) || r.Header.Get("Origin") != "" {
			replyError(w, http.StatusForbidden, errNotLocal)
			return
		}
		h.ServeHTTP(w, r)
	})
}

var errNotLocal = errors.New("the mock is controlled from its own machine only, by a loopback address")

// isLoopback reports whether an address, with or without port, is one of this
// machine that no other can reach.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = strings.Trim(address, "[]")
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// maxControlBody bounds what the control path reads, in bytes.
const maxControlBody = 64 << 10

// answering makes a handler of the control path: it reads the query from the
// JSON body, or leaves it zero for requests without, and replies in JSON.
func answering[Q, A any](f func(*http.Request, Q) (A, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q Q
		if r.Method == http.MethodPost {
			d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControlBody))
			d.DisallowUnknownFields()
			if err := d.Decode(&q); err != nil {
				replyError(w, http.StatusBadRequest, err)
				return
			}
			if _, err := d.Token(); err != io.EOF {
				replyError(w, http.StatusBadRequest, errors.New("something follows the JSON object"))
				return
			}
		}
		a, err := f(r, q)
		if err != nil {
			replyError(w, controlStatus(err), err)
			return
		}
		reply(w, http.StatusOK, a)
	}
}

// A badControl is a control request that makes no sense.
type badControl struct{ err error }

func (e *badControl) Error() string { return e.err.Error() }
func (e *badControl) Unwrap() error { return e.err }

func controlStatus(err error) int {
	bad, clock := new(badControl), new(ClockRangeError)
	if errors.As(err, &bad) || errors.As(err, &clock) {
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}

// A controlFailure is how the control path tells errors.
type controlFailure struct {
	Error string `json:"error"`
}

func replyError(w http.ResponseWriter, status int, err error) {
	reply(w, status, controlFailure{err.Error()})
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // who has hung up is not told
}
