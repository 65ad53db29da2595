// SPDX-License-Identifier: Apache-2.0

// Package hsm is the cryptography of the mock KMS: what the hardware security
// modules do behind the real service. It parses imported and generated key
// material, performs the data plane on it, seals symmetric ciphertexts and
// import tokens, and unwraps what is imported.
//
// It holds no state, reads no clock and knows no wire format: everything comes
// in as arguments. Keys and ciphers are immutable once made and safe for
// concurrent use, so that a caller may parse once and keep them.
//
// The package is written apart from the toolkit it judges (material, wrap and
// token): it shares neither code nor tables with them, so that a mistake there
// cannot excuse itself here. Where the behaviour of AWS KMS was recorded the
// comments say "recorded"; where it was not, the stricter reading is taken,
// because a mock that accepts more than KMS hides mistakes.
//
// It offers no protection: keys live in ordinary memory. Never put material
// into it that protects anything.
package hsm
