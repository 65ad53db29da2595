// SPDX-License-Identifier: Apache-2.0

// Package entropy makes key material from more than one source of randomness, and says honestly what may be claimed of it.
//
// [Commit] takes what people threw, or a file from a generator they trust more than this machine's, and the material that
// [Mix.Generate] then makes is at least as unpredictable as that of crypto/rand alone. [Combine] makes material of full-length
// components that custodians bring, each of whom alone knows nothing of the result. [Record] is what is kept of either: never a
// throw, a component or a key.
//
// The constructions follow SP 800-133r2 section 6.3 (combining keys and other data) in form; that is no claim that a validated
// module performs them. testdata/vectors.json lets any other program reproduce them.
package entropy
