// SPDX-License-Identifier: Apache-2.0

package mockkms

type enableKeyRotationRequest struct {
	aboutKey
	RotationPeriodInDays *int `shape:"RotationPeriodInDaysType"`
}

func enableKeyRotation(c *call, k *key, r *enableKeyRotationRequest) (void, error) {
	switch {
	case !k.symmetric():
		return void{}, unsupported()
	case k.isReplica():
		return void{}, replicaRefused(k.arn(), c.operation)
	}
	k.enableRotation(r.RotationPeriodInDays, c.now)
	return void{}, nil
}

// disableKeyRotation takes every key of origin AWS_KMS, also one that never
// rotates (recorded for HMAC).
func disableKeyRotation(c *call, k *key, _ *keyRequest) (void, error) {
	if k.isReplica() {
		return void{}, replicaRefused(k.arn(), c.operation)
	}
	k.disableRotation()
	return void{}, nil
}

type getKeyRotationStatusAnswer struct {
	KeyRotationEnabled        bool
	KeyId                     string
	RotationPeriodInDays      int   `json:",omitempty"`
	NextRotationDate          epoch `json:",omitzero"`
	OnDemandRotationStartDate epoch `json:",omitzero"`
}

// getKeyRotationStatus answers for every key, also of origin EXTERNAL and in
// every state (recorded; older pages name an exception). A key that is pending
// deletion does not show that it would rotate (recorded).
func getKeyRotationStatus(_ *call, k *key, _ *keyRequest) (*getKeyRotationStatusAnswer, error) {
	a := &getKeyRotationStatusAnswer{KeyId: k.arn(), OnDemandRotationStartDate: epochOf(k.Rotation.OnDemandStarted)}
	if k.Rotation.PeriodDays != 0 && k.state() != statePendingDeletion {
		a.KeyRotationEnabled = true
		a.RotationPeriodInDays = k.Rotation.PeriodDays
		a.NextRotationDate = epochOf(k.Rotation.Next)
	}
	return a, nil
}

// rotateKeyOnDemand starts a rotation that ends by itself some time later.
func rotateKeyOnDemand(c *call, k *key, _ *keyRequest) (*keyIDAnswer, error) {
	switch {
	case !k.symmetric():
		return nil, unsupported()
	case k.isReplica():
		return nil, replicaRefused(k.arn(), c.operation)
	}
	if err := k.startRotation(c.now, c.now.Add(c.kms.rotation), c.flawed); err != nil {
		return nil, err
	}
	return &keyIDAnswer{k.arn()}, nil
}

type listKeyRotationsRequest struct {
	aboutKey
	IncludeKeyMaterial string `shape:"IncludeKeyMaterial"`
	paging
}

type listKeyRotationsAnswer struct {
	Rotations []rotationsListEntry
	page
}

type rotationsListEntry struct {
	KeyId                  string
	KeyMaterialId          string `json:",omitempty"`
	KeyMaterialDescription string `json:",omitempty"`
	ImportState            string `json:",omitempty"`
	KeyMaterialState       string `json:",omitempty"`
	ExpirationModel        string `json:",omitempty"`
	ValidTo                epoch  `json:",omitzero"`
	RotationDate           epoch  `json:",omitzero"`
	RotationType           string `json:",omitempty"`
}

// listKeyRotations lists completed rotations, or all materials, oldest first.
func listKeyRotations(c *call, k *key, r *listKeyRotationsRequest) (*listKeyRotationsAnswer, error) {
	if r.IncludeKeyMaterial != "" && !k.symmetric() {
		return nil, validation("Input parameter includeKeyMaterial can only be used with symmetric keys.")
	}
	entries := []rotationsListEntry{}
	for _, m := range k.Materials {
		all := r.IncludeKeyMaterial == "ALL_KEY_MATERIAL"
		if k.symmetric() && (all || !m.Rotated.IsZero()) {
			e := k.rotationEntry(m)
			if m.Bytes == nil && !m.Deleted && c.flawed(FlawExpiredListed) {
				e.ImportState = "PENDING_IMPORT"
			}
			entries = append(entries, e)
		}
	}
	entries, p, err := slicePage(&r.paging, 100, "rotations", entries, func(e rotationsListEntry) string { return e.KeyMaterialId })
	if err != nil {
		return nil, err
	}
	return &listKeyRotationsAnswer{entries, p}, nil
}

// rotationEntry tells of one material. Which members it has in which case is
// recorded: an expired material still says IMPORTED, a deleted one does not.
func (k *key) rotationEntry(m *material) rotationsListEntry {
	e := rotationsListEntry{
		KeyId:                  k.arn(),
		KeyMaterialId:          m.ID,
		KeyMaterialDescription: m.Description,
		KeyMaterialState:       string(m.State),
		RotationDate:           epochOf(m.Rotated),
	}
	switch {
	case m.Automatic:
		e.RotationType = "AUTOMATIC"
	case !m.Rotated.IsZero():
		e.RotationType = "ON_DEMAND"
	}
	switch {
	case k.Origin != originExternal:
	case m.Deleted:
		e.ImportState = "PENDING_IMPORT"
	default:
		e.ImportState = "IMPORTED"
		e.ExpirationModel = expirationModel(m.ValidTo)
		e.ValidTo = epochOf(m.ValidTo)
	}
	return e
}
