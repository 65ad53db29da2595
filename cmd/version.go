// SPDX-License-Identifier: Apache-2.0

package cmd

import "github.com/keymat/keymat/internal/cli"

func thisVersion() cli.Version { return cli.ThisVersion() }
