// SPDX-License-Identifier: Apache-2.0

// Package slip39 shares a secret among people as words, as SLIP-0039 ("Shamir's Secret-Sharing for Mnemonic Codes") says.
//
// [Split] makes shares of one group: any k of n people bring the secret back. [Combine] takes every share that follows the
// standard: sets of several groups, any iteration exponent, passphrases, the form before extendable backups.
//
// Three bounds on what the scheme promises. Fewer than k shares leave 2^224 of 2^256 values open rather than all, because the
// standard shares a 4-byte digest along with the secret. The checksum finds any three wrong words and misses one in 2^30 of
// other mistakes. And a share that somebody made up with a right checksum is only found when the secret is wrong (the digest):
// naming that share takes a commitment from outside.
//
// Field arithmetic has no secret-dependent branches or addresses. Turning values into words and back does index the word list.
package slip39
