// SPDX-License-Identifier: Apache-2.0

package wrap

import (
	"slices"

	"github.com/keymat/keymat/material"
)

// A row says under which wrapping keys KMS takes material of some specs. SHA-1 and SHA-256 never differ in this, so an
// algorithm is either direct (RSAES_OAEP_*) or hybrid (RSA_AES_KEY_WRAP_*).
type row struct {
	specs  []material.Spec
	direct []KeySpec
	hybrid []KeySpec
	why    string // what is refused, and the reason if one is known; empty if nothing is
}

// table is what KMS accepts. "Guide" is the KMS Developer Guide, "Importing key material step 2"; "recorded" is what
// GetParametersForImport answered in September 2026, and wins; "assumed" was neither documented nor observed.
//
//   - SYMMETRIC_DEFAULT and HMAC: direct only (guide). Recorded: SYMMETRIC_DEFAULT refused under RSA_AES_KEY_WRAP_SHA_256.
//   - P-256, P-384, secp256k1: everything (guide).
//   - P-521: all but direct under RSA_2048 (guide; recorded for RSAES_OAEP_SHA_256), hybrid recorded under RSA_3072.
//   - Ed25519: the guide is silent. Recorded: RSAES_OAEP_SHA_256 refused under RSA_2048, though the 48 bytes of its
//     PKCS #8 would fit the 190, and accepted under RSA_3072. Assumed: SHA-1 as SHA-256, RSA_4096 as RSA_3072, hybrid
//     as the guide has it for every other ECC key.
//   - RSA: hybrid only (guide). Recorded: RSAES_OAEP_SHA_256 refused, RSA_AES_KEY_WRAP_SHA_256 accepted.
var table = []row{
	{
		specs: []material.Spec{material.SymmetricDefault, material.HMAC224, material.HMAC256, material.HMAC384,
			material.HMAC512},
		direct: []KeySpec{RSA4096, RSA3072, RSA2048},
		why:    "symmetric and HMAC material goes under RSAES_OAEP only",
	},
	{
		specs:  []material.Spec{material.ECCNISTP256, material.ECCNISTP384, material.ECCSECGP256K1},
		direct: []KeySpec{RSA4096, RSA3072, RSA2048},
		hybrid: []KeySpec{RSA4096, RSA3072, RSA2048},
	},
	{
		specs:  []material.Spec{material.ECCNISTP521},
		direct: []KeySpec{RSA4096, RSA3072},
		hybrid: []KeySpec{RSA4096, RSA3072, RSA2048},
		why:    "its PKCS #8 is too long for RSAES_OAEP under RSA_2048",
	},
	{
		specs:  []material.Spec{material.ECCNISTEdwards25519},
		direct: []KeySpec{RSA4096, RSA3072},
		hybrid: []KeySpec{RSA4096, RSA3072, RSA2048},
		why:    "KMS was observed to refuse RSAES_OAEP under RSA_2048 for it",
	},
	{
		specs:  []material.Spec{material.RSA2048, material.RSA3072, material.RSA4096},
		hybrid: []KeySpec{RSA4096, RSA3072, RSA2048},
		why:    "RSA private keys are too long for RSAES_OAEP",
	},
}

// find returns the row of spec; ok is false if KMS does not import it.
func find(spec material.Spec) (_ row, ok bool) {
	i := slices.IndexFunc(table, func(r row) bool { return slices.Contains(r.specs, spec) })
	if i < 0 {
		return row{}, false
	}
	return table[i], true
}

// accepts is for pairs of known halves.
func (r row) accepts(p Pair) bool {
	if p.Algorithm.Hybrid() {
		return slices.Contains(r.hybrid, p.KeySpec)
	}
	return slices.Contains(r.direct, p.KeySpec)
}
