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
	return &getKeyPolicyAnswer{k.policy(), defaultPolicyName}, nil
}

type putKeyPolicyRequest struct {
	aboutKey
	PolicyName                     string `shape:"PolicyNameType"`
	Policy                         string `shape:"PolicyType,required"`
	BypassPolicyLockoutSafetyCheck bool   `shape:"BooleanType"`
}

func putKeyPolicy(_ *call, k *key, r *putKeyPolicyRequest) (void, error) {
	if err := checkPolicyName(r.PolicyName); err != nil {
		return void{}, err
	}
	if err := checkPolicy(r.Policy); err != nil {
		return void{}, err
	}
	k.setPolicy(r.Policy)
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

// checkPolicy refuses what cannot be a key's policy; "" asks for the default
// one. Its syntax is IAM's, whether or not policies are enforced; where they
// are, more of it was judged before.
func checkPolicy(given string) error {
	if given == "" {
		return nil
	}
	if len(given) > maxPolicy {
		return refuse("LimitExceededException", "The policy is longer than %d bytes.", maxPolicy) // assumed
	}
	_, err := policy.Parse(policy.Key, given)
	if syntax := new(policy.SyntaxError); errors.As(err, &syntax) && !syntax.NoStatements() { // which locks out, but whom?
		return malformedPolicy("%v", err)
	}
	return nil
}

// policy is what the key's policy says: without one of its own, its account may
// do everything.
func (k *key) policy() string {
	if k.Policy != "" {
		return k.Policy
	}
	return strings.Replace(keyDefault1, "ROOT", k.Scope.rootARN(), 1)
}

// keyDefault1 is the policy that KMS gives to a key without, spaced as KMS
// prints it.
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
