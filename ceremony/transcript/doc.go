// SPDX-License-Identifier: Apache-2.0

// Package transcript is the record of a key ceremony: lines that are added and
// never changed, each bound to the one before it.
//
// A record is JSON Lines in UTF-8. Each line is one object:
//
//	seq     the number of lines before it
//	prev    the SHA-256 of the line before, without its newline, in hexadecimal; of the first line 64 zeros
//	time    when the machine that wrote it believed it to be, RFC 3339 in UTC
//	wall    what a witness read off the wall clock, where somebody did
//	step    of the written script, where there is one
//	actors  IDs of the people whose doing it is
//	event   what happened
//	data    what there is to say about it
//
// The first event is "open" and the last is "close": lines that are missing at
// the end would leave no trace in the chain. After a line that was cut off, by a
// power cut say, comes "resume" and tells of the bytes of that line, which stay
// and have their place in the chain. The [Head] binds the number of lines and the digest of the last; it is
// what people sign, with ssh keys, in [Namespace].
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
