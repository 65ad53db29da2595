// SPDX-License-Identifier: Apache-2.0

package mockkms

import "strings"

type grantListEntry struct {
	KeyId                    string // ARN
	GrantId                  string
	Name                     string `json:",omitempty"`
	CreationDate             epoch  // whole seconds (recorded)
	GranteePrincipal         string `json:",omitempty"`
	GranteeServicePrincipal  string `json:",omitempty"`
	RetiringPrincipal        string `json:",omitempty"`
	RetiringServicePrincipal string `json:",omitempty"`
	IssuingAccount           string // ARN of its root (recorded)
	Operations               []string
	Constraints              *constraints `json:",omitempty"`
}

func (g *grant) entry(k *key) grantListEntry {
	return grantListEntry{
		KeyId: k.arn(), GrantId: g.ID, Name: g.Name, CreationDate: epochOf(g.Created),
		GranteePrincipal: g.Grantee, GranteeServicePrincipal: g.GranteeService,
		RetiringPrincipal: g.Retiring, RetiringServicePrincipal: g.RetiringService,
		IssuingAccount: g.IssuingAccount, Operations: g.Operations, Constraints: g.Constraints,
	}
}

type listGrantsAnswer struct {
	Grants []grantListEntry
	page
}

// The lists of grants have shorter pages than others (API reference).
const (
	grantsPerPage    = 50
	maxGrantsPerPage = 100
)

func checkGrantLimit(p *paging) error {
	if p.Limit > maxGrantsPerPage {
		return validation("Limit must be between 1 and %d", maxGrantsPerPage) // assumed
	}
	return nil
}

type listGrantsRequest struct {
	aboutKey
	paging
	GrantId                 string `shape:"GrantIdType"`
	GranteePrincipal        string `shape:"PrincipalIdType"`
	GranteeServicePrincipal string `shape:"ServicePrincipalType"`
}

func (r *listGrantsRequest) wants(g *grant) bool {
	return (r.GrantId == "" || g.ID == r.GrantId) &&
		(r.GranteePrincipal == "" || g.Grantee == r.GranteePrincipal) &&
		(r.GranteeServicePrincipal == "" || g.GranteeService == r.GranteeServicePrincipal)
}

func listGrants(c *call, k *key, r *listGrantsRequest) (*listGrantsAnswer, error) {
	if r.GranteePrincipal != "" && r.GranteeServicePrincipal != "" {
		return nil, validation("GranteePrincipal and GranteeServicePrincipal cannot be used together.") // assumed
	}
	if r.GrantId != "" && !isGrantID(r.GrantId) {
		return nil, invalidGrantID() // assumed
	}
	if err := c.checkPrincipal(r.GranteePrincipal, invalidARN("Input does not refer to a valid principal")); err != nil {
		return nil, err
	}
	if err := checkGrantLimit(&r.paging); err != nil {
		return nil, err
	}
	answer := &listGrantsAnswer{Grants: []grantListEntry{}}
	prefix := grantPrefix(k)
	p, err := r.collect(c, grantsPerPage, prefix, func(rec *records, name string) (bool, error) {
		g, err := rec.grant(k, strings.TrimPrefix(name, prefix))
		if g == nil || !r.wants(g) {
			return false, err
		}
		answer.Grants = append(answer.Grants, g.entry(k))
		return true, nil
	})
	answer.page = p
	return answer, err
}

type listRetirableGrantsRequest struct {
	paging
	RetiringPrincipal        string `shape:"PrincipalIdType"`
	RetiringServicePrincipal string `shape:"ServicePrincipalType"`
}

// listRetirableGrants lists a principal's grants on the keys of this Region, of
// whatever account (documented).
func listRetirableGrants(c *call, r *listRetirableGrantsRequest) (*listGrantsAnswer, error) {
	if (r.RetiringPrincipal == "") == (r.RetiringServicePrincipal == "") {
		return nil, validation("Either RetiringPrincipal or RetiringServicePrincipal must be specified.") // assumed
	}
	nobody := refuse("NotFoundException", "Retiring principal %s could not be found", r.RetiringPrincipal)
	if err := c.checkPrincipal(r.RetiringPrincipal, nobody); err != nil {
		return nil, err
	}
	if err := checkGrantLimit(&r.paging); err != nil {
		return nil, err
	}
	answer := &listGrantsAnswer{Grants: []grantListEntry{}}
	prefix := retirerPrefix(c.scope.Region, r.RetiringPrincipal+r.RetiringServicePrincipal)
	p, err := r.collect(c, grantsPerPage, prefix, func(rec *records, name string) (bool, error) {
		link := strings.Split(strings.TrimPrefix(name, prefix), "/") // account, key ID, grant ID
		k, err := rec.key(scope{link[0], c.scope.Region}, link[1])
		if k == nil {
			return false, err
		}
		g, err := rec.grant(k, link[2])
		if g == nil {
			return false, err
		}
		answer.Grants = append(answer.Grants, g.entry(k))
		return true, nil
	})
	answer.page = p
	return answer, err
}
