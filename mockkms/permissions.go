// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"github.com/keymat/keymat/mockkms/internal/hsm"
	"github.com/keymat/keymat/mockkms/internal/policy"
)

// A permission is one thing that a call must be allowed to do.
type permission struct {
	action   string // without kms:
	resource string // ARN, or "*"; "" is "*" that KMS does not name when it denies
	key      *key   // whose policy and grants have a say; nil: identity policies decide
	about    *key   // whose properties conditions see; nil: the action concerns no key
	region   string // that is asked for

	ref          string           // how the request names the key
	byCiphertext bool             // it does not: the ciphertext does
	side         string           // of ReEncrypt: Source or Destination
	same         bool             // of ReEncrypt: both sides have the same key
	retiring     *grant           // that is to be retired
	document     *policy.Document // in place of the key's present policy
}

// keyPolicy is the policy of the permission's key.
func (p *permission) keyPolicy() (*policy.Document, error) {
	if p.document != nil {
		return p.document, nil
	}
	return p.key.parsedPolicy()
}

// onKey is the permission for an action on a key.
func (c *call) onKey(action, ref string, k *key) permission {
	return permission{action: action, resource: k.arn(), key: k, about: k, region: c.scope.Region, ref: ref}
}

// onNoKey is the permission for an action that identity policies alone allow.
func (c *call) onNoKey(action, resource string) permission {
	return permission{action: action, resource: resource, region: c.scope.Region}
}

// permissions lists what a request needs (Developer Guide, AWS KMS permissions;
// API reference, required permissions). Most need the one of the operation's own
// name, on the key they name or on none.
func (c *call) permissions(r *records, rule *rule, request any) ([]permission, error) {
	switch q := request.(type) {
	case *createKeyRequest:
		return c.toCreate(c.onNoKey("CreateKey", "*"), q.draft(c), q.Tags), nil
	case *replicateKeyRequest:
		return c.toReplicate(r, rule, q)
	case *updatePrimaryRegionRequest:
		return c.toUpdatePrimary(r, rule, q)
	case *aliasRequest:
		return c.toSetAlias(r, q)
	case *deleteAliasRequest:
		return c.toChangeAlias(r, q.AliasName)
	case *decryptRequest:
		return c.toOpen(r, "Decrypt", q.KeyId, orDefault(q.EncryptionAlgorithm, hsm.SymmetricDefault), q.CiphertextBlob)
	case *reEncryptRequest:
		return c.toReEncrypt(r, q)
	case *retireGrantRequest:
		return c.toRetire(r, q)
	}
	if rule == nil {
		return []permission{c.onNoKey(c.operation, "*")}, nil
	}
	ref := request.(keyed).keyRef()
	k, err := c.lookUp(r, ref, rule.alias)
	if err != nil {
		return nil, err
	}
	return []permission{c.onKey(c.operation, ref, k)}, nil
}

// toCreate adds what tags need to the permission to create a key.
func (c *call) toCreate(create permission, draft *key, tags []tag) []permission {
	create.about = draft
	list := []permission{create}
	if len(tags) > 0 {
		create.action, create.resource = "TagResource", ""
		list = append(list, create)
	}
	return list
}

// toReplicate: the replica is created in its own Region.
func (c *call) toReplicate(r *records, rule *rule, q *replicateKeyRequest) ([]permission, error) {
	k, err := c.lookUp(r, q.KeyId, rule.alias)
	if err != nil {
		return nil, err
	}
	create := c.onNoKey("CreateKey", "*")
	create.region = q.ReplicaRegion
	return append([]permission{c.onKey("ReplicateKey", q.KeyId, k)}, c.toCreate(create, k.draftReplica(q.ReplicaRegion), q.Tags)...), nil
}

