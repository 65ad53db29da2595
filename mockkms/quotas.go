// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

// The quotas that several operations share.
const (
	quotaSymmetric = "Cryptographic operations (symmetric)"
	quotaRSA       = "Cryptographic operations (RSA)"
	quotaECC       = "Cryptographic operations (ECC)"
	quotaMLDSA     = "Cryptographic operations (ML-DSA)"
	quotaMLKEM     = "Cryptographic operations (ML-KEM)"
	quotaKeyPair   = "GenerateDataKeyPair " // and the spec
)

// SharedQuotas are the names of quotas that count several operations, or one
// by the spec of its keys. The others are named as their one operation.
func SharedQuotas() []string {
	shared := []string{quotaSymmetric, quotaRSA, quotaECC, quotaMLDSA, quotaMLKEM}
	for _, spec := range []string{"RSA_2048", "RSA_3072", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521",
		"ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519", "SM2"} {
		shared = append(shared, quotaKeyPair+spec)
	}
	return shared
}

// requestQuotas are KMS's, in requests per second for an account and Region
// (Developer Guide, Request quotas, 2026).
var requestQuotas = map[string]float64{
	"CancelKeyDeletion": 5, "ConnectCustomKeyStore": 5, "CreateAlias": 5, "CreateCustomKeyStore": 5, "CreateGrant": 50,
	"CreateKey": 5, "DeleteAlias": 15, "DeleteCustomKeyStore": 5, "DeleteImportedKeyMaterial": 15,
	"DescribeCustomKeyStores": 5, "DescribeKey": 2000, "DisableKey": 5, "DisableKeyRotation": 5,
	"DisconnectCustomKeyStore": 5, "EnableKey": 5, "EnableKeyRotation": 15, "GetKeyLastUsage": 5, "GetKeyPolicy": 1000,
	"GetKeyRotationStatus": 1000, "GetParametersForImport": 1, "GetPublicKey": 2000, "ImportKeyMaterial": 15,
	"ListAliases": 500, "ListGrants": 100, "ListKeyPolicies": 100, "ListKeyRotations": 100, "ListKeys": 500,
	"ListResourceTags": 2000, "ListRetirableGrants": 100, "PutKeyPolicy": 15, "ReplicateKey": 5, "RetireGrant": 50,
	"RevokeGrant": 50, "RotateKeyOnDemand": 5, "ScheduleKeyDeletion": 15, "TagResource": 10, "UntagResource": 5,
	"UpdateAlias": 5, "UpdateCustomKeyStore": 5, "UpdateKeyDescription": 5, "UpdatePrimaryRegion": 5,
	quotaRSA: 1000, quotaECC: 1000, quotaMLDSA: 1000, quotaMLKEM: 1000,
	quotaKeyPair + "RSA_2048": 20, quotaKeyPair + "RSA_3072": 4, quotaKeyPair + "RSA_4096": 1,
	quotaKeyPair + "ECC_NIST_P256": 100, quotaKeyPair + "ECC_NIST_P384": 100, quotaKeyPair + "ECC_NIST_P521": 100,
	quotaKeyPair + "ECC_SECG_P256K1": 100, quotaKeyPair + "ECC_NIST_EDWARDS25519": 100, quotaKeyPair + "SM2": 25,
}

// cryptographic are the operations whose quota depends on the key's spec.
var cryptographic = []string{
	"Decapsulate", "Decrypt", "DeriveSharedSecret", "Encapsulate", "Encrypt", "GenerateDataKey",
	"GenerateDataKeyWithoutPlaintext", "GenerateMac", "GenerateRandom", "ReEncrypt", "Sign", "Verify", "VerifyMac",
}

// symmetricQuota is that of symmetric cryptography, which differs by Region.
func symmetricQuota(region string) float64 {
	switch region {
	case "us-east-1", "us-west-2", "eu-west-1":
		return 100_000
	case "us-east-2", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "eu-central-1", "eu-west-2":
		return 20_000
	}
	return 10_000
}

