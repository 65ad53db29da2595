// SPDX-License-Identifier: Apache-2.0

package gap

import (
	"bytes"
	"fmt"
)

// Stamp makes of a file of another package, such as import parameters, that of a
// rehearsal: with another kind, so that its own readers refuse it. The files of
// real ceremonies stay as they are. An error is a [*FileError].
func Stamp(kind string, content []byte, rehearsal bool) ([]byte, error) {
	if !bytes.HasPrefix(content, opening(kind)) {
		return nil, &FileError{Kind: kind, Field: "kind", Reason: "something else"}
	}
	return restamp(content, kind, kindOf(kind, rehearsal)), nil
}

// Unstamp undoes [Stamp]. Errors: [*RehearsalError], [*FileError].
func Unstamp(kind string, content []byte, rehearsal bool) ([]byte, error) {
	switch spelt := kindOf(kind, rehearsal); {
	case bytes.HasPrefix(content, opening(spelt)):
		return restamp(content, spelt, kind), nil
	case bytes.HasPrefix(content, opening(kindOf(kind, !rehearsal))):
		return nil, &RehearsalError{Rehearsal: !rehearsal}
	}
	return nil, &FileError{Kind: kind, Field: "kind", Reason: "something else"}
}

// opening is how all our files begin.
func opening(kind string) []byte { return fmt.Appendf(nil, "{\n  \"kind\": %q,\n", kind) }

func restamp(content []byte, from, to string) []byte {
	return append(opening(to), content[len(opening(from)):]...)
}
