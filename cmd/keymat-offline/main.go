// SPDX-License-Identifier: Apache-2.0

// Command keymat-offline holds key ceremonies where there is no network. It is a program of its own so that there is no code
// for one in it.
package main

import (
	"os"

	"github.com/keymat/keymat/ceremonycmd"
)

func main() { os.Exit(ceremonycmd.Main()) }
