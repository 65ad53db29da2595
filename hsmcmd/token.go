// SPDX-License-Identifier: Apache-2.0

package hsmcmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/hsm"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
)

// tokenFlags say which token is meant, and how to log in.
type tokenFlags struct {
	module    string
	token     string
	pinFile   string
	soPINFile string
}

func (f *tokenFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.module, "module", "", "`file` with the PKCS #11 library of the token's maker")
	c.Flags().StringVar(&f.token, "token", "", "`label` of the token, where there is more than one")
	c.Flags().StringVar(&f.pinFile, "pin-file", "", "read the user's PIN from this `file` or descriptor; - for standard input (default: ask)")
	cli.Require(c, "module")
}

// registerTrusted is for commands that wrap.
func (f *tokenFlags) registerTrusted(c *cobra.Command, trusted *bool) {
	c.Flags().BoolVar(trusted, "trusted", false, "let the security officer trust the wrapping key first: for keys generated with --wrap-with-trusted")
	c.Flags().StringVar(&f.soPINFile, "so-pin-file", "", "read the security officer's PIN from this `file` or descriptor (default: ask)")
}

// open loads the library and opens the token, both until the run ends.
func (a *app) open(f tokenFlags) (*hsm.Token, error) {
	library, err := a.load(f.module)
	if err != nil {
		return nil, err
	}
	token, err := hsm.Open(library, f.token)
	if err != nil {
		return nil, err
	}
	a.AtEnd(token.Close)
	if token.Info.SoftHSM() && !a.Quiet {
		a.Say("%s is SoftHSM, a program: its keys lie in files, and are as safe as those", describe(token.Info))
	}
	return token, nil
}

func (a *app) load(file string) (Library, error) {
	library, err := a.loader(file)
	if err != nil {
		return nil, err
	}
	a.AtEnd(library.Close)
	return library, nil
}

func describe(i hsm.TokenInfo) string { return fmt.Sprintf("token %q", i.Label) }

// login logs a user in, with the PIN from its file or from the terminal.
func (a *app) login(ctx context.Context, t *hsm.Token, user hsm.User, pinFile string) error {
	if t.LastTry(user) {
		a.Warn("one more wrong PIN locks out the %s of %s", user, describe(t.Info))
	}
	pin, err := a.pin(ctx, t, user, pinFile)
	if err != nil {
		return err
	}
	defer clear(pin)
	return t.Login(user, pin)
}

// maxPIN is in bytes; PINs are a line of text.
const maxPIN = 256

func (a *app) pin(ctx context.Context, t *hsm.Token, user hsm.User, file string) ([]byte, error) {
	if file == "" {
		return a.Asker().Secret(ctx, fmt.Sprintf("PIN of the %s of %s", user, describe(t.Info)))
	}
	pin, err := files.ReadLimited(file, a.Stdin, maxPIN)
	if err != nil {
		return nil, err
	}
	pin = bytes.TrimRight(pin, "\r\n")
	if len(pin) == 0 {
		return nil, &noPINError{file: file}
	}
	return pin, nil
}

// noPINError says that a file for a PIN is empty.
type noPINError struct{ file string }

func (e *noPINError) Error() string { return e.file + ": there is no PIN in it" }

// loggedIn opens the token and logs its user in.
func (a *app) loggedIn(ctx context.Context, f tokenFlags) (*hsm.Token, error) {
	t, err := a.open(f)
	if err != nil {
		return nil, err
	}
	return t, a.login(ctx, t, hsm.OrdinaryUser, f.pinFile)
}

var errBothStdin = errors.New("--pin-file - and --so-pin-file - both want standard input")

// bothFromStdin reports that there are two PINs and one standard input.
func (f tokenFlags) bothFromStdin() bool {
	return f.pinFile == files.Stdin && f.soPINFile == files.Stdin
}

// tokenResult is how a token appears in results.
type tokenResult struct {
	Label    string `json:"label"`
	Maker    string `json:"maker"`
	Model    string `json:"model"`
	Serial   string `json:"serial"`
	Firmware string `json:"firmware"`
	Hardware string `json:"hardware"`
	SoftHSM  bool   `json:"softhsm,omitempty"`
}

func resultOf(i hsm.TokenInfo) tokenResult {
	return tokenResult{
		Label: i.Label, Maker: i.Manufacturer, Model: i.Model, Serial: i.Serial,
		Firmware: i.Firmware, Hardware: i.Hardware, SoftHSM: i.SoftHSM(),
	}
}

// words names a token in a line.
func (r tokenResult) words() string {
	if r.SoftHSM {
		return fmt.Sprintf("%s (SoftHSM %s, a program)", r.Label, r.Firmware)
	}
	return fmt.Sprintf("%s (%s %s, firmware %s)", r.Label, r.Maker, r.Model, r.Firmware)
}
