// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"net/http"
	"strings"
)

// A scope is the account and Region in which a call happens. Keys and aliases
// live in one scope; only the copies of multi-Region keys know of others.
type scope struct {
	Account string // 12 digits
	Region  string
}

// defaultAccount answers for access keys that do not name an account.
const defaultAccount = "111122223333"

// scopeOf reads account and Region from the credential scope of a Signature
// Version 4 header, and the access key ID. One of 12 digits is taken as the
// account.
func scopeOf(h http.Header) (s scope, accessKey string, refused *apiError) {
	a, refused := parseAuthorization(h)
	if refused != nil {
		return scope{}, "", refused
	}
	return parseCredential(strings.Clone(a.credential)) // events keep parts of it, and need not keep the whole header
}

// parseCredential takes ACCESSKEYID/20260912/us-east-1/kms/aws4_request apart.
// An access key ID may itself contain slashes.
func parseCredential(credential string) (s scope, accessKey string, refused *apiError) {
	rest, term := cutLast(credential)
	rest, service := cutLast(rest)
	rest, region := cutLast(rest)
	accessKey, _ = cutLast(rest) // without the date
	if strings.Count(credential, "/") < 4 || term != "aws4_request" || !validRegion(region) {
		return scope{}, "", refuse("IncompleteSignatureException",
			"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term")
	}
	if service != "kms" {
		return scope{}, "", refuse("InvalidSignatureException", "Credential should be scoped to correct service: 'kms'.")
	}
	s = scope{Account: defaultAccount, Region: region}
	if account, _, _ := strings.Cut(accessKey, "/"); isAccount(account) {
		s.Account = account
	}
	return s, accessKey, nil
}

// cutLast cuts the last element off a path.
func cutLast(path string) (rest, last string) {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)], path[i+1:]
}

func isAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// validRegion takes anything that is spelt as Regions are, known or not.
func validRegion(s string) bool {
	if s == "" || len(s) > 32 {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// partition is the first field of ARNs: AWS runs three that matter here.
func (s scope) partition() string {
	switch {
	case strings.HasPrefix(s.Region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(s.Region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// offers reports whether there are keys of a spec in this partition. ML-KEM is
// not in the China Regions (CreateKey in the API reference).
func (s scope) offers(keySpec string) bool {
	return s.partition() != "aws-cn" || !strings.HasPrefix(keySpec, "ML_KEM_")
}

func (s scope) keyARN(id string) string {
	return "arn:" + s.partition() + ":kms:" + s.Region + ":" + s.Account + ":key/" + id
}

// aliasARN is the ARN of an alias by its full name, alias/….
func (s scope) aliasARN(name string) string {
	return "arn:" + s.partition() + ":kms:" + s.Region + ":" + s.Account + ":" + name
}

// rootARN is the account itself as a principal, as default policies name it.
func (s scope) rootARN() string { return "arn:" + s.partition() + ":iam::" + s.Account + ":root" }

// record is the name of a record of this scope: of a kind of those that the
// store has, or of something else that is told apart by scope.
func (s scope) record(kind, id string) string { return kind + s.Account + "/" + s.Region + "/" + id }
