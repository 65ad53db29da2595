// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// contentTypes is the Content-Type of all answers.
var contentTypes = []string{"application/x-amz-json-1.1"}

const (
	targetPrefix = "TrentService."
	maxBody      = 1 << 20 // bytes; the largest member, a policy, has 128 KiB
)

// ServeHTTP answers one KMS request.
func (k *KMS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	id := newUUID()
	w.Header()["X-Amzn-Requestid"] = []string{id}
	c := &call{kms: k, requestID: id, http: r}
	answer, err := c.serve(w, r)
	var refusal *apiError
	if err != nil {
		refusal = k.refusal(c, err)
	}
	if k.trail.keep > 0 && c.happened() {
		k.trail.add(c.past(answer, refusal), k.trailDue)
	}
	c.logTo(k.log, r, id, refusal, start)
	switch {
	case c.fault != nil && c.fault.drops():
		panic(http.ErrAbortHandler)
	case refusal != nil:
		writeRefusal(w, refusal)
	default:
		writeAnswer(w, answer)
	}
}

// happened reports whether the call got as far as to be an event: its account
// and operation are known, and no broken connection kept it away.
func (c *call) happened() bool {
	return !c.now.IsZero() && (c.fault == nil || c.fault.Kind != FaultDropBefore)
}

func (c *call) logTo(log *slog.Logger, r *http.Request, id string, refusal *apiError, start time.Time) {
	if !log.Enabled(r.Context(), slog.LevelInfo) {
		return
	}
	status, code := http.StatusOK, ""
	switch {
	case c.fault != nil && c.fault.drops():
		status, code = 0, "connection dropped"
	case refusal != nil:
		status, code = refusal.status, refusal.code
	}
	log.LogAttrs(r.Context(), slog.LevelInfo, "request", slog.String("operation", c.operation),
		slog.Int("status", status), slog.String("error", code), slog.Duration("took", time.Since(start)),
		slog.String("key", c.key), slog.String("id", id))
}

// serve carries a request through its stages: what is asked, by whom, of
// what form, then the operation itself.
func (c *call) serve(w http.ResponseWriter, r *http.Request) (answer any, err error) {
	defer c.recoverTo(&err)
	op, err := c.target(r)
	if err != nil {
		return nil, err
	}
	var refused *apiError
	if c.scope, c.accessKey, refused = scopeOf(r.Header); refused != nil {
		return nil, refused
	}
	body, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	if refused := c.verify(r, body); refused != nil {
		return nil, refused
	}
	c.kms.calls.add(c.operation)
	c.conditions = c.kms.conditions.Load()
	if !c.dawdle(r.Context()) {
		c.fault = &Fault{Kind: FaultDropBefore} // nobody is there to be answered
		return void{}, nil
	}
	if c.now, err = c.kms.now(); err != nil {
		return nil, err
	}
	if c.request, refused = op.decode(body); refused != nil {
		c.request = nil
		return nil, refused
	}
	if c.fault = c.kms.faults.strike(c.operation); c.fault != nil && c.fault.Kind != FaultDropAfter {
		return nil, c.suffer()
	}
	if c.throttled() {
		return nil, throttled()
	}
	return op.serve(c, c.request)
}

// target finds the operation in the X-Amz-Target header.
func (c *call) target(r *http.Request) (operation, error) {
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	op, known := c.kms.operations[name]
	if r.Method != http.MethodPost || r.URL.Path != "/" || !ok || !known {
		return operation{}, refuseSilently("UnknownOperationException")
	}
	c.operation = name
	return op, nil
}

func readBody(w http.ResponseWriter, r *http.Request) (body []byte, err error) {
	if 0 < r.ContentLength && r.ContentLength <= maxBody { // 0 may mean that it is not known
		body = make([]byte, r.ContentLength)
		_, err = io.ReadFull(r.Body, body)
	} else {
		body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	}
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return nil, &apiError{code: "RequestEntityTooLargeException", status: http.StatusRequestEntityTooLarge}
	}
	if err != nil {
		return nil, serialization("Could not read request body")
	}
	return body, nil
}

// suffer does what a fault asks for in place of the operation.
func (c *call) suffer() error {
	ref := ""
	if r, ok := c.request.(keyed); ok {
		ref = r.keyRef()
	}
	return c.fault.refusal(c, ref)
}

// recoverTo turns a panic into an internal error, so that no request can take
// the server down.
func (c *call) recoverTo(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
	}
}

// refusal is the error as the client will see it. One that is no refusal of
// KMS's is ours: logged in full, told as KMSInternalException.
func (k *KMS) refusal(c *call, err error) *apiError {
	if refused := new(apiError); errors.As(err, &refused) {
		return refused
	}
	k.log.Error("internal error", "operation", c.operation, "key", c.key, "error", err)
	return internalError()
}

func writeRefusal(w http.ResponseWriter, e *apiError) {
	body := struct {
		Type    string `json:"__type"`
		Message string `json:"message,omitempty"`
	}{e.code, e.message}
	writeJSON(w, e.status, body)
}

// writeAnswer encodes what an operation returned; operations without output
// answer with an empty body.
func writeAnswer(w http.ResponseWriter, answer any) {
	if _, empty := answer.(void); empty {
		writeBody(w, http.StatusOK, nil)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("mockkms: encoding %T: %v", v, err)) // answers are structs of plain values
	}
	writeBody(w, status, bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

func writeBody(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = contentTypes
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	w.Write(body)
}

// An epoch is a time as the wire has it: seconds since 1970, with milliseconds as
// a fraction. Zero is no time, and left out.
type epoch float64

func epochOf(t time.Time) epoch {
	if t.IsZero() {
		return 0
	}
	return epoch(float64(t.UnixMilli()) / 1000)
}

// time is the time in UTC.
func (e epoch) time() time.Time { return time.UnixMilli(int64(math.Round(float64(e) * 1000))).UTC() }

// newUUID makes a random UUID (version 4), KMS's form of key and request IDs.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	return uuid(b)
}

// uuid spells 16 bytes as a UUID of version 4.
func uuid(b [16]byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	s := make([]byte, 0, 36)
	for i, group := range [][]byte{b[:4], b[4:6], b[6:8], b[8:10], b[10:]} {
		if i > 0 {
			s = append(s, '-')
		}
		s = hex.AppendEncode(s, group)
	}
	return string(s)
}
