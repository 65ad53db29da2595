// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/keymat/keymat/mockkms/internal/policy"
)

// An asking is the question whether a call has a permission.
type asking struct {
	call    *call
	records *records
	*permission
	asked any // the request
}

// request is the question as policies see it.
func (a *asking) request() *policy.Request {
	return &policy.Request{
		Principal: a.call.caller.who, Action: "kms:" + a.action, Resource: cmp.Or(a.resource, "*"), Context: a.values,
	}
}

// A conditionKey tells the values of a condition key; none: the request does
// not have it.
type conditionKey func(*asking) []string

// conditionKeys are those that the mock can answer for, by name in lower case:
// of KMS (Developer Guide, AWS KMS condition keys) and global ones (IAM User
// Guide). Those that only come with services and networks that are not here are
// known to be absent. All others are unknown: nobody is let in by them.
var conditionKeys = map[string]conditionKey{
	"aws:currenttime":            func(a *asking) []string { return []string{a.call.now.UTC().Format(time.RFC3339)} },
	"aws:epochtime":              func(a *asking) []string { return []string{strconv.FormatInt(a.call.now.Unix(), 10)} },
	"aws:multifactorauthage":     never,
	"aws:multifactorauthpresent": (*asking).multiFactor,
	"aws:principalaccount":       func(a *asking) []string { return []string{a.call.caller.who.Account} },
	"aws:principalarn":           (*asking).principalARN,
	"aws:principalisawsservice":  func(*asking) []string { return []string{"false"} },
	"aws:principaltype":          (*asking).principalType,
	"aws:requestedregion":        func(a *asking) []string { return []string{a.region} },
	"aws:resourceaccount":        func(a *asking) []string { return a.ofKey(func(k *key) string { return k.Scope.Account }) },
	"aws:securetransport":        (*asking).secureTransport,
	"aws:sourceip":               func(a *asking) []string { return []string{sourceAddress(a.call.http)} },
	"aws:tagkeys":                (*asking).tagKeys,
	"aws:useragent":              func(a *asking) []string { return given(a.call.http.UserAgent()) },
	"aws:userid":                 (*asking).userID,
	"aws:username":               (*asking).userName,
	"aws:viaawsservice":          func(*asking) []string { return []string{"false"} },

	"aws:calledvia":                 never,
	"aws:calledviafirst":            never,
	"aws:calledvialast":             never,
	"aws:federatedprovider":         never,
	"aws:principalservicename":      never,
	"aws:principalservicenameslist": never,
	"aws:referer":                   never,
	"aws:sourceaccount":             never,
	"aws:sourcearn":                 never,
	"aws:sourcevpc":                 never,
	"aws:sourcevpce":                never,
	"aws:vpcsourceip":               never,
	"kms:viaservice":                never,

	"kms:calleraccount":          func(a *asking) []string { return a.ofKey(func(*key) string { return a.call.caller.who.Account }) },
	"kms:customermasterkeyspec":  func(a *asking) []string { return a.ofAny(func(k *key) string { return k.Spec }) },
	"kms:customermasterkeyusage": func(a *asking) []string { return a.ofAny(func(k *key) string { return k.Usage }) },
	"kms:keyorigin":              func(a *asking) []string { return a.ofAny(func(k *key) string { return k.Origin }) },
	"kms:keyspec":                func(a *asking) []string { return a.ofAny(func(k *key) string { return k.Spec }) },
	"kms:keyusage":               func(a *asking) []string { return a.ofAny(func(k *key) string { return k.Usage }) },
	"kms:multiregion": func(a *asking) []string {
		return a.ofAny(func(k *key) string { return strconv.FormatBool(k.multiRegion()) })
	},
	"kms:multiregionkeytype": func(a *asking) []string { return a.ofAny((*key).multiRegionType) },
	"kms:requestalias":       (*asking).requestAlias,
	"kms:resourcealiases":    (*asking).resourceAliases,

	"kms:bypasspolicylockoutsafetycheck":         fromMember("BypassPolicyLockoutSafetyCheck", ""),
	"kms:datakeypairspec":                        fromMember("KeyPairSpec", ""),
	"kms:encryptionalgorithm":                    (*asking).encryptionAlgorithm,
	"kms:encryptioncontextkeys":                  func(a *asking) []string { return slices.Sorted(maps.Keys(a.encryptionContext())) },
	"kms:expirationmodel":                        fromMember("ExpirationModel", ""),
	"kms:grantconstraintsourcearn":               (*asking).constraintSource,
	"kms:grantconstrainttype":                    (*asking).constraintTypes,
	"kms:granteeprincipal":                       fromMember("GranteePrincipal", ""),
	"kms:granteeserviceprincipal":                fromMember("GranteeServicePrincipal", ""),
	"kms:grantisforawsresource":                  (*asking).forAWSResource,
	"kms:grantoperations":                        fromMember("Operations", ""),
	"kms:keyagreementalgorithm":                  fromMember("KeyAgreementAlgorithm", ""),
	"kms:macalgorithm":                           fromMember("MacAlgorithm", ""),
	"kms:messagetype":                            fromMember("MessageType", "RAW"),
	"kms:primaryregion":                          fromMember("PrimaryRegion", ""),
	"kms:reencryptonsamekey":                     (*asking).onSameKey,
	"kms:replicaregion":                          fromMember("ReplicaRegion", ""),
	"kms:retiringprincipal":                      fromMember("RetiringPrincipal", ""),
	"kms:retiringserviceprincipal":               fromMember("RetiringServicePrincipal", ""),
	"kms:rotationperiodindays":                   fromMember("RotationPeriodInDays", strconv.Itoa(defaultRotationPeriod)), // recorded
	"kms:schedulekeydeletionpendingwindowindays": fromMember("PendingWindowInDays", strconv.Itoa(defaultDeletionWindow)),
	"kms:signingalgorithm":                       fromMember("SigningAlgorithm", ""),
	"kms:validto":                                fromMember("ValidTo", ""),
	"kms:wrappingalgorithm":                      fromMember("WrappingAlgorithm", ""),
	"kms:wrappingkeyspec":                        fromMember("WrappingKeySpec", ""),
}

