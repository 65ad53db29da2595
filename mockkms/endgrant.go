// SPDX-License-Identifier: Apache-2.0

package mockkms

type retireGrantRequest struct {
	GrantToken string `shape:"GrantTokenType"`
	KeyId      string `shape:"KeyIdType"`
	GrantId    string `shape:"GrantIdType"`
	withDryRun
}

func (r *retireGrantRequest) keyRef() string { return r.KeyId }

// retireGrant ends a grant that is named by its token, or by key and grant ID.
func retireGrant(c *call, r *retireGrantRequest) (hollow, error) {
	key, id := r.KeyId, r.GrantId
	switch {
	case r.GrantToken != "" && (key != "" || id != ""), r.GrantToken == "" && (key == "" || id == ""):
		return hollow{}, validation("Either GrantToken, or both KeyId and GrantId, must be specified.") // assumed
	case r.GrantToken != "":
		var err error
		if key, id, err = c.openGrantToken(r.GrantToken); err != nil {
			return hollow{}, err
		}
	}
	return hollow{}, c.endGrant(key, id, &rule{alias: aliasRefusedHere, states: allStates}, r)
}

type revokeGrantRequest struct {
	aboutKey
	GrantId string `shape:"GrantIdType,required"`
	withDryRun
}

func revokeGrant(c *call, rule *rule, r *revokeGrantRequest) (void, error) {
	return void{}, c.endGrant(r.KeyId, r.GrantId, rule, r)
}

// endGrant deletes a grant, unless the request was only to rehearse it. The
// errors for grants that are not there are assumed.
func (c *call) endGrant(ref, id string, rule *rule, request rehearsed) error {
	return c.write(func(rec *records) error {
		k, err := c.findIn(rec, ref, rule)
		if err != nil {
			return err
		}
		if !isGrantID(id) {
			return invalidGrantID()
		}
		g, err := rec.grant(k, id)
		if err != nil {
			return err
		}
		if g == nil {
			return grantNotFound(id)
		}
		if err := rec.deleteGrant(k, g); err != nil {
			return err
		}
		return rehearsal(request)
	})
}