// toUpdatePrimary: both the old and the new primary key must allow it.
func (c *call) toUpdatePrimary(r *records, rule *rule, q *updatePrimaryRegionRequest) ([]permission, error) {
	k, err := c.lookUp(r, q.KeyId, rule.alias)
	if err != nil {
		return nil, err
	}
	list := []permission{c.onKey("UpdatePrimaryRegion", q.KeyId, k)}
	if q.PrimaryRegion == k.Scope.Region || !k.multiRegion() {
		return list, nil
	}
	replica, err := r.key(scope{k.Scope.Account, q.PrimaryRegion}, k.ID)
	if replica != nil {
		list = append(list, c.onKey("UpdatePrimaryRegion", q.KeyId, replica))
	}
	return list, err
}

// toSetAlias: an alias that is created or updated needs the permission on the
// alias, on its key and on the key it had.
func (c *call) toSetAlias(r *records, q *aliasRequest) ([]permission, error) {
	list, err := c.toChangeAlias(r, q.AliasName)
	if err != nil {
		return nil, err
	}
	k, err := c.lookUp(r, q.TargetKeyId, aliasAllowed)
	if err != nil {
		return nil, err
	}
	return append(list, c.onKey(c.operation, q.TargetKeyId, k)), nil
}

// toChangeAlias is what the alias, and the key that it has, must allow. What is
// wrong with the alias itself is told later.
func (c *call) toChangeAlias(r *records, name string) ([]permission, error) {
	list := []permission{c.onNoKey(c.operation, c.scope.aliasARN(name))}
	a, err := r.alias(c.scope, name)
	if a == nil || err != nil || c.operation == "CreateAlias" {
		return list, err
	}
	k, err := r.key(c.scope, a.Target)
	if k != nil {
		list = append(list, c.onKey(c.operation, "", k))
	}
	return list, err
}

// toOpen is what opening a ciphertext needs: the permission on the key that is
// named, or else on the one that the ciphertext tells. Where neither is there,
// nothing will be opened, and the operation says so.
func (c *call) toOpen(r *records, action, ref, algorithm string, blob []byte) ([]permission, error) {
	if ref != "" {
		if c.scope.isRelative(ref) {
			return nil, incorrectKey()
		}
		k, err := c.lookUp(r, ref, aliasAllowed)
		if err != nil {
			return nil, err
		}
		return []permission{c.onKey(action, ref, k)}, nil
	}
	materialID, err := hsm.MaterialIDOf(blob)
	if err != nil || algorithm != hsm.SymmetricDefault {
		return nil, nil
	}
	k, err := c.ownerOf(r, nil, materialID)
	if k == nil {
		return nil, err
	}
	p := c.onKey(action, "", k)
	p.byCiphertext = true
	return []permission{p}, nil
}

func (c *call) toReEncrypt(r *records, q *reEncryptRequest) ([]permission, error) {
	list, err := c.toOpen(r, "ReEncryptFrom", q.SourceKeyId, orDefault(q.SourceEncryptionAlgorithm, hsm.SymmetricDefault), q.CiphertextBlob)
	if err != nil {
		return nil, err
	}
	k, err := c.lookUp(r, q.DestinationKeyId, aliasAllowed)
	if err != nil {
		return nil, err
	}
	list = append(list, c.onKey("ReEncryptTo", q.DestinationKeyId, k))
	for i := range list {
		list[i].side = "Source"
		list[i].same = list[0].key.arn() == k.arn()
	}
	list[len(list)-1].side = "Destination"
	return list, nil
}

// draft is the key that a request would create, as far as conditions look at it.
func (q *createKeyRequest) draft(c *call) *key {
	k := &key{
		Scope: c.scope, ID: newUUID(), Usage: orDefault(q.KeyUsage, hsm.EncryptDecrypt), Origin: orDefault(q.Origin, originKMS),
		Spec: orDefault(orDefault(q.KeySpec, q.CustomerMasterKeySpec), hsm.SymmetricDefault),
	}
	if q.MultiRegion {
		k.ID, k.Primary = newMultiRegionID(), c.scope.Region
	}
	return k
}

// draftReplica is the replica that a key would get.
func (k *key) draftReplica(region string) *key {
	return &key{
		Scope: scope{k.Scope.Account, region}, ID: k.ID, Usage: k.Usage, Origin: k.Origin, Spec: k.Spec, Primary: k.Scope.Region,
	}
}
