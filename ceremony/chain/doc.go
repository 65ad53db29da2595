// SPDX-License-Identifier: Apache-2.0

// Package chain is a file of lines that are added and never changed, each bound
// to the one before it.
//
// A chain is JSON Lines in UTF-8. Each line is one object:
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
// What the events are, and in which order they come, is the business of the
// packages that keep chains: a [Form] tells. After a line that was cut off, by a
// power cut say, comes one that tells of the bytes of that line, which stay and
// have their place in the chain: see [Resumed]. That lines are missing at the end
// leaves no trace in a chain.
//
// Text that looks like a secret is refused.
//
// The package is pure: it is handed the media to write to, and the time.
package chain
