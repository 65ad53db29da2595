// SPDX-License-Identifier: Apache-2.0

package entropy

import "fmt"

// Claims are the sentences that may be said of the material, and no more: they follow from the record, and are part of version 1
// of its format. Of the bytes of the key itself there is none, for 256 bits cannot be tested: every value is equally likely.
func (r Record) Claims() (claims []string) {
	if r.RNG != nil {
		claims = r.RNG.claims(r.Method)
	}
	if s := r.Sample; s != nil && s.Passed() {
		claims = append(claims, fmt.Sprintf(
			"a separate sample of %d bytes from the same source showed no stuck or grossly biased output (RCT >= %d, APT >= %d of %d for H = 8, alpha = 2^-40)",
			s.Bytes, s.RunCutoff, s.WindowCutoff, s.Window))
	}
	for _, in := range r.Inputs {
		what := fmt.Sprintf("%d throws of %s", in.Count, in.Kind)
		if in.Kind == File {
			what = fmt.Sprintf("%d bytes of a file", in.Count)
		}
		claims = append(claims, what+" mixed in; the key is at least as unpredictable as the generator alone")
	}
	if len(r.Components) > 0 {
		claims = append(claims, fmt.Sprintf("combined by xor of %d components, whose sources are external and unverified", len(r.Components)))
	}
	return claims
}
