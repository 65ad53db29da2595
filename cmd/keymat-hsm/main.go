// SPDX-License-Identifier: Apache-2.0

//go:build cgo

// Command keymat-hsm makes key material inside a PKCS #11 token and wraps it there for AWS KMS. It is a program of its own
// because it needs cgo, and runs the code of the token's maker.
package main

import (
	"os"

	"github.com/keymat/keymat/hsm/cryptoki"
	"github.com/keymat/keymat/hsmcmd"
)

func main() {
	os.Exit(hsmcmd.Main(func(file string) (hsmcmd.Library, error) { return cryptoki.Load(file) }))
}
