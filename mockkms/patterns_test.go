// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/keymat/keymat/mockkms"
)

// patternSamples come near to every pattern of the model, from both sides.
var patternSamples = strings.Fields(`a A 0 _ - . / : + = , @ é aA0_-. a:/_ alias/x key/1 111122223333 11112222333 1111222233333 1111-2222
	abcdef0123 ABCDEF AB27 AB18 x+/= arn:aws:iam::111122223333:role/x
	cluster-1a23b4cdefg cluster-2a23b4cdefg cluster-2a23b4cdef cluster-abcdefghijklmnop cluster-abcdefghijklmnopq luster-2a23b4cdefg cluster-2a23b4cdef-
	https://x https://x.example-1 https:// http://x https://x/ https://x_y
	/kms/xks/v1 /kms/xks/v12 /kms/xks/v123 /kms/xks/v /a/kms/xks/v1 /a/b_-/kms/xks/v1 //kms/xks/v1 ///kms/xks/v1 a/kms/xks/v1 /a.b/kms/xks/v1 /kms/xks/v1/
	/kms/xks/v1/kms/xks/v2 /kms/xks/vx
	com.amazonaws.vpce.us-east-1.vpce-svc-0a eu.amazonaws.vpce.eusc-de-east-1.vpce-svc-0a com.amazonaws.vpce.us-1.vpce-svc-0a
	com.amazonaws.vpce.a-b-c-d-1.vpce-svc-0a com.amazonaws.vpce.us-east-x.vpce-svc-0a com.amazonaws.vpce.us-east-1.vpce-svc- org.amazonaws.vpce.us-east-1.vpce-svc-0a
	com.amazonaws.vpce.us-east-1.vpce-svc-0A com.amazonaws.vpce.us--1.vpce-svc-0a com.amazonaws.vpc.us-east-1.vpce-svc-0a`)

// What judges a pattern without regular expressions agrees with the expression
// that is told.
func TestPatternsAgreeWithTheirText(t *testing.T) {
	patterns := mockkms.Patterns()
	if len(patterns) < 15 {
		t.Fatalf("%d patterns", len(patterns))
	}
	unicode := regexp.MustCompile(`\\u([0-9A-F]{4})`)
	for name, p := range patterns {
		expression := unicode.ReplaceAllString(strings.Trim(p.Expr, "^$"), `\x{$1}`)
		expression = strings.ReplaceAll(expression, "$|^", "|")
		whole := regexp.MustCompile(`^(?:` + expression + `)$`)
		for _, sample := range append(patternSamples, "a b", "") {
			if got, want := p.Matches(sample), whole.MatchString(sample); got != want {
				t.Errorf("%s: %q matches: %v, but by %s: %v", name, sample, got, p.Expr, want)
			}
		}
	}
}