// namedKeys are condition keys that go on with a name of the policy's choice.
var namedKeys = map[string]func(a *asking, name string) []string{
	"aws:principaltag/":         func(a *asking, name string) []string { return lookup(a.call.caller.tags, name) },
	"aws:requesttag/":           func(a *asking, name string) []string { return lookup(tagMap(a.requestTags()), name) },
	"aws:resourcetag/":          func(a *asking, name string) []string { return lookup(a.resourceTags(), name) },
	"kms:encryptioncontext:":    func(a *asking, name string) []string { return lookup(a.encryptionContext(), name) },
	"kms:recipientattestation:": func(*asking, string) []string { return nil }, // such requests are refused
}

func never(*asking) []string { return nil }

// values is the request's context for policies.
func (a *asking) values(name string) (values []string, known bool) {
	key, named := findConditionKey(name)
	switch {
	case key != nil:
		return key(a), true
	case named != nil:
		_, rest, _ := strings.Cut(name, ":")
		return named(a, rest[strings.IndexAny(rest, ":/")+1:]), true
	}
	return nil, false
}

// findConditionKey finds the row of a condition key; names have no case.
func findConditionKey(name string) (conditionKey, func(*asking, string) []string) {
	name = strings.ToLower(name)
	if key, ok := conditionKeys[name]; ok {
		return key, nil
	}
	for prefix, named := range namedKeys {
		if strings.HasPrefix(name, prefix) && name != prefix {
			return nil, named
		}
	}
	return nil, nil
}

// An unjudgedError is a condition that the mock cannot judge.
type unjudgedError struct{ key string }

func (e *unjudgedError) Error() string {
	return fmt.Sprintf("the mock cannot judge the condition key %q", e.key)
}

// checkConditions refuses a policy with conditions that would never be judged.
func checkConditions(d *policy.Document) error {
	for _, use := range d.Conditions() {
		if key, named := findConditionKey(use.Key); key == nil && named == nil {
			return &unjudgedError{use.Key}
		}
	}
	return nil
}
