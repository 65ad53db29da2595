// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/material"
)

// unlocking is what a command was given to open an escrow with. What is missing
// is asked for.
type unlocking struct {
	identities []string
	shares     []string
	keyFile    string
}

func (u *unlocking) register(c *cobra.Command) {
	u.registerShares(c)
	c.Flags().StringVar(&u.keyFile, "open-key", "", "open with the key in this `file`: 32 bytes, or 64 hexadecimal digits")
}

func (u *unlocking) registerShares(c *cobra.Command) {
	c.Flags().StringArrayVarP(&u.identities, "identity", "i", nil, "open with the age identities or the ssh key in this `file`; repeatable")
	c.Flags().StringArrayVar(&u.shares, "share", nil, "open with the shares in this `file`: words, what a QR code says, a card, or an age file for --identity; repeatable")
}

func (u unlocking) given() bool {
	return len(u.identities) > 0 || len(u.shares) > 0 || u.keyFile != ""
}

// unlock opens an escrow in the way its profile asks for.
func (a *app) unlock(ctx context.Context, name string, f *escrow.File, u unlocking) (*material.Material, error) {
	switch {
	case f.Profile == escrow.Recipients:
		if len(u.identities) == 0 {
			return nil, &noIdentityError{recipients: f.Recipients}
		}
		identities, err := a.identities(ctx, u.identities)
		if err != nil {
			return nil, err
		}
		return f.Open(identities...)
	case f.Profile == escrow.Passphrase:
		passphrase, err := a.passphrase(ctx, name)
		if err != nil {
			return nil, err
		}
		secret := material.NewSecret(passphrase)
		defer secret.Destroy()
		defer a.busy("stretching the passphrase")()
		return f.OpenPassphrase(secret)
	case u.keyFile != "":
		key, err := a.readKey(u.keyFile)
		if err != nil {
			return nil, err
		}
		defer key.Destroy()
		return f.OpenKey(key)
	case f.Profile == escrow.FIPSKey:
		return nil, &noKeyError{}
	}
	key, _, err := a.combine(ctx, f, u)
	if err != nil {
		return nil, err
	}
	defer key.Destroy()
	return f.OpenKey(key)
}

// noIdentityError says that an escrow for recipients was to be opened without
// an identity.
type noIdentityError struct{ recipients []string }

func (e *noIdentityError) Error() string {
	return fmt.Sprintf("the escrow opens with the identity of %s", list(e.recipients))
}

// noKeyError says that an escrow under a key was to be opened without it.
type noKeyError struct{}

func (*noKeyError) Error() string { return "the escrow opens with the key it was sealed under" }

// readKey reads a key of 32 bytes: as they are, or in hexadecimal.
func (a *app) readKey(name string) (material.Secret, error) {
	const length = 32
	data, err := files.ReadLimited(name, a.Stdin, 2*length+2) // CRLF
	if err != nil {
		return material.Secret{}, err
	}
	if len(data) == length {
		return material.NewSecret(data), nil
	}
	defer clear(data)
	key := make([]byte, length)
	digits := bytes.TrimRight(data, "\r\n")
	if len(digits) == 2*length {
		if _, err := hex.Decode(key, digits); err == nil {
			return material.NewSecret(key), nil
		}
	}
	return material.Secret{}, fmt.Errorf("%s: %d bytes that are neither a key of %d bytes nor its %d hexadecimal digits", name, len(data), length, 2*length)
}
