// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Principal is who asks.
type Principal struct {
	ARN     string // of the user, the role session, or the account's root
	Role    string // ARN of the role whose session it is, "" for others
	Account string // 12 digits
}

// Root reports whether it is the root user of its account.
func (p Principal) Root() bool { return strings.HasSuffix(p.ARN, ":root") }

// principals are what Principal or NotPrincipal names.
type principals struct {
	not      bool
	aws      []string // ARNs, account numbers or "*"
	services []string
}

func readPrincipals(raw json.RawMessage) (p principals, err error) {
	if s, err := text(raw); err == nil {
		if s != "*" {
			return p, errors.New("is neither * nor an object")
		}
		return principals{aws: []string{"*"}}, nil
	}
	members, err := object(raw)
	if err != nil {
		return p, err
	}
	for _, m := range members {
		list, err := texts(m.value)
		switch {
		case err != nil:
			return p, fmt.Errorf("%s: %w", m.name, err)
		case m.name == "AWS":
			p.aws = list
		case m.name == "Service":
			p.services = list
		case m.name != "Federated" && m.name != "CanonicalUser": // neither calls here
			return p, fmt.Errorf("%q is no type of principals", m.name)
		}
	}
	if len(members) == 0 {
		return p, errors.New("is empty")
	}
	return p, nil
}

// reach is how a list of principals names somebody.
type reach int

const (
	unnamed reach = iota
	byAccount
	byName
)

// naming tells how the principals name p.
func (l principals) naming(p Principal) reach {
	best := unnamed
	for _, s := range l.aws {
		best = max(best, naming(s, p))
	}
	return best
}

// naming tells how one name means p: its ARN, its role's and "*" by name, its
// account by that.
func naming(name string, p Principal) reach {
	switch {
	case name == "*" || name == p.ARN || p.Role != "" && name == p.Role:
		return byName
	case name == p.Account || accountOf(name) == p.Account:
		return byAccount
	}
	return unnamed
}

// Grants is what it means to p that a grant names somebody, the way key
// policies name principals: Allow, AllowAccount or NoOpinion.
func (p Principal) Grants(name string) Effect {
	return [...]Effect{unnamed: NoOpinion, byAccount: AllowAccount, byName: Allow}[naming(name, p)]
}

// accountOf is the account that a root ARN stands for, or "".
func accountOf(arn string) string {
	parts := strings.Split(arn, ":")
	if len(parts) != arnParts || parts[2] != "iam" || parts[5] != "root" {
		return ""
	}
	return parts[4]
}

// reaches tells how a statement applies to p. To be left out of a NotPrincipal
// it takes a name, not just the account: the stricter reading.
func (s *statement) reaches(kind Kind, p Principal) reach {
	if kind == Identity {
		return byName
	}
	how := s.principals.naming(p)
	switch {
	case !s.principals.not:
		return how
	case how == byName:
		return unnamed
	}
	return byName
}

// Principals lists whom the document names: ARNs, account numbers, service
// principals and "*", each once, sorted.
func (d *Document) Principals() []string {
	var names []string
	for _, s := range d.statements {
		names = append(names, s.principals.aws...)
		names = append(names, s.principals.services...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
