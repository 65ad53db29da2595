// SPDX-License-Identifier: Apache-2.0

package hsmcmd

import (
	"errors"
	"io/fs"

	"github.com/keymat/keymat/ceremony/intoken"
	"github.com/keymat/keymat/ceremony/offline"
	"github.com/keymat/keymat/ceremonycmd"
	"github.com/keymat/keymat/hsm"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/internal/term"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

func usagef(format string, args ...any) error { return cli.Usagef(format, args...) }

func hint(format string, args ...any) cli.Advice { return cli.Hint(format, args...) }

// explain finds the advice for an error: packages below state facts, and only here do we know what the user can type next.
func explain(err error) cli.Advice {
	if cli.Interrupted(err) {
		return cli.Advice{Hints: explainCause(err).Hints, Exit: cli.ExitInterrupted}
	}
	if advice, ok := cli.ExplainUsage(program, err); ok {
		return advice
	}
	if _, ok := errors.AsType[*cli.NoError](err); ok {
		return cli.Advice{Exit: cli.ExitNo}
	}
	return explainCause(err)
}

func explainCause(err error) cli.Advice {
	for _, explain := range []func(error) (cli.Advice, bool){explainInCeremony, explainWrapping, explainKey, explainToken, explainHeld, explainLocal} {
		if advice, ok := explain(err); ok {
			return advice
		}
	}
	return cli.Advice{Exit: cli.ExitFailed}
}

// explainInCeremony covers what has another remedy in a ceremony than elsewhere.
func explainInCeremony(err error) (cli.Advice, bool) {
	if _, ok := errors.AsType[*offline.NoKeyError](err); ok {
		return hint("put in the token of the ceremony, or a backup of it; where the key is lost before it was sealed, void it and make another"), true
	}
	if _, ok := errors.AsType[*offline.OrphanError](err); ok {
		return hint("find out whose key it is; no ceremony uses it"), true
	}
	if _, ok := errors.AsType[*intoken.NoFingerprintError](err); ok {
		return hint("without a check value nobody can tell the key from another: take a token that makes it"), true
	}
	if _, ok := errors.AsType[*hsm.NoMACError](err); ok {
		return hint("without a MAC nobody can see that KMS has the key: take a token that computes it"), true
	}
	return cli.Advice{}, false
}

// explainHeld covers the ceremony around the token.
func explainHeld(err error) (cli.Advice, bool) { return ceremonycmd.Explain(program, err) }

// explainWrapping covers what stands between a key and KMS.
func explainWrapping(err error) (cli.Advice, bool) {
	if e, ok := errors.AsType[*unableForKeyError](err); ok && len(e.unable.Able) > 0 {
		return hint("fetch for what the token was seen to do: keymat fetch %s --algorithm %s --out params.json --force", e.keyARN, e.unable.Able[0]), true
	}
	if _, ok := errors.AsType[*hsm.UnableError](err); ok {
		return hint("keymat-hsm info --try says what the token can do for which key; keymat-hsm copy keeps a copy under a key of your own"), true
	}
	if e, ok := errors.AsType[*token.ExpiredError](err); ok {
		return hint("fetch new parameters and wrap again: keymat fetch %s --out params.json", e.KeyARN), true
	}
	if _, ok := errors.AsType[*hsm.UntrustedError](err); ok {
		return hint("wrap with --trusted, and have the security officer at hand"), true
	}
	if _, ok := errors.AsType[*hsm.UnextractableError](err); ok {
		return hint("whether a key may be wrapped is decided when it is made: keymat-hsm generate makes those that may"), true
	}
	if _, ok := errors.AsType[*wrap.PublicKeyError](err); ok {
		return hint("openssl rsa -pubout -in PRIVATE_KEY writes such a public key"), true
	}
	return cli.Advice{}, false
}

// explainKey covers the keys of a token.
func explainKey(err error) (cli.Advice, bool) {
	if _, ok := errors.AsType[*hsm.LabelTakenError](err); ok {
		return hint("choose another label; keymat-hsm list shows those that are taken"), true
	}
	if e, ok := errors.AsType[*hsm.NoKeyError](err); ok {
		if e.Count > 1 {
			return hint("give them different labels with a tool of the token's maker, or with pkcs11-tool"), true
		}
		return hint("keymat-hsm list shows what there is"), true
	}
	if _, ok := errors.AsType[*hsm.SpecError](err); ok {
		return hint("keymat-hsm list says which key spec each key is material of"), true
	}
	if _, ok := errors.AsType[*hsm.AttributeError](err); ok {
		return hint("the key was destroyed again; do not make keys in this token that have to be kept so"), true
	}
	if e, ok := errors.AsType[*material.UnsupportedSpecError](err); ok && e.Spec != "" {
		return hint("keymat generate --help names the key specs that KMS imports"), true
	}
	return cli.Advice{}, false
}

// explainToken covers the token itself and its library.
func explainToken(err error) (cli.Advice, bool) {
	if e, ok := errors.AsType[*hsm.PINError](err); ok {
		switch {
		case e.Locked && e.User == hsm.OrdinaryUser:
			return hint("the security officer can set a new one, with a tool of the token's maker"), true
		case e.Locked:
			return hint("ask the maker of the token: often it can only be initialized again, which destroys its keys"), true
		}
		return hint("try again, but not often: tokens lock themselves after a few wrong PINs"), true
	}
	if _, ok := errors.AsType[*noPINError](err); ok {
		return hint("the file holds the PIN and nothing else, on one line"), true
	}
	if e, ok := errors.AsType[*hsm.NoTokenError](err); ok {
		if len(e.Labels) == 0 {
			return hint("put the token in; a new one is initialized with a tool of its maker, such as softhsm2-util --init-token"), true
		}
		return hint("name one of them with --token"), true
	}
	if _, ok := errors.AsType[*hsm.LoadError](err); ok {
		return hint("it takes a shared library for this machine, such as /usr/lib/softhsm/libsofthsm2.so"), true
	}
	if hsm.Gone(err) {
		return hint("put the token back in, and run it again; nothing was written"), true
	}
	return cli.Advice{}, false
}

// explainLocal covers files and terminals of this machine.
func explainLocal(err error) (cli.Advice, bool) {
	if _, ok := errors.AsType[*files.ExistsError](err); ok {
		return hint("name another file, or overwrite it with --force"), true
	}
	if _, ok := errors.AsType[*term.NoTerminalError](err); ok {
		return hint("run it in a terminal; elsewhere --pin-file gives the PIN, and --yes answers confirmations"), true
	}
	if errors.Is(err, fs.ErrPermission) {
		return hint("look at who owns the file and its folder"), true
	}
	if errors.Is(err, fs.ErrNotExist) {
		return hint("look for the file; the library of SoftHSM is /usr/lib/softhsm/libsofthsm2.so on Debian"), true
	}
	return cli.Advice{}, false
}
