// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// built is made once by TestMain and only read after that.
var built struct {
	keymat  string // path of the binary
	hsm     string // path of keymat-hsm
	offline string // path of keymat-offline, built as it is released
	mock    string // URL of a mock in memory that shares its wrapping keys and rotates fast, which every test may use
}

func TestMain(m *testing.M) {
	status, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

func runTests(m *testing.M) (status int, err error) {
	dir, err := os.MkdirTemp("", "keymat-integration-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	built.keymat, built.hsm = filepath.Join(dir, "keymat"), filepath.Join(dir, "keymat-hsm")
	build := exec.Command("go", "build", "-o", dir, "github.com/keymat/keymat/cmd/keymat", "github.com/keymat/keymat/cmd/keymat-hsm")
	build.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("building keymat and keymat-hsm: %w\n%s", err, out)
	}
	built.offline = filepath.Join(dir, "keymat-offline")
	build = exec.Command("go", "build", "-o", built.offline, "github.com/keymat/keymat/cmd/keymat-offline")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("building keymat-offline: %w\n%s", err, out)
	}
	mock, err := serve(dir, "--memory", "--shared-wrapping-keys", "--rotation-time", "50ms")
	if err != nil {
		return 0, err
	}
	defer mock.kill()
	built.mock = mock.url
	return m.Run(), nil
}

// server is a keymat mock serve process.
type server struct {
	url string
	cmd *exec.Cmd
}

// serve starts a mock on a free port and returns when it can be reached.
// Its stderr goes to the file mock.log in dir.
func serve(dir string, flags ...string) (*server, error) {
	log, err := os.OpenFile(filepath.Join(dir, "mock.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(built.keymat, append([]string{"mock", "serve", "--listen", "127.0.0.1:0", "--json"}, flags...)...)
	cmd.Env = environment(dir, "")
	cmd.Stderr = log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{cmd: cmd}
	var answer struct{ URL string }
	if err := json.NewDecoder(stdout).Decode(&answer); err != nil {
		s.kill()
		return nil, fmt.Errorf("keymat mock serve printed no URL (%w); see %s", err, log.Name())
	}
	s.url = answer.URL
	return s, nil
}

// kill ends the server as kill -9 does, and waits until it is gone.
func (s *server) kill() {
	s.cmd.Process.Kill()
	s.cmd.Wait()
}
