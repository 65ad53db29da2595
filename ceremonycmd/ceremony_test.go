// SPDX-License-Identifier: Apache-2.0

package ceremonycmd_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/keymat/keymat/ceremony/plan/plantest"
	"github.com/keymat/keymat/ceremonycmd"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/term"
)

// A planBench is a folder with a plan in which nothing is wrong.
type planBench struct {
	t      *testing.T
	dir    string
	agent  string // socket
	asks   term.Prompter
	stdout bytes.Buffer
	stderr bytes.Buffer
	screen string // that people saw last
}

const planTarget = "arn:aws:kms:eu-central-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"

func newPlanBench(t *testing.T) *planBench {
	t.Helper()
	b := &planBench{t: t, dir: t.TempDir(), asks: term.Refuse{}}
	b.exits(0, "ceremony", "plan", "init", b.path("plan.yaml"), "--id", "test", "--target", planTarget, "--no-input")
	if err := plantest.FillKeys(b.path("plan.yaml"), b.dir); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *planBench) path(name string) string { return filepath.Join(b.dir, name) }

// exits runs keymat-offline, which has to end with this exit code.
func (b *planBench) exits(want int, args ...string) {
	b.t.Helper()
	b.stdout.Reset()
	b.stderr.Reset()
	env := cli.Env{Stdin: strings.NewReader(""), Stdout: &b.stdout, Stderr: &b.stderr, Prompter: b.asks, Getenv: func(name string) string {
		if name == "SSH_AUTH_SOCK" {
			return b.agent
		}
		return ""
	}}
	if got := ceremonycmd.Run(context.Background(), env, args); got != want {
		b.t.Fatalf("%q: exit code %d, want %d\n%s%s", args, got, want, &b.stdout, &b.stderr)
	}
}

// says demands that the last run has told something on stderr.
func (b *planBench) says(text string) {
	b.t.Helper()
	if !strings.Contains(b.stderr.String(), text) {
		b.t.Errorf("%q is not in %s", text, &b.stderr)
	}
}

// serveAgent is an ssh-agent with one key.
func (b *planBench) serveAgent(keyFile string) {
	b.t.Helper()
	raw, err := os.ReadFile(keyFile)
	if err != nil {
		b.t.Fatal(err)
	}
	key, err := ssh.ParseRawPrivateKey(raw)
	if err != nil {
		b.t.Fatal(err)
	}
	keys := agent.NewKeyring()
	if err := keys.Add(agent.AddedKey{PrivateKey: key}); err != nil {
		b.t.Fatal(err)
	}
	folder, err := os.MkdirTemp("", "agent") // the path of a socket has to be short
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { os.RemoveAll(folder) })
	b.agent = filepath.Join(folder, "socket")
	listener, err := net.Listen("unix", b.agent)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go agent.ServeAgent(keys, conn)
		}
	}()
}

func TestSignWithAgent(t *testing.T) {
	b := newPlanBench(t)
	sign := func(want int, person string) {
		t.Helper()
		b.exits(want, "ceremony", "plan", "sign", b.path("plan.yaml"), "--as", person, "--yes")
	}
	sign(1, "lead")
	b.says("SSH_AUTH_SOCK is not set")
	b.serveAgent(b.path("lead.key"))
	sign(0, "lead")
	sign(1, "witness")
	b.says("the ssh-agent does not have the key SHA256:")
	b.says("hint: add the key with ssh-add")
	b.exits(3, "ceremony", "plan", "verify", b.path("plan.yaml"))
	if out := b.stdout.String(); strings.Count(out, " approved ") != 1 || !strings.Contains(out, "has not signed") {
		t.Errorf("verify said %s", out)
	}
	b.agent = filepath.Join(b.dir, "nothing")
	sign(1, "witness")
	b.says("asking the ssh-agent for the key")
}

// asked answers questions one after the other, and passphrases with one.
type asked struct {
	term.Refuse
	lines      []string
	passphrase string
}

func (a *asked) Line(context.Context, string) (string, error) {
	answer := a.lines[0]
	a.lines = a.lines[1:]
	return answer, nil
}

func (a *asked) Secret(context.Context, string) ([]byte, error) { return []byte(a.passphrase), nil }

func (a *asked) Confirm(context.Context, string) (bool, error) { return a.lines[0] == "yes", nil }

func TestInitAsks(t *testing.T) {
	b := newPlanBench(t)
	asks := &asked{lines: []string{"asked", "", "2027-01-02", "HMAC_256", "2/3", planTarget}}
	b.asks = asks
	b.exits(0, "ceremony", "plan", "init", b.path("asked.yaml"))
	written, err := os.ReadFile(b.path("asked.yaml"))
	if err != nil || len(asks.lines) > 0 {
		t.Fatal(err, asks.lines)
	}
	for _, want := range []string{"\nid: asked ", "\ntitle: \"asked\"\n", "\ndate: 2027-01-02 ", "spec: HMAC_256\n", "threshold: 2 ", "count: 3\n", "key: " + planTarget} {
		if !strings.Contains(string(written), want) {
			t.Errorf("%q is not in %s", want, written)
		}
	}
}

func TestSignWithPassphrase(t *testing.T) {
	b := newPlanBench(t)
	raw, err := os.ReadFile(b.path("lead.key"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParseRawPrivateKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte("open"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.path("locked.key"), pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	sign := []string{"ceremony", "plan", "sign", b.path("plan.yaml"), "--as", "lead", "--key", b.path("locked.key")}
	b.asks = &asked{lines: []string{"yes"}, passphrase: "shut"}
	b.exits(1, sign...)
	b.says("the passphrase does not open this ssh key")
	b.asks = &asked{lines: []string{"no"}, passphrase: "open"}
	b.exits(1, sign...)
	b.says("you did not agree, and nothing was changed")
	b.asks = &asked{lines: []string{"yes"}, passphrase: "open"}
	b.exits(0, sign...)
}