// quota is the name of the quota that the call counts against, and how many
// requests per second it allows; 0 is any number.
func (c *call) quota() (name string, rate float64) {
	name = c.operation
	switch {
	case strings.HasPrefix(name, "GenerateDataKeyPair"):
		name = quotaKeyPair + stringMember(c.request, "KeyPairSpec")
	case slices.Contains(cryptographic, name):
		name = quotaOfSpec(c.specInUse())
	}
	if rate, set := c.conditions.Rates[name]; set {
		return name, rate
	}
	if name == quotaSymmetric {
		return name, symmetricQuota(c.scope.Region)
	}
	return name, requestQuotas[name]
}

// specInUse is the spec of the key that a cryptographic call names; "" if
// there is none.
func (c *call) specInUse() (spec string) {
	r, ok := c.request.(keyed)
	if !ok || r.keyRef() == "" {
		return ""
	}
	_ = c.read(func(rec *records) error { // what is wrong the operation itself will tell
		if k, err := rec.find(c.scope, r.keyRef(), aliasAllowed); err == nil {
			spec = k.Spec
		}
		return nil
	})
	return spec
}

func quotaOfSpec(spec string) string {
	for prefix, quota := range map[string]string{"RSA_": quotaRSA, "ECC_": quotaECC, "SM2": quotaECC, "ML_DSA_": quotaMLDSA, "ML_KEM_": quotaMLKEM} {
		if strings.HasPrefix(spec, prefix) {
			return quota
		}
	}
	return quotaSymmetric
}

// stringMember is a string member of a request, if it has it.
func stringMember(request any, name string) string {
	if v := reflect.Indirect(reflect.ValueOf(request)); v.Kind() == reflect.Struct {
		if f := v.FieldByName(name); f.IsValid() && f.Kind() == reflect.String {
			return f.String()
		}
	}
	return ""
}

// throttled counts the call against its quotas and reports whether one is
// used up.
func (c *call) throttled() bool {
	if !c.conditions.Quotas {
		return false
	}
	name, rate := c.quota()
	if !c.within(c.scope, name, rate) {
		return true
	}
	return slices.ContainsFunc(c.elsewhere(), func(q regionalQuota) bool {
		rate, set := c.conditions.Rates[q.name]
		if !set {
			rate = requestQuotas[q.name]
		}
		return !c.within(scope{c.scope.Account, q.region}, q.name, rate)
	})
}

// within takes one request out of a quota, if there is one left.
func (c *call) within(s scope, name string, rate float64) bool {
	return rate <= 0 || c.kms.buckets.take(s.record("", name), rate, c.kms.clock())
}

// A regionalQuota is one that a call is counted against in another Region.
type regionalQuota struct{ region, name string }

// elsewhere are the requests that a call for two Regions counts as in the
// other one (Developer Guide, Request quotas).
func (c *call) elsewhere() []regionalQuota {
	switch c.operation {
	case "ReplicateKey": // one of the two is a rehearsal
		region := stringMember(c.request, "ReplicaRegion")
		return []regionalQuota{{region, "CreateKey"}, {region, "CreateKey"}}
	case "UpdatePrimaryRegion":
		return []regionalQuota{{stringMember(c.request, "PrimaryRegion"), c.operation}}
	}
	return nil
}

// buckets hold how much of each quota is left: as much as fits a second, and
// at least one request, which comes back at the quota's rate.
type buckets struct {
	mu   sync.Mutex
	left map[string]bucket
}

type bucket struct {
	requests float64
	at       time.Time
}

func (b *buckets) take(name string, rate float64, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	full := max(rate, 1)
	one, known := b.left[name]
	if passed := now.Sub(one.at).Seconds(); !known || passed < 0 {
		one.requests = full
	} else {
		one.requests = min(full, one.requests+passed*rate)
	}
	one.at = now
	taken := one.requests >= 1-1e-9 // seconds are no exact fractions
	if taken {
		one.requests--
	}
	if b.left == nil {
		b.left = make(map[string]bucket)
	}
	b.left[name] = one
	return taken
}
