// SPDX-License-Identifier: Apache-2.0

// Package register is what an organisation knows of its keys after their
// ceremonies: their states, where they are, and what has to be done about them
// when.
//
// A register is a chain of lines, see package chain, whose first is "open". Each
// other line is about one key: "add" says what the evidence of a ceremony showed,
// "state" moves the key from one state of NIST SP 800-57 to another, "drill" tells
// of an exercise in recovery, and "schedule" sets the days until which the key may
// be used to protect, by which it is reviewed, and how often it is drilled. Nothing
// in it is secret, and nothing signs it: it refers to evidence that is signed.
//
// The package is pure. Package disk keeps a register in a file.
package register
