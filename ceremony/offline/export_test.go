// SPDX-License-Identifier: Apache-2.0

package offline

import "crypto/rsa"

// UseTrialKey spares a test making a key for each of its machines.
func (m *Machine) UseTrialKey(key *rsa.PrivateKey) { m.trial = key }
