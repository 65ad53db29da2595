// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"fmt"
	"strconv"
	"time"
)

// schedules says what becomes of ScheduleKeyDeletion, of a request that may have
// faults of its own.
func (m *model) schedules(k *modelKey, days int, faults ...string) want {
	if w := refuses(append(faults, k.refusedWhen("PendingDeletion"))...); w.refused() {
		return w
	}
	k.deletion = m.now.Add(time.Duration(days) * day)
	return answers("KeyId", k.ref(), "KeyState", "PendingDeletion", "DeletionDate", inSeconds(k.deletion), "PendingWindowInDays", strconv.Itoa(days))
}

// able says what becomes of EnableKey and DisableKey.
func (k *modelKey) able(enabled bool) want {
	if w := refuses(k.refusedWhen("PendingImport", "PendingDeletion")); w.refused() {
		return w
	}
	k.disabled = !enabled
	return answers()
}

// cancels says what becomes of CancelKeyDeletion.
func (k *modelKey) cancels() want {
	if k.deletion.IsZero() {
		return refuses("KMSInvalidStateException: " + k.ref() + " is not pending deletion.")
	}
	k.deletion, k.disabled = time.Time{}, true
	return answers("KeyId", k.ref())
}

// createsAlias says what becomes of CreateAlias.
func (m *model) createsAlias(name string, a addressed) want {
	faults := []string{a.fault}
	if a.fault == "" {
		faults = append(faults, a.key.refusedWhen("PendingDeletion"))
	}
	if m.aliases[name] != nil {
		faults = append(faults, "AlreadyExistsException: "+anything)
	}
	if w := refuses(faults...); w.refused() {
		return w
	}
	m.aliases[name] = a.key
	return answers()
}

// updatesAlias says what becomes of UpdateAlias.
func (m *model) updatesAlias(name string, a addressed) want {
	faults, now := []string{a.fault, noAlias(m, name)}, m.aliases[name]
	if a.fault == "" {
		faults = append(faults, a.key.refusedWhen("PendingDeletion"))
		if now != nil && a.key.usage != now.usage {
			faults = append(faults, "ValidationException: "+anything) // assumed
		}
	}
	if w := refuses(faults...); w.refused() {
		return w
	}
	m.aliases[name] = a.key
	return answers()
}

// describes says what becomes of UpdateKeyDescription.
func (k *modelKey) describes(description string) want {
	if w := refuses(k.refusedWhen("PendingDeletion")); w.refused() {
		return w
	}
	k.description = description
	return answers()
}

// lists says how many keys ListKeys tells.
func (m *model) lists() want {
	n := 0
	for _, k := range m.keys {
		if !k.gone {
			n++
		}
	}
	w := answers("Truncated", "false", fmt.Sprint("Keys.", n), absent)
	if n > 0 {
		w = w.and(fmt.Sprint("Keys.", n-1, ".KeyArn"), anything)
	}
	return w
}
