// SPDX-License-Identifier: Apache-2.0

// Command keymat brings your own key material into AWS KMS.
package main

import (
	"os"

	"github.com/keymat/keymat/cmd"
)

func main() { os.Exit(cmd.Main()) }
