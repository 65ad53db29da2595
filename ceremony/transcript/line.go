// SPDX-License-Identifier: Apache-2.0

package transcript

import "github.com/keymat/keymat/ceremony/chain"

// The parts of a record that it has in common with every chain.
type (
	Entry   = chain.Entry[Event] // one line
	Context = chain.Context      // of a line: when, where in the script and by whom
	Digest  = chain.Digest

	Medium        = chain.Medium
	MediumError   = chain.MediumError
	DivergedError = chain.DivergedError

	Fault       = chain.Fault
	FaultError  = chain.FaultError
	SecretError = chain.SecretError
)

// MaxLine is the longest line in bytes.
const MaxLine = chain.MaxLine

// MaxFile is the largest record in bytes that is looked at.
const MaxFile = chain.MaxFile

func form() chain.Form[Event] {
	return chain.Form[Event]{
		Events:  events,
		Name:    Name,
		Resumed: func(r chain.Resumed) Event { return Resumed(r) },
		Torn: func(e Event) (chain.Resumed, bool) {
			r, ok := e.(Resumed)
			return chain.Resumed(r), ok
		},
	}
}
