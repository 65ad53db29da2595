// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"

	"github.com/keymat/keymat/mockkms/internal/policy"
)

// A Principal is somebody whom policies speak of: an IAM user, a role, or the
// root user of an account.
type Principal struct {
	// ARN is that of the user, the role or the account's root, such as
	// "arn:aws:iam::111122223333:user/alice".
	ARN string
	// Credentials are the access key that it calls with. Without an ID it never
	// calls, but exists, so that policies may name it. With a secret signatures
	// are checked, as for [WithCredentials]; Account is known from the ARN.
	Credentials Credentials
	// SessionName is the name under which a role calls; "" is "session".
	SessionName string
	// Tags are what aws:PrincipalTag tells of it.
	Tags map[string]string
	// Policies are its identity-based policies, each a JSON document: of the
	// user, its groups, or the role.
	Policies []string
}

// Principals are the users, roles and root users of a world in which policies
// are enforced; see [WithPrincipals]. They do not change.
type Principals struct {
	callers  map[string]*caller // by access key ID
	existing map[string]bool    // ARNs of users and roles
	accounts []string           // that have any, sorted
}

// A PrincipalError says what is wrong with one of the principals.
type PrincipalError struct {
	ARN     string
	Policy  int // counted from 1; 0 where no policy is to blame
	Problem string
	Err     error // the cause, if another package found the fault
}

func (e *PrincipalError) Error() string {
	if e.Policy > 0 {
		return fmt.Sprintf("principal %q, policy %d: %s", e.ARN, e.Policy, e.Problem)
	}
	return fmt.Sprintf("principal %q: %s", e.ARN, e.Problem)
}

// Unwrap returns the cause, if any.
func (e *PrincipalError) Unwrap() error { return e.Err }

// NewPrincipals checks principals and reads their policies. It refuses, with a
// [*PrincipalError], an ARN that is none or comes twice, an access key of two
// principals, and a policy that IAM would not take or that has a condition
// which the mock cannot judge: better no answer than a wrong one.
func NewPrincipals(list ...Principal) (*Principals, error) {
	all := &Principals{callers: make(map[string]*caller), existing: make(map[string]bool)}
	for _, p := range list {
		c, err := newCaller(p)
		if err != nil {
			return nil, err
		}
		id := p.Credentials.AccessKeyID
		switch {
		case all.existing[p.ARN]:
			return nil, &PrincipalError{ARN: p.ARN, Problem: "is there twice"}
		case all.callers[id] != nil:
			return nil, &PrincipalError{ARN: p.ARN, Problem: "has the access key of another principal"}
		case id == "" && p.Credentials != Credentials{}:
			return nil, &PrincipalError{ARN: p.ARN, Problem: "has credentials without an access key ID"}
		case p.Credentials.Account != "" && p.Credentials.Account != c.who.Account:
			return nil, &PrincipalError{ARN: p.ARN, Problem: "has credentials of another account"}
		case id != "":
			all.callers[id] = c
		}
		all.existing[p.ARN] = true
		all.accounts = append(all.accounts, c.who.Account)
	}
	slices.Sort(all.accounts)
	all.accounts = slices.Compact(all.accounts)
	return all, nil
}

// A caller is a principal as the calls know it.
type caller struct {
	who         policy.Principal
	credentials Credentials
	kind        string // of CloudTrail: IAMUser, AssumedRole or Root
	name        string // of the user or role, without path
	session     string // of a role
	id          string // unique ID of the user or role; of a root user its account
	tags        map[string]string
	policies    []*policy.Document
}

// defaultSession is the session name of roles that are given none.
const defaultSession = "session"

func newCaller(p Principal) (*caller, error) {
	parts := strings.SplitN(p.ARN, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "iam" || parts[3] != "" || !isAccount(parts[4]) {
		return nil, &PrincipalError{ARN: p.ARN, Problem: "is no ARN of a user, a role or an account's root"}
	}
	c := &caller{credentials: p.Credentials, tags: p.Tags, who: policy.Principal{ARN: p.ARN, Account: parts[4]}}
	resource := parts[5]
	c.name = resource[strings.LastIndex(resource, "/")+1:]
	kind, path, _ := strings.Cut(resource, "/")
	switch {
	case resource == "root":
		c.kind, c.id = "Root", parts[4]
	case kind == "user" && isPrincipalName(path):
		c.kind, c.id = "IAMUser", "AIDA"+uniqueID(p.ARN)
	case kind == "role" && isPrincipalName(path):
		c.kind, c.id = "AssumedRole", "AROA"+uniqueID(p.ARN)
		c.session = cmp.Or(p.SessionName, defaultSession)
		c.who.Role = p.ARN
		c.who.ARN = "arn:" + parts[1] + ":sts::" + parts[4] + ":assumed-role/" + c.name + "/" + c.session
	default:
		return nil, &PrincipalError{ARN: p.ARN, Problem: "is no ARN of a user, a role or an account's root"}
	}
	if p.SessionName != "" && (c.session == "" || !isPrincipalName(c.session) || strings.Contains(c.session, "/")) {
		return nil, &PrincipalError{ARN: p.ARN, Problem: "has a session name that it cannot have"}
	}
	return c, c.readPolicies(p)
}

func (c *caller) readPolicies(p Principal) error {
	for i, source := range p.Policies {
		d, err := policy.Parse(policy.Identity, source)
		if err == nil {
			err = checkConditions(d)
		}
		if err != nil {
			return &PrincipalError{ARN: p.ARN, Policy: i + 1, Problem: err.Error(), Err: err}
		}
		c.policies = append(c.policies, d)
	}
	return nil
}

// isPrincipalName reports whether s is spelt as the name of a user, role or
// session, with the path in front of it.
func isPrincipalName(s string) bool {
	return s != "" && s[len(s)-1] != '/' &&
		strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+=,.@_-/") == ""
}

// uniqueID is the part of IAM's unique IDs behind AIDA or AROA: always the same
// for one ARN, so that nobody has to remember it.
func uniqueID(arn string) string {
	digest := sha256.Sum256([]byte("unique ID of " + arn))
	return base32.StdEncoding.EncodeToString(digest[:10])
}

// exists reports whether a principal is there. Of accounts that have no
// principals here, all users and roles are taken to be.
func (p *Principals) exists(arn string) bool {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[2] != "iam" || parts[5] == "root" || !slices.Contains(p.accounts, parts[4]) {
		return true
	}
	return p.existing[arn]
}

// checkPrincipal refuses who cannot be a principal, and where the principals are
// known who is none of them. nobody is told of unique IDs.
func (c *call) checkPrincipal(p string, nobody *apiError) error {
	if err := c.scope.checkPrincipal(p, nobody); err != nil {
		return err
	}
	if c.caller != nil && !c.kms.principals.exists(p) {
		return invalidARN("ARN does not refer to a valid principal: %s", p)
	}
	return nil
}

// identity tells of the caller as CloudTrail does.
func (c *caller) identity() EventIdentity {
	e := EventIdentity{
		Type: c.kind, PrincipalID: c.id, ARN: c.who.ARN, AccountID: c.who.Account, AccessKeyID: c.credentials.AccessKeyID,
	}
	switch c.kind {
	case "IAMUser":
		e.UserName = c.name
	case "AssumedRole":
		e.PrincipalID += ":" + c.session
		e.SessionContext = &EventSession{EventIssuer{"Role", c.id, c.who.Role, c.who.Account, c.name}}
	}
	return e
}
