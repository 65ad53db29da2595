// SPDX-License-Identifier: Apache-2.0

// Package gap has the files that cross the gap between the offline machine of a
// ceremony and those that talk to KMS:
//
//	bundle    what two people fetched for targets of the plan, each by the digest of its "keymat/params" file
//	package   what was wrapped for them, each by the digest of its "keymat/wrapped" file
//	seal      that the material is recoverable: the escrow, its copies, and the shares that were read back
//	manifest  every file on a medium, written last; a medium with a file too many, too few or altered is refused
//
// A bundle and a package each cover all targets, so that one digest is read aloud
// for them. Import parameters, wrapped material and escrows keep their own
// formats, those of the packages token and escrow.
//
// The files are JSON and have one spelling, byte for byte. What comes of a
// rehearsal says so in its kind, "keymat/rehearsal-bundle" for "keymat/bundle",
// and once more in a field: no reader takes the one for the other, the readers of
// token and escrow included.
//
// The package is pure: media are handed to it as [io/fs.FS].
package gap
