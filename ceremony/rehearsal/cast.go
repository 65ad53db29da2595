// SPDX-License-Identifier: Apache-2.0

package rehearsal

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/internal/files"
)

// What a simulated person keeps at home, besides shares.
const (
	keyFile       = "id_ed25519"
	componentFile = "component.txt"
	maxKept       = 64 << 10 // bytes of any of it
)

// A cast are the simulated people, with what each of them keeps: a folder per
// person, by ID. What is there is secret in a real ceremony, and throw-away here.
type cast struct{ dir string }

func (c cast) path(person, name string) string { return filepath.Join(c.dir, person, name) }

// keep has somebody put something away, in place of what was there of the name.
func (c cast) keep(person, name string, content []byte) error {
	if err := os.MkdirAll(filepath.Join(c.dir, person), 0o700); err != nil {
		return fmt.Errorf("making the folder of %s: %w", person, err)
	}
	return files.WriteSecret(c.path(person, name), content, files.ReplaceExisting)
}

// kept is what somebody has put away. An error is an fs.ErrNotExist if it is
// nothing.
func (c cast) kept(person, name string) ([]byte, error) {
	return files.ReadLimited(c.path(person, name), nil, maxKept)
}

// signer is somebody's ssh key, which they make when they first need it.
func (c cast) signer(person string) (ssh.Signer, error) {
	text, err := c.kept(person, keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = c.newKey(person)
	}
	if err != nil {
		return nil, err
	}
	return ssh.ParsePrivateKey(text)
}

func (c cast) newKey(person string) ([]byte, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(key, person+" in a rehearsal")
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(block)
	return text, c.keep(person, keyFile, text)
}

// keys are those of everybody who has one in a plan, or needs one.
func (c cast) keys(p *plan.Plan) (map[string]ssh.PublicKey, error) {
	needed := map[string]bool{}
	for _, f := range p.Lint() {
		needed[f.Path] = f.Code == "key-missing" || needed[f.Path]
	}
	keys := map[string]ssh.PublicKey{}
	for _, who := range p.People {
		if who.Key == nil && !needed["people["+who.ID+"]"] {
			continue
		}
		signer, err := c.signer(who.ID)
		if err != nil {
			return nil, err
		}
		keys[who.ID] = signer.PublicKey()
	}
	return keys, nil
}

// shareFile is where a custodian has written a share down.
func shareFile(escrow string, share int) string { return fmt.Sprintf("share-%d-%s.txt", share, escrow) }
