// SPDX-License-Identifier: Apache-2.0

package online_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/internal/sshsig"
)

// people do as they are told, unless a test tells them otherwise.
type people struct {
	room.Room // nobody is asked for shares here

	absent    []string
	unwilling []string                         // who signs later
	heard     func(what string) string         // what was read out
	media     []string                         // that are put in, one after the other
	taken     func(folder string)              // what happens to a medium before it is put in again
	decides   int                              // the lead
	told      []string                         // to everybody
	asked     []string                         // for a decision
	falls     string                           // what they are told when the power fails
	fall      context.CancelFunc               // of the power
	signs     func(id string, m []byte) []byte // what is signed in place of a message; nil for that
}

func (p *people) Announce(phase.Task) {}

func (p *people) Tell(format string, args ...any) {
	p.told = append(p.told, fmt.Sprintf(format, args...))
	if p.fall != nil && p.hears(p.falls) {
		p.fall()
	}
}

func (p *people) Present(_ context.Context, who []string, _ string) ([]string, error) {
	return slices.DeleteFunc(slices.Clone(who), func(id string) bool { return slices.Contains(p.absent, id) }), nil
}

func (p *people) Confirm(_ context.Context, _ plan.Gate, _ []string, seen string) (string, error) {
	return seen, nil
}

func (p *people) Heard(_ context.Context, what string) (string, error) { return p.heard(what), nil }

func (p *people) Decide(_ context.Context, question string, _ []string) (int, error) {
	p.asked = append(p.asked, question)
	return p.decides, nil
}

func (p *people) Sign(_ context.Context, who plan.Person, namespace string, message []byte) ([]byte, error) {
	if slices.Contains(p.unwilling, who.ID) {
		return nil, nil
	}
	if p.signs != nil {
		message = p.signs(who.ID, message)
	}
	return sshsig.Sign(message, namespace, signerOf(who.ID))
}

func (p *people) Medium(context.Context, string) (string, error) {
	if len(p.media) == 0 {
		return "", context.Canceled
	}
	medium := p.media[0]
	p.media = p.media[1:]
	return medium, nil
}

func (p *people) Remount(_ context.Context, _, folder string) error {
	if p.taken != nil {
		p.taken(folder)
	}
	return nil
}

// hears reports whether people were told something.
func (p *people) hears(part string) bool {
	return slices.ContainsFunc(p.told, func(text string) bool { return strings.Contains(text, part) })
}

func signerOf(id string) ssh.Signer {
	seed := sha256.Sum256([]byte(id))
	signer, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		panic(err)
	}
	return signer
}

// quickFolder is in memory where the system has such a place: what a flush is worth
// is shown elsewhere, and takes its time.
func quickFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("/dev/shm", "keymat-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	return folder
}

func write(t *testing.T, folder, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, folder, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}
