// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// maxGrants is the quota of grants per key.
const maxGrants = 50_000

// A grant lets a principal use a key, where policies are enforced.
type grant struct {
	ID             string // 64 hex digits
	Created        time.Time
	IssuingAccount string // ARN of the account's root
	grantTerms
}

// grantTerms are what CreateGrant is asked for: two named grants with the same
// terms are one.
type grantTerms struct {
	Name            string `json:",omitempty"`
	Operations      []string
	Constraints     *constraints `json:",omitempty"`
	Grantee         string       `json:",omitempty"`
	GranteeService  string       `json:",omitempty"`
	Retiring        string       `json:",omitempty"`
	RetiringService string       `json:",omitempty"`
}

// constraints are GrantConstraints, in requests, records and answers.
type constraints struct {
	EncryptionContextSubset map[string]string `shape:"EncryptionContextType" json:",omitempty"`
	EncryptionContextEquals map[string]string `shape:"EncryptionContextType" json:",omitempty"`
	SourceArn               string            `shape:"ArnType" json:",omitempty"`
}

func newGrant(c *call, terms grantTerms) *grant {
	var id [32]byte
	rand.Read(id[:])
	return &grant{hex.EncodeToString(id[:]), c.now.Truncate(time.Second), c.scope.rootARN(), terms}
}

// sameRecord names the record under which grants with these terms meet; only
// named ones do.
func (g *grant) sameRecord(k *key) (string, error) {
	raw, err := json.Marshal(g.grantTerms)
	if err != nil {
		return "", fmt.Errorf("encoding the terms of a grant: %w", err)
	}
	digest := sha256.Sum256(raw)
	return k.Scope.record(sameRecords, k.ID) + "/" + hex.EncodeToString(digest[:]), nil
}

func grantPrefix(k *key) string { return k.Scope.record(grantRecords, k.ID) + "/" }

// retirerPrefix comes before the grants that a principal may retire, on the keys
// of all accounts of a Region.
func retirerPrefix(region, principal string) string {
	return retirerRecords + region + "/" + url.PathEscape(principal) + "/"
}

// retirerRecords are the grant's links from those who may retire it.
func (g *grant) retirerRecords(k *key) (names []string) {
	for _, principal := range []string{g.Retiring, g.RetiringService} {
		if principal != "" {
			names = append(names, retirerPrefix(k.Scope.Region, principal)+k.Scope.Account+"/"+k.ID+"/"+g.ID)
		}
	}
	return names
}

// grant returns a grant of a key, or nil.
func (r *records) grant(k *key, id string) (*grant, error) {
	raw := r.tx.Get(grantPrefix(k) + id)
	if raw == nil {
		return nil, nil
	}
	var g grant
	if err := json.Unmarshal(raw, &g); err != nil {
		return nil, fmt.Errorf("decoding grant %s: %w", id, err)
	}
	return &g, nil
}

// putGrant stores a new grant, unless the same one is there under its name
// already: then that one is returned (recorded).
func (r *records) putGrant(k *key, g *grant) (*grant, error) {
	same, err := g.sameRecord(k)
	if err != nil {
		return nil, err
	}
	if id := r.tx.Get(same); g.Name != "" && id != nil {
		return r.grant(k, string(id))
	}
	if r.full(grantPrefix(k), maxGrants) {
		return nil, refuse("LimitExceededException", "The grant limit of %d for the key %s has been reached.", maxGrants, k.arn()) // assumed
	}
	raw, err := json.Marshal(g)
	if err != nil {
		return nil, fmt.Errorf("encoding grant %s: %w", g.ID, err)
	}
	if err := r.tx.Put(grantPrefix(k)+g.ID, raw); err != nil {
		return nil, err
	}
	if g.Name != "" {
		if err := r.tx.Put(same, []byte(g.ID)); err != nil {
			return nil, err
		}
	}
	for _, name := range g.retirerRecords(k) {
		if err := r.tx.Put(name, nil); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// full reports whether there are as many records with that prefix as allowed.
func (r *records) full(prefix string, most int) bool {
	n := 0
	r.tx.Ascend(prefix, "", func(_, _ []byte) bool {
		n++
		return n < most
	})
	return n >= most
}

func (r *records) deleteGrant(k *key, g *grant) error {
	same, err := g.sameRecord(k)
	if err != nil {
		return err
	}
	for _, name := range append(g.retirerRecords(k), same, grantPrefix(k)+g.ID) {
		if err := r.tx.Delete(name); err != nil {
			return err
		}
	}
	return nil
}

// deleteGrants removes the grants of a key that goes.
func (r *records) deleteGrants(k *key) error {
	prefix := grantPrefix(k)
	for _, name := range r.list(prefix, "", func(string) bool { return true }) {
		g, err := r.grant(k, strings.TrimPrefix(name, prefix))
		if err != nil {
			return err
		}
		if err := r.deleteGrant(k, g); err != nil {
			return err
		}
	}
	return nil
}
