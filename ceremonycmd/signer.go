// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/spf13/cobra"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
)

const envAgent = "SSH_AUTH_SOCK"

// maxPrivateKey is in bytes; a large one has three thousand.
const maxPrivateKey = 64 << 10

// signingAs says who signs, and with what.
type signingAs struct {
	person  string
	keyFile string
}

func (s *signingAs) register(c *cobra.Command) {
	c.Flags().StringVar(&s.person, "as", "", "`ID` of the person in the plan who signs")
	c.Flags().StringVar(&s.keyFile, "key", "", "`file` with the ssh private key (default: ask the ssh-agent)")
	c.MarkFlagRequired("as")
}

// of is who signs, of the people in a plan.
func (s *signingAs) of(p *plan.Plan) (plan.Person, error) {
	who, ok := p.Person(s.person)
	switch {
	case !ok:
		return who, cli.Usagef("--as: nobody in the plan is called %q", s.person)
	case who.Key == nil:
		return who, cli.Usagef("--as: the plan has no key for %s", s.person)
	}
	return who, nil
}

// An otherKeyError says that a key file holds another key than the plan names.
type otherKeyError struct{ want, got string } // fingerprints

func (e *otherKeyError) Error() string {
	return fmt.Sprintf("the plan names the key %s, this is %s", e.want, e.got)
}

// A noAgentError says that no ssh-agent has the key.
type noAgentError struct {
	key string // fingerprint
	err error  // why the agent could not be asked, if that was the reason
}

func (e *noAgentError) Error() string {
	if e.err != nil {
		return fmt.Sprintf("asking the ssh-agent for the key %s: %v", e.key, e.err)
	}
	return fmt.Sprintf("the ssh-agent does not have the key %s", e.key)
}

func (e *noAgentError) Unwrap() error { return e.err }

// signer finds the private half of a key: in a file, or with the ssh-agent.
func (a *app) signer(ctx context.Context, file string, key ssh.PublicKey) (ssh.Signer, error) {
	if file == "" {
		return a.agentSigner(ctx, key)
	}
	signer, err := a.fileSigner(ctx, file)
	if err != nil {
		return nil, cli.InFile(file, err)
	}
	if !bytes.Equal(signer.PublicKey().Marshal(), key.Marshal()) {
		return nil, cli.InFile(file, &otherKeyError{ssh.FingerprintSHA256(key), ssh.FingerprintSHA256(signer.PublicKey())})
	}
	return signer, nil
}

// fileSigner reads a private key. What the parser says about a bad one may
// quote it, and is kept back.
func (a *app) fileSigner(ctx context.Context, name string) (ssh.Signer, error) {
	data, err := files.ReadLimited(name, a.Stdin, maxPrivateKey)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	signer, err := ssh.ParsePrivateKey(data)
	if _, ok := errors.AsType[*ssh.PassphraseMissingError](err); ok {
		passphrase, err := a.Passphrase(ctx, name)
		if err != nil {
			return nil, err
		}
		defer clear(passphrase)
		if signer, err = ssh.ParsePrivateKeyWithPassphrase(data, passphrase); err != nil {
			return nil, errors.New("the passphrase does not open this ssh key")
		}
		return signer, nil
	}
	if err != nil {
		return nil, errors.New("not an ssh private key that can be used from a file")
	}
	return signer, nil
}

// agentSigner asks the ssh-agent for one of its keys.
func (a *app) agentSigner(ctx context.Context, key ssh.PublicKey) (ssh.Signer, error) {
	fingerprint := ssh.FingerprintSHA256(key)
	socket := a.Getenv(envAgent)
	if socket == "" {
		return nil, &noAgentError{fingerprint, fmt.Errorf("%s is not set", envAgent)}
	}
	// Not Dial, which links all that finds and calls other machines as well.
	conn, err := (&net.Dialer{}).DialUnix(ctx, "unix", nil, &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		return nil, &noAgentError{fingerprint, err}
	}
	a.AtEnd(conn.Close)
	signers, err := agent.NewClient(conn).Signers()
	if err != nil {
		return nil, &noAgentError{fingerprint, err}
	}
	for _, s := range signers {
		if bytes.Equal(s.PublicKey().Marshal(), key.Marshal()) {
			return s, nil
		}
	}
	return nil, &noAgentError{key: fingerprint}
}
