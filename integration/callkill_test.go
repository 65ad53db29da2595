// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

package integration_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
)

// A blade stands between a command and KMS, and kills the command at one of its
// calls: before KMS sees that, or when KMS has answered and nobody hears it.
type blade struct {
	kms   http.Handler
	at    int // from 1
	after bool
	kill  func() // returns when the command is dead

	calls int
}

func (b *blade) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.calls++
	if b.calls == b.at && !b.after {
		b.kill()
		panic(http.ErrAbortHandler)
	}
	answer := httptest.NewRecorder()
	b.kms.ServeHTTP(answer, r)
	if b.calls == b.at {
		b.kill()
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	w.Write(answer.Body.Bytes())
}

// killAtCalls runs the command as often as it takes to end it at each of its calls
// of KMS, before and after, and checks what is left. It returns how often that was.
func (d *desk) killAtCalls(c copying) (kills int) {
	d.t.Helper()
	for at := 1; ; at++ {
		for _, after := range []bool{false, true} {
			if d.killAtCall(c, at, after).status == 0 {
				return kills
			}
			kills++
			d.checkNoneHidden(c, "a call of KMS")
		}
	}
}

func (d *desk) killAtCall(c copying, at int, after bool) outcome {
	d.t.Helper()
	d.clearCopies()
	run := d.prepare(c)
	var stderr bytes.Buffer
	cmd := exec.Command(built.keymat, append(run.line, "--no-input")...)
	cmd.Dir, cmd.Stderr = d.dir, &stderr
	started, dead := make(chan struct{}), make(chan struct{})
	kms, err := url.Parse(d.url)
	if err != nil {
		d.t.Fatal(err)
	}
	b := &blade{kms: httputil.NewSingleHostReverseProxy(kms), at: at, after: after, kill: func() {
		<-started
		cmd.Process.Kill()
		<-dead
	}}
	proxy := httptest.NewServer(b)
	defer proxy.Close()
	cmd.Env = environment(d.dir, proxy.URL)
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	close(started)
	cmd.Wait() // the outcome says how
	close(dead)
	o := outcome{stderr: stderr.Bytes(), status: cmd.ProcessState.ExitCode()}
	if o.status != 0 && o.status != killed {
		d.t.Fatalf("%s: exit code %d, %s", c.name, o.status, o.stderr)
	}
	d.checkLeft(run, fmt.Sprintf("killed at call %d, answered: %t", at, after), o)
	return o
}
