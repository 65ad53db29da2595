// SPDX-License-Identifier: Apache-2.0

// Package transcript is the record of a key ceremony: lines that are added and
// never changed, each bound to the one before it, as package chain has them.
//
// The first event is "open" and the last is "close": lines that are missing at
// the end would leave no trace in the chain. After a line that was cut off comes "resume". The [Head]
// binds the number of lines and the digest of the last; it is what people sign, with
// ssh keys, in [Namespace].
//
// A ceremony that goes on after a record was closed, on another machine or another
// day, has a further record, whose first line binds the end of the one before:
// see [Part].
//
// No type of event has room for bytes, or for anything that could hold a secret
// but text, and text that looks like one is refused.
//
// The package is pure: it is handed the media to write to, and the time.
package transcript
