// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/internal/sshsig"
	"github.com/keymat/keymat/internal/term"
)

// A KeylessError says that the plan has no key of somebody who is to sign.
type KeylessError struct{ Person string } // ID

func (e *KeylessError) Error() string { return "the plan has no key for " + e.Person }

// Sign shows the digest of what is signed, once for all who sign it, has the person say where their key
// is, and checks the signature as whoever reads it will. What does not work is
// told, and asked again. Other errors: [*KeylessError], the prompter's.
func (c *Console) Sign(ctx context.Context, who plan.Person, namespace string, message []byte) ([]byte, error) {
	if who.Key == nil {
		return nil, &KeylessError{who.ID}
	}
	if digest := sha256.Sum256(message); digest != c.signing {
		c.signing = digest
		c.line(fmt.Sprintf("To be signed, as %s: SHA-256", namespace))
		c.digest(fmt.Sprintf("%x", digest))
	}
	prompt := c.to([]string{who.ID}, "how do you sign, with the key %s?", ssh.FingerprintSHA256(who.Key))
	for {
		how, err := c.Prompter.Choose(ctx, prompt, []term.Option{
			{Key: "1", Label: "with the ssh-agent, which has hardware keys too"},
			{Key: "2", Label: "with a key file"},
			{Key: "3", Label: "later, with ssh-keygen -Y sign on another machine"},
		})
		if err != nil || how == 2 {
			return nil, err
		}
		file := ""
		if how == 1 {
			if file, err = c.Prompter.Line(ctx, c.to([]string{who.ID}, "file with the private key")); err != nil {
				return nil, err
			}
			if file == "" {
				continue
			}
		}
		signature, err := c.sign(ctx, who, file, namespace, message)
		if err == nil {
			c.line(c.name(who.ID) + " has signed.")
			return signature, nil
		}
		if leaves(ctx, err) {
			return nil, err
		}
		c.warn("%v", err)
	}
}

func (c *Console) sign(ctx context.Context, who plan.Person, file, namespace string, message []byte) ([]byte, error) {
	signer, err := c.Keys.Signer(ctx, file, who.Key)
	if err != nil {
		return nil, err
	}
	signature, err := sshsig.Sign(message, namespace, signer)
	if err != nil {
		return nil, err
	}
	return signature, sshsig.Verify(message, signature, namespace, who.Key)
}

// leaves reports whether asking again would find nobody.
func leaves(ctx context.Context, err error) bool {
	_, gone := errors.AsType[*term.NoTerminalError](err)
	return ctx.Err() != nil || gone || errors.Is(err, term.ErrInterrupted)
}
