// SPDX-License-Identifier: Apache-2.0

package mockkms

import "github.com/keymat/keymat/mockkms/internal/hsm"

// keyMetadata is KeyMetadata of the API. Which members appear in which state
// is recorded (section 1 of the recorded page).
type keyMetadata struct {
	AWSAccountId                string
	KeyId                       string
	Arn                         string
	CreationDate                epoch
	Enabled                     bool
	Description                 string
	KeyUsage                    string
	KeyState                    string
	DeletionDate                epoch `json:",omitzero"`
	ValidTo                     epoch `json:",omitzero"`
	Origin                      string
	ExpirationModel             string `json:",omitempty"`
	KeyManager                  string
	CustomerMasterKeySpec       string
	KeySpec                     string
	EncryptionAlgorithms        []string `json:",omitempty"`
	SigningAlgorithms           []string `json:",omitempty"`
	KeyAgreementAlgorithms      []string `json:",omitempty"`
	MacAlgorithms               []string `json:",omitempty"`
	EncapsulationAlgorithms     []string `json:",omitempty"`
	MultiRegion                 bool
	MultiRegionConfiguration    *multiRegionConfiguration `json:",omitempty"`
	PendingDeletionWindowInDays int                       `json:",omitempty"`
	CurrentKeyMaterialId        string                    `json:",omitempty"`
}

type multiRegionConfiguration struct {
	MultiRegionKeyType string
	PrimaryKey         multiRegionKey
	ReplicaKeys        []multiRegionKey
}

type multiRegionKey struct {
	Arn    string
	Region string
}

// metadata describes a settled key.
func (k *key) metadata() keyMetadata {
	s := k.state()
	m := keyMetadata{
		AWSAccountId: k.Scope.Account,
		KeyId:        k.ID,
		Arn:          k.arn(),
		CreationDate: epochOf(k.Created),
		Enabled:      s == stateEnabled,
		Description:  k.Description,
		KeyUsage:     k.Usage,
		KeyState:     s.String(),
		Origin:       k.Origin,
		KeyManager:   "CUSTOMER",

		CustomerMasterKeySpec: k.Spec,
		KeySpec:               k.Spec,
		MultiRegion:           k.multiRegion(),
	}
	if k.Service != "" {
		m.KeyManager = "AWS"
	}
	k.listAlgorithms(&m)
	model, validTo := k.expiry()
	m.ExpirationModel, m.ValidTo = model, epochOf(validTo)
	if c := k.current(); c != nil && k.symmetric() && s != stateCreating {
		m.CurrentKeyMaterialId = c.ID
	}
	switch s {
	case statePendingDeletion:
		m.DeletionDate = epochOf(k.Deletion.At)
	case statePendingReplicaDeletion:
		m.PendingDeletionWindowInDays = k.Deletion.Days
	}
	if k.multiRegion() {
		m.MultiRegionConfiguration = k.configuration()
	}
	return m
}

// configuration tells of all copies of a multi-Region key, whichever is asked.
func (k *key) configuration() *multiRegionConfiguration {
	in := func(region string) multiRegionKey {
		return multiRegionKey{Arn: scope{k.Scope.Account, region}.keyARN(k.ID), Region: region}
	}
	c := &multiRegionConfiguration{MultiRegionKeyType: "PRIMARY", PrimaryKey: in(k.Primary), ReplicaKeys: []multiRegionKey{}}
	if k.isReplica() {
		c.MultiRegionKeyType = "REPLICA"
	}
	for _, region := range k.Replicas {
		c.ReplicaKeys = append(c.ReplicaKeys, in(region))
	}
	return c
}

// listAlgorithms fills the one list that belongs to the key's usage.
func (k *key) listAlgorithms(m *keyMetadata) {
	algorithms := k.spec().Algorithms(k.Usage)
	switch k.Usage {
	case hsm.EncryptDecrypt:
		m.EncryptionAlgorithms = algorithms
	case hsm.SignVerify:
		m.SigningAlgorithms = algorithms
	case hsm.GenerateVerifyMAC:
		m.MacAlgorithms = algorithms
	case hsm.KeyAgreement:
		m.KeyAgreementAlgorithms = algorithms
	case hsm.EncapsulateDecapsulate:
		m.EncapsulationAlgorithms = algorithms
	}
}
