// SPDX-License-Identifier: Apache-2.0

package mockkms

import "github.com/keymat/keymat/mockkms/internal/policy"

// The words in which KMS denies access. Those of missing permissions are
// recorded, those of explicit denies reported; IAM's page on access denied
// messages has the same.

// nowhere is why KMS denies what it does not even admit to be there.
const nowhere = "because the resource does not exist in this Region, no resource-based policies allow access, " +
	"or a resource-based policy explicitly denies access"

func denied(user, action, what, why string) *apiError {
	return refuse("AccessDeniedException", "User: %s is not authorized to perform: kms:%s%s %s", user, action, what, why)
}

func accessDenied(user, action, arn string) *apiError {
	return denied(user, action, " on resource: "+arn, missingAllow("identity", action))
}

func missingAllow(kind, action string) string {
	return "because no " + kind + "-based policy allows the kms:" + action + " action"
}

// denial tells of a decision against a permission. Of another account's key the
// text neither gives the ARN (recorded) nor what its policy says.
func (c *call) denial(p *permission, d policy.Decision) *apiError {
	what := " on resource: " + p.resource
	foreign := p.key != nil && p.key.Scope.Account != c.caller.who.Account
	switch {
	case foreign && p.byCiphertext:
		what = " on the resource associated with this ciphertext"
	case foreign:
		what = " on this resource"
	case p.resource == "":
		what = ""
	}
	why := missingAllow("identity", p.action)
	switch {
	case d == policy.DeniedByIdentity:
		why = "with an explicit deny in an identity-based policy"
	case foreign && d != policy.NotByIdentity:
		why = nowhere
	case d == policy.DeniedByKey:
		why = "with an explicit deny in a resource-based policy"
	case d == policy.NotByKey:
		why = missingAllow("resource", p.action)
	}
	return denied(c.userARN(), p.action, what, why)
}

// hidden denies what may or may not be there in another account.
func (c *call) hidden() *apiError {
	return denied(c.userARN(), c.operation, " on this resource", nowhere)
}
