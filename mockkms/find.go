// SPDX-License-Identifier: Apache-2.0

package mockkms

import "strings"

// An aliasRule is what an operation does with an alias in place of a key ID:
// nothing special when empty, otherwise InvalidArnException with this text.
type aliasRule string

const (
	aliasAllowed aliasRule = ""
	// aliasRefused was reported for GetKeyPolicy, and is assumed for its like.
	aliasRefused aliasRule = "Key Aliases are not supported"
	// aliasRefusedHere is recorded for the rotation operations.
	aliasRefusedHere aliasRule = "Key Aliases are not supported for this operation."
)

// find returns the key that a reference names: a key ID, key ARN, alias name
// or alias ARN, seen from scope s.
func (r *records) find(s scope, ref string, rule aliasRule) (*key, error) {
	resource := ref
	if strings.HasPrefix(ref, "arn:") {
		var err error
		if s, resource, err = r.resourceOf(s, ref); err != nil {
			return nil, err
		}
	}
	if strings.HasPrefix(resource, "alias/") {
		if rule != aliasAllowed {
			return nil, invalidARN("%s", rule)
		}
		return r.findByAlias(s, resource)
	}
	id := strings.TrimPrefix(resource, "key/")
	if resource == ref && !isKeyID(id) {
		return nil, invalidKeyID(ref)
	}
	k, err := r.key(s, id)
	if k == nil && err == nil {
		return nil, keyNotFound(s.keyARN(id))
	}
	return k, err
}

func (r *records) findByAlias(s scope, name string) (*key, error) {
	a, err := r.alias(s, name)
	if err != nil {
		return nil, err
	}
	if a == nil {
		return nil, aliasNotFound(s.aliasARN(name))
	}
	return r.key(s, a.Target)
}

// ownerOf finds the key that has a material: in the account of the key that is
// named or else of the caller, and where policies are enforced in all that have
// principals.
func (c *call) ownerOf(r *records, named *key, materialID string) (*key, error) {
	s := c.scope
	if named != nil {
		s = named.Scope
	}
	k, err := r.keyOfMaterial(s, materialID)
	if k != nil || err != nil || named != nil || c.caller == nil {
		return k, err
	}
	for _, account := range c.kms.principals.accounts {
		if k, err = r.keyOfMaterial(scope{account, s.Region}, materialID); k != nil || err != nil {
			return k, err
		}
	}
	return nil, nil
}

// resourceOf takes a KMS ARN of this Region apart: its account, as a scope, and
// its last field, key/… or alias/….
func (r *records) resourceOf(s scope, arn string) (scope, string, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[2] != "kms" || !isAccount(parts[4]) ||
		!strings.HasPrefix(parts[5], "key/") && !strings.HasPrefix(parts[5], "alias/") {
		return s, "", invalidARN("Invalid arn %s", arn) // assumed
	}
	if parts[1] != s.partition() || parts[3] != s.Region {
		return s, "", refuse("NotFoundException", "Invalid arn %s", parts[3])
	}
	if parts[4] != s.Account && !r.everywhere {
		// Keys of other accounts open through policies: where these are not
		// enforced, they stay closed.
		return s, "", refuse("AccessDeniedException", "User: %s is not authorized to perform this operation on this resource %s",
			s.rootARN(), nowhere)
	}
	return scope{parts[4], s.Region}, parts[5], nil
}

// isRelative reports whether arn is that of a multi-Region key of the same
// account in another Region.
func (s scope) isRelative(arn string) bool {
	parts := strings.SplitN(arn, ":", 6)
	return len(parts) == 6 && parts[2] == "kms" && parts[3] != s.Region && parts[4] == s.Account &&
		strings.HasPrefix(parts[5], "key/mrk-")
}

// isForeign reports whether ref is an ARN of another account.
func (s scope) isForeign(ref string) bool {
	parts := strings.SplitN(ref, ":", 6)
	return len(parts) == 6 && parts[4] != s.Account
}

// isKeyID reports whether s is spelt as KMS spells key IDs: a UUID, or mrk-
// and 32 hex digits.
func isKeyID(s string) bool {
	if hex, ok := strings.CutPrefix(s, "mrk-"); ok {
		return len(hex) == 32 && isHex(hex)
	}
	return len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' &&
		isHex(s[:8]+s[9:13]+s[14:18]+s[19:23]+s[24:])
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }
