// SPDX-License-Identifier: Apache-2.0

// Package phase is the state of a key ceremony, as its records tell it, and the
// rules of what may come next.
//
// A ceremony goes through the phases
//
//	PLANNED → OPEN → GENERATED → ESCROWED → SHARES_ISSUED → SHARES_CONFIRMED →
//	SEALED → WRAPPED(n) → CLOSED → IMPORTED(n) → VERIFIED(n)
//
// and from any of them before SEALED to VOID. One that is held to deal new shares
// begins at SEALED, with the escrow of an earlier one, and one that is held to
// destroy goes from there to DISCARDED(n): see plan.Purpose.
//
// Nothing is kept of that beside the records: [Fold] reads the state from their
// lines, so that a state exists only if its line does. [State.Check] says before a
// step whether its line could be added, and [State.Next] what is to be done, where
// and by whom.
//
// Eight rules see to it that nothing is lost, whatever breaks when: see [Rule].
//
// The package is pure.
package phase
