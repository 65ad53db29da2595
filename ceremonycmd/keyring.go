// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
)

// keyring is the ssh keys that people bring: they sign with them, and open what was
// encrypted to them.
type keyring struct{ app *app }

// Signer is the signer of ceremony plan sign.
func (k keyring) Signer(ctx context.Context, file string, key ssh.PublicKey) (ssh.Signer, error) {
	return k.app.signer(ctx, file, key)
}

// Open opens an age file with the ssh private key in a file: plans name no other
// keys. The caller clears the result.
func (k keyring) Open(ctx context.Context, encrypted []byte, file string) ([]byte, error) {
	data, err := files.ReadLimited(file, nil, maxPrivateKey)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	identity, err := k.identity(ctx, file, data)
	if err != nil {
		return nil, cli.InFile(file, err)
	}
	r, err := age.Decrypt(bytes.NewReader(encrypted), identity)
	if err != nil {
		return nil, fmt.Errorf("opening the age file: %w", err)
	}
	plain := make([]byte, escrow.MaxShareText) // never grows, which would leave copies
	n, err := io.ReadFull(r, plain)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		clear(plain)
		return nil, fmt.Errorf("opening the age file: %w", err)
	}
	return plain[:n], nil
}

// identity reads a private key, and asks for its passphrase once that is needed.
// What the parser says about a bad one may quote it, and is kept back.
func (k keyring) identity(ctx context.Context, name string, data []byte) (age.Identity, error) {
	identity, err := agessh.ParseIdentity(data)
	missing, encrypted := errors.AsType[*ssh.PassphraseMissingError](err)
	switch {
	case err == nil:
		return identity, nil
	case !encrypted:
		return nil, errors.New("not an ssh private key that age takes (ed25519 or RSA)")
	case missing.PublicKey == nil:
		return nil, errors.New("an encrypted ssh key in an old format, which hides its public half")
	}
	return agessh.NewEncryptedSSHIdentity(missing.PublicKey, bytes.Clone(data), func() ([]byte, error) { return k.app.Passphrase(ctx, name) })
}
