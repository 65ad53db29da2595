// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"errors"
	"strings"

	"github.com/keymat/keymat/mockkms/internal/policy"
)

// defaultPolicyName is the only name a key policy can have.
const defaultPolicyName = "default"

// maxPolicy is the quota on the length of a key policy, in bytes.
const maxPolicy = 32 << 10

type getKeyPolicyRequest struct {
	aboutKey
	PolicyName string `shape:"PolicyNameType"`
}

type getKeyPolicyAnswer struct {
	Policy     string
	PolicyName string
}

func getKeyPolicy(_ *call, k *key, r *getKeyPolicyRequest) (*getKeyPolicyAnswer, error) {
	if err := checkPolicyName(r.PolicyName); err != nil {
		return nil, err
	}
	return &getKeyPolicyAnswer{k.Policy, defaultPolicyName}, nil
}

type putKeyPolicyRequest struct {
	aboutKey
	PolicyName                     string `shape:"PolicyNameType"`
	Policy                         string `shape:"PolicyType,required"`
	BypassPolicyLockoutSafetyCheck bool   `shape:"BooleanType"`
}

func putKeyPolicy(c *call, k *key, r *putKeyPolicyRequest) (void, error) {
	if err := checkPolicyName(r.PolicyName); err != nil {
		return void{}, err
	}
	policy, err := keyPolicy(c, r.Policy)
	if err != nil {
		return void{}, err
	}
	k.setPolicy(policy)
	return void{}, nil
}

func checkPolicyName(name string) error {
	if name != "" && name != defaultPolicyName {
		return refuse("NotFoundException", "No such policy exists") // assumed
	}
	return nil
}

type listKeyPoliciesRequest struct {
	aboutKey
	paging
}

type listKeyPoliciesAnswer struct {
	PolicyNames []string
	page
}

func listKeyPolicies(_ *call, _ *key, r *listKeyPoliciesRequest) (*listKeyPoliciesAnswer, error) {
	names, p, err := slicePage(&r.paging, 100, "policies", []string{defaultPolicyName}, func(s string) string { return s })
	if err != nil {
		return nil, err
	}
	return &listKeyPoliciesAnswer{names, p}, nil
}

// keyPolicy is the policy a request gives, or the one KMS gives to a key
// without: its account may do everything. Its syntax is IAM's, whether or not
// policies are enforced; where they are, more of it was judged before.
func keyPolicy(c *call, given string) (string, error) {
	if given == "" {
		return c.scope.defaultPolicy(), nil
	}
	if len(given) > maxPolicy {
		return "", refuse("LimitExceededException", "The policy is longer than %d bytes.", maxPolicy) // assumed
	}
	_, err := policy.Parse(policy.Key, given)
	if syntax := new(policy.SyntaxError); errors.As(err, &syntax) && !syntax.NoStatements() { // which locks out, but whom?
		return "", malformedPolicy("%v", err)
	}
	return given, nil
}

// defaultPolicy is the policy of a key that was made without one.
func (s scope) defaultPolicy() string { return strings.Replace(keyDefault1, "ROOT", s.rootARN(), 1) }

// keyDefault1 is spaced as KMS prints it.
const keyDefault1 = `{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "ROOT"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`
