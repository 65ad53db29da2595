// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"context"
	"crypto/fips140"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
	"filippo.io/age/plugin"
	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/files"
)

// maxIdentity is in bytes; a large ssh key has three thousand.
const maxIdentity = 64 << 10

// identities reads files of identities: those of age, one a line, also in an
// age file of their own with a passphrase, and ssh private keys.
func (a *app) identities(ctx context.Context, names []string) (all []age.Identity, err error) {
	if fips140.Enforced() { // where age's post-quantum keys are made in a loop without end
		return nil, &escrow.FIPSError{Profile: escrow.Recipients}
	}
	for _, name := range names {
		data, err := files.ReadLimited(name, a.Stdin, maxIdentity)
		if err != nil {
			return nil, err
		}
		found, err := a.parseIdentities(ctx, name, data)
		clear(data)
		if err != nil {
			return nil, inFile(name, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

func (a *app) parseIdentities(ctx context.Context, name string, data []byte) ([]age.Identity, error) {
	text := bytes.TrimSpace(data)
	switch {
	case isAgeFile(text):
		plain, err := a.openIdentities(ctx, name, text)
		defer clear(plain)
		if err != nil {
			return nil, err
		}
		return a.parseLines(ctx, plain)
	case bytes.HasPrefix(text, []byte("-----BEGIN")):
		identity, err := a.parseSSH(ctx, name, data)
		return []age.Identity{identity}, err
	}
	return a.parseLines(ctx, data)
}

// isAgeFile reports whether data is an age file, as bytes or in armor.
func isAgeFile(data []byte) bool {
	return bytes.HasPrefix(data, []byte("age-encryption.org/")) || bytes.HasPrefix(data, []byte(armor.Header))
}

// ageReader takes the armor off, if there is any.
func ageReader(data []byte) io.Reader {
	if bytes.HasPrefix(data, []byte(armor.Header)) {
		return armor.NewReader(bytes.NewReader(data))
	}
	return bytes.NewReader(data)
}

// openIdentities opens a file of identities that has a passphrase.
func (a *app) openIdentities(ctx context.Context, name string, data []byte) ([]byte, error) {
	passphrase, err := a.passphrase(ctx, name)
	if err != nil {
		return nil, err
	}
	defer clear(passphrase)
	identity, err := age.NewScryptIdentity(string(passphrase)) // age takes strings
	if err != nil {
		return nil, err
	}
	return openAge(data, identity)
}

// openAge decrypts a small age file. The caller clears the result.
func openAge(data []byte, identities ...age.Identity) ([]byte, error) {
	r, err := age.Decrypt(ageReader(data), identities...)
	if err != nil {
		return nil, fmt.Errorf("opening the age file: %w", err)
	}
	plain := make([]byte, maxIdentity)
	n, err := io.ReadFull(r, plain)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		clear(plain)
		return nil, fmt.Errorf("opening the age file: %w", err)
	}
	return plain[:n], nil
}

// parseLines reads identities one a line. Errors say where, never what: the
// line is secret.
func (a *app) parseLines(ctx context.Context, text []byte) (all []age.Identity, err error) {
	number := 0
	for line := range strings.Lines(string(text)) { // age takes strings
		number++
		line = strings.TrimSpace(line)
		var identity age.Identity
		switch {
		case line == "", strings.HasPrefix(line, "#"):
			continue
		case strings.HasPrefix(line, "AGE-PLUGIN-"):
			identity, err = plugin.NewIdentity(line, a.pluginUI(ctx))
		case strings.HasPrefix(line, "AGE-SECRET-KEY-PQ-"):
			identity, err = age.ParseHybridIdentity(line)
		case strings.HasPrefix(line, "AGE-SECRET-KEY-"):
			identity, err = age.ParseX25519Identity(line)
		case strings.HasPrefix(line, "age1"), strings.HasPrefix(line, "ssh-"):
			return nil, fmt.Errorf("line %d is a recipient; its identity is needed to open something", number)
		default:
			err = errors.New("")
		}
		if err != nil {
			return nil, fmt.Errorf("line %d is not an age identity", number)
		}
		all = append(all, identity)
	}
	if len(all) == 0 {
		return nil, errors.New("there is no age identity in it")
	}
	return all, nil
}

// parseSSH reads an ssh private key, and asks for its passphrase once it is
// known to be needed.
func (a *app) parseSSH(ctx context.Context, name string, data []byte) (age.Identity, error) {
	identity, err := agessh.ParseIdentity(data)
	missing, encrypted := errors.AsType[*ssh.PassphraseMissingError](err)
	if !encrypted {
		if err != nil {
			return nil, errors.New("not an ssh private key that age takes (ed25519 or RSA)")
		}
		return identity, nil
	}
	if missing.PublicKey == nil {
		return nil, errors.New("an encrypted ssh key in an old format, which hides its public half")
	}
	kept := bytes.Clone(data) // needed later
	return agessh.NewEncryptedSSHIdentity(missing.PublicKey, kept, func() ([]byte, error) { return a.passphrase(ctx, name) })
}

// pluginUI lets a plugin of age talk to the user.
func (a *app) pluginUI(ctx context.Context) *plugin.ClientUI {
	return &plugin.ClientUI{
		DisplayMessage: func(name, message string) error { a.say("%s plugin: %s", name, message); return nil },
		RequestValue: func(name, prompt string, _ bool) (string, error) {
			value, err := a.prompter().Secret(ctx, name+" plugin: "+prompt)
			defer clear(value)
			return string(value), err // age takes strings
		},
		Confirm: func(name, prompt, yes, no string) (bool, error) {
			if no == "" {
				a.say("%s plugin: %s", name, prompt)
				return true, nil
			}
			return a.prompter().Confirm(ctx, fmt.Sprintf("%s plugin: %s\nyes: %s, no: %s", name, prompt, yes, no))
		},
		WaitTimer: func(name string) { a.say("waiting for the %s plugin: a key may want to be touched", name) },
	}
}
