// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/console"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/term"
	"github.com/keymat/keymat/internal/term/termtest"
	"github.com/keymat/keymat/material"
)

// played names the scene that this test binary, started again by play on a
// terminal of its own, asks people to play. Its argument is in argument.
const (
	played   = "KEYMAT_TEST_SCENE"
	argument = "KEYMAT_TEST_ARGUMENT"
)

func TestMain(m *testing.M) {
	name := os.Getenv(played)
	if name == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	p, err := agreed()
	if err != nil {
		fmt.Print(err)
		return
	}
	f, _, err := sealed()
	if err != nil {
		fmt.Print(err)
		return
	}
	c := &console.Console{
		Plan: p, Prompter: term.New(os.Getenv), Out: os.Stderr, Keys: keys{}, By: "keymat test",
		Escrow: func(id escrow.ID) (*escrow.File, error) { return f, nil },
	}
	got, err := scenes[name](ctx, c)
	fmt.Printf("%v %v", got, err)
}

// keys are those of everybody in the plan.
type keys struct{}

func (keys) Signer(_ context.Context, file string, key ssh.PublicKey) (ssh.Signer, error) {
	switch file {
	case "":
		return nil, errors.New("the ssh-agent does not have the key")
	case "mine":
		return signerOf("anybody")
	}
	return signerOf("somebody else")
}

func (keys) Open(_ context.Context, encrypted []byte, identity string) ([]byte, error) {
	if identity != "mine" {
		return nil, errors.New("no identity matches")
	}
	return bytes.TrimPrefix(encrypted, []byte("encrypted: ")), nil
}

func signerOf(id string) (ssh.Signer, error) {
	seed := sha256.Sum256([]byte(id))
	return ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(seed[:]))
}

// agreed is a plan of 2 of 3 shares, each handed out in another way.
func agreed() (*plan.Plan, error) {
	drafted, err := plan.Draft(plan.Sketch{
		File: "plan.yaml", ID: "payments-2026", Title: "Payments: the root key", Date: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
		Spec: material.SymmetricDefault, Threshold: 2, Count: 3, Keys: []string{"arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"},
	})
	if err != nil {
		return nil, err
	}
	signer, err := signerOf("anybody")
	if err != nil {
		return nil, err
	}
	key := string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
	text := strings.NewReplacer(
		"    # key: ssh-ed25519 AAAA…\n", "    key: "+key, "NAME OF THE LEAD", "Lea", "NAME OF THE WITNESS", "Wim", "NAME OF OPERATOR ONE", "Ona",
		"NAME OF OPERATOR TWO", "Otto", "NAME OF CUSTODIAN 1", "Cai", "NAME OF CUSTODIAN 2", "Col", "NAME OF CUSTODIAN 3", "Cyd",
		"custodian: custodian-2, mode: form", "custodian: custodian-2, mode: print", "custodian: custodian-3, mode: form", "custodian: custodian-3, mode: file",
	).Replace(string(drafted))
	return plan.Read(strings.NewReader(text))
}

// sealed is an escrow with its shares, another one each time.
func sealed() (*escrow.File, []escrow.Share, error) {
	m, err := material.New(material.SymmetricDefault, bytes.Repeat([]byte{7, 9}, 16))
	if err != nil {
		return nil, nil, err
	}
	defer m.Destroy()
	return escrow.SealQuorum(m, time.Date(2026, 12, 1, 9, 30, 0, 0, time.UTC), escrow.Plan{Profile: escrow.FIPSQuorum, Scheme: escrow.SLIP39, Threshold: 2, Count: 3})
}

// A line is what somebody types once something was shown.
type line struct{ shown, keys string }

// play has a scene played, and returns the outcome and what was to be seen.
func play(t *testing.T, scene, arg string, lines ...line) (outcome, screen string) {
	t.Helper()
	terminal := termtest.Open(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), played+"="+scene, argument+"="+arg, "TERM=xterm", "NO_COLOR=1", "GORACE=atexit_sleep_ms=0")
	terminal.Attach(cmd)
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	terminal.Start(cmd)
	for _, l := range lines {
		terminal.Expect(l.shown)
		terminal.Type(l.keys)
	}
	if err := terminal.Wait(); err != nil {
		t.Fatalf("%v: %s", err, terminal.Screen())
	}
	return stdout.String(), strings.ReplaceAll(terminal.Screen(), "\r\n", "\n")
}

// A part is one scene and how it ends.
type part struct {
	name, scene, arg string
	lines            []line
	want             string
	screen           string // all of it, "" for what does not matter
}

func playAll(t *testing.T, parts []part) {
	t.Helper()
	for _, tt := range parts {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, screen := play(t, tt.scene, tt.arg, tt.lines...)
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if tt.screen != "" && screen != tt.screen {
				t.Errorf("got the screen\n%s\nwant\n%s", screen, tt.screen)
			}
		})
	}
}
