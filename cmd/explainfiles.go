// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"errors"
	"strings"

	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

// explainFiles covers files of the procedure that are others than were asked for, above all those that were made by hand.
func explainFiles(err error) (cli.Advice, bool) {
	if e, ok := errors.AsType[*token.FileError](err); ok && (e.Field == "" || e.Field == "kind") {
		return explainKind(e)
	}
	if e, ok := errors.AsType[*wrap.PublicKeyError](err); ok {
		return explainWrappingKey(e.Found)
	}
	if _, ok := errors.AsType[*wrap.EncryptedLengthError](err); ok {
		return hint("give the raw bytes, not base64, and the parameters of the very fetch that they were wrapped for: keymat fetch --from-dir reads what was downloaded by hand"), true
	}
	if e, ok := errors.AsType[*material.LengthError](err); ok {
		return explainLength(e)
	}
	return cli.Advice{}, false
}

func explainKind(e *token.FileError) (cli.Advice, bool) {
	switch {
	case e.Kind == token.KindWrapped && strings.Contains(e.Reason, token.KindParameters):
		return hint("wrap the material first: keymat wrap --material FILE --params PARAMS --out wrapped.json"), true
	case e.Kind == token.KindParameters && strings.Contains(e.Reason, token.KindWrapped):
		return hint("it is wrapped already: keymat import --wrapped FILE"), true
	case e.Kind == token.KindWrapped:
		return hint("keymat wrap --out writes such a file; bare ciphertext goes with --params params.json --encrypted FILE"), true
	case e.Kind == token.KindParameters:
		return hint("keymat fetch KEY --out params.json writes such a file; of what the AWS CLI or the console downloaded, too, with --from-dir or --from-zip"), true
	}
	return cli.Advice{}, false
}

func explainWrappingKey(found string) (cli.Advice, bool) {
	switch {
	case strings.Contains(found, "PEM"):
		return hint("make DER of it: openssl pkey -pubin -in FILE -outform DER -out WrappingPublicKey.bin"), true
	case strings.Contains(found, "base64"):
		return hint("decode it: openssl enc -d -base64 -A -in FILE -out WrappingPublicKey.bin, and the import token likewise"), true
	}
	return cli.Advice{}, false
}

func explainLength(e *material.LengthError) (cli.Advice, bool) {
	if e.TrailingNewline && e.Min == e.Max && e.Encoding == material.Raw {
		return hint("leave out the line break: head -c %d FILE > NEW", e.Min), true
	}
	return hint("a file holds the bytes as they are, or once in hex or base64; keymat inspect FILE says what it is"), true
}
