// SPDX-License-Identifier: Apache-2.0

package transcript

import _ "embed"

//go:embed verify.sh
var shell string

// Shell is a script that checks the folder of a ceremony with sha256sum and
// ssh-keygen alone, for those who do not trust this program.
func Shell() string { return shell }
