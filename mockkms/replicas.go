// SPDX-License-Identifier: Apache-2.0

package mockkms

type replicateKeyRequest struct {
	aboutKey
	ReplicaRegion                  string `shape:"RegionType,required"`
	Policy                         string `shape:"PolicyType"`
	BypassPolicyLockoutSafetyCheck bool   `shape:"BooleanType"`
	Description                    string `shape:"DescriptionType"`
	Tags                           []tag  `shape:"TagList"`
}

type replicateKeyAnswer struct {
	ReplicaKeyMetadata keyMetadata
	ReplicaPolicy      string
	ReplicaTags        []tag `json:",omitempty"`
}

// replicateKey makes a copy of a primary key in another Region, which begins
// without description, tags and, unless one is given, policy of its own.
func replicateKey(c *call, rule *rule, r *replicateKeyRequest) (*replicateKeyAnswer, error) {
	var replica *key
	err := c.change(r.KeyId, rule, func(rec *records, k *key) error {
		if !k.multiRegion() || k.isReplica() {
			return notPrimary(k.arn())
		}
		if err := k.checkReplicaRegion(r.ReplicaRegion); err != nil {
			return err
		}
		if err := checkPolicy(r.Policy); err != nil {
			return err
		}
		tags, err := addTags(nil, r.Tags)
		if err != nil {
			return err
		}
		replica = k.addReplica(r.ReplicaRegion, c.now, c.now.Add(c.kms.replication))
		replica.Description, replica.Tags = r.Description, tags
		replica.setPolicy(r.Policy)
		if k.Origin == originExternal && c.flawed(FlawMaterialReplicated) {
			replica.Materials = k.clone().Materials
		}
		return rec.putKey(replica)
	})
	if err != nil {
		return nil, err
	}
	return &replicateKeyAnswer{replica.metadata(), replica.policy(), replica.Tags}, nil
}

type updatePrimaryRegionRequest struct {
	aboutKey
	PrimaryRegion string `shape:"RegionType,required"`
}

// updatePrimaryRegion swaps the roles of a primary key and one of its
// replicas. The primary's state is judged before the replica's (recorded).
func updatePrimaryRegion(c *call, rule *rule, r *updatePrimaryRegionRequest) (hollow, error) {
	return hollow{}, c.change(r.KeyId, rule, func(rec *records, k *key) error {
		switch {
		case !k.multiRegion() || k.isReplica():
			return notPrimaryForUpdate(k.arn())
		case r.PrimaryRegion == k.Scope.Region:
			return nil
		}
		replica, err := rec.key(scope{k.Scope.Account, r.PrimaryRegion}, k.ID)
		if err != nil {
			return err
		}
		if replica == nil {
			return validation("%s does not have a replica key in the specified Region.", k.ID)
		}
		if err := replica.admit(rule, c.operation); err != nil {
			return err
		}
		replica = replica.clone()
		swapRoles(k, replica, c.now.Add(c.kms.replication))
		return rec.putKey(replica)
	})
}
