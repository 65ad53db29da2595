// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/keymat/keymat/mockkms/internal/hsm"
)

type createKeyRequest struct {
	Policy                         string `shape:"PolicyType"`
	Description                    string `shape:"DescriptionType"`
	KeyUsage                       string `shape:"KeyUsageType"`
	CustomerMasterKeySpec          string `shape:"CustomerMasterKeySpec"`
	KeySpec                        string `shape:"KeySpec"`
	Origin                         string `shape:"OriginType"`
	CustomKeyStoreId               string `shape:"CustomKeyStoreIdType"`
	BypassPolicyLockoutSafetyCheck bool   `shape:"BooleanType"`
	Tags                           []tag  `shape:"TagList"`
	MultiRegion                    bool   `shape:"BooleanType"`
	XksKeyId                       string `shape:"XksKeyIdType"`
}

type createKeyAnswer struct {
	KeyMetadata keyMetadata
}

func createKey(c *call, r *createKeyRequest) (*createKeyAnswer, error) {
	k, err := newKey(c, r)
	if err != nil {
		return nil, err
	}
	if k.Origin == originKMS { // material first: it may take its time
		m, err := firstMaterial(k)
		if err != nil {
			return nil, err
		}
		k.Materials = append(k.Materials, m)
	}
	c.key = k.arn()
	raw, err := k.encode() // while others write
	if err != nil {
		return nil, err
	}
	if err := c.write(func(r *records) error { return r.addKey(k, raw) }); err != nil {
		return nil, err
	}
	return &createKeyAnswer{k.metadata()}, nil
}

// newKey makes the key that a request describes, without material.
func newKey(c *call, r *createKeyRequest) (*key, error) {
	spec, err := r.spec(c.scope)
	if err != nil {
		return nil, err
	}
	usage, err := r.usage(spec)
	if err != nil {
		return nil, err
	}
	origin, err := r.origin(c, spec)
	if err != nil {
		return nil, err
	}
	if err := checkPolicy(r.Policy); err != nil {
		return nil, err
	}
	tags, err := addTags(nil, r.Tags)
	if err != nil {
		return nil, err
	}
	k := &key{
		Scope:       c.scope,
		ID:          newUUID(),
		Created:     c.now.Truncate(time.Millisecond),
		Description: r.Description,
		Spec:        spec.Name(),
		Usage:       usage,
		Origin:      origin,
		Policy:      r.Policy,
		Tags:        tags,
		Identity:    newIdentity(),
	}
	if k.symmetric() && c.flawed(FlawKeysAlike) {
		clear(k.Identity)
	}
	if r.MultiRegion {
		k.ID, k.Primary = newMultiRegionID(), c.scope.Region
	}
	return k, nil
}

// spec reads KeySpec, or the name it used to have.
func (r *createKeyRequest) spec(here scope) (*hsm.Spec, error) {
	name := r.KeySpec
	switch {
	case r.CustomerMasterKeySpec == "" && name == "":
		name = hsm.SymmetricDefault
	case name == "":
		name = r.CustomerMasterKeySpec
	case r.CustomerMasterKeySpec != "":
		return nil, validation("You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.")
	}
	s, ok := hsm.LookupSpec(name)
	if !ok || !here.offers(name) {
		return nil, unsupportedHere("KeySpec", name)
	}
	return s, nil
}

func (r *createKeyRequest) usage(spec *hsm.Spec) (string, error) {
	switch {
	case r.KeyUsage == "" && spec.Symmetric():
		return hsm.EncryptDecrypt, nil
	case r.KeyUsage == "":
		return "", validation("You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.")
	case !slices.Contains(spec.Usages(), r.KeyUsage):
		return "", validation("KeyUsage %s is not compatible with KeySpec %s", r.KeyUsage, spec.Name())
	}
	return r.KeyUsage, nil
}

func (r *createKeyRequest) origin(c *call, spec *hsm.Spec) (string, error) {
	if r.XksKeyId != "" && r.Origin != "EXTERNAL_KEY_STORE" { // documented; code and text are assumed
		return "", validation("XksKeyId is not valid for Origin %s.", cmp.Or(r.Origin, originKMS))
	}
	switch r.Origin {
	case "", originKMS:
		if r.CustomKeyStoreId != "" {
			return "", noSuchKeyStore()
		}
		return originKMS, nil
	case originExternal:
		if r.CustomKeyStoreId != "" && !c.flawed(FlawKeyStoreIgnored) {
			return "", noSuchKeyStore() // documented to be impossible; the code is assumed
		}
		if !spec.Importable() && !c.flawed(FlawAnySpec) {
			return "", validation("KeySpec %s is not supported for Origin EXTERNAL", spec.Name())
		}
		return originExternal, nil
	}
	if r.CustomKeyStoreId == "" {
		return "", validation("CustomKeyStoreId must be specified for Origin %s.", r.Origin) // assumed
	}
	return "", noSuchKeyStore()
}

func newMultiRegionID() string {
	var b [16]byte
	rand.Read(b[:])
	return "mrk-" + hex.EncodeToString(b[:])
}

type describeKeyRequest struct {
	aboutKey
	withGrantTokens
}

func describeKey(_ *call, k *key, _ *describeKeyRequest) (*createKeyAnswer, error) {
	return &createKeyAnswer{k.metadata()}, nil
}

type listKeysRequest struct {
	paging
}

type listKeysAnswer struct {
	Keys []keyListEntry
	page
}

type keyListEntry struct {
	KeyId  string
	KeyArn string
}

func listKeys(c *call, r *listKeysRequest) (*listKeysAnswer, error) {
	prefix := c.scope.record(keyRecords, "")
	var ids []string
	p, err := r.collect(c, 100, prefix, func(rec *records, name string) (bool, error) {
		id := strings.TrimPrefix(name, prefix)
		k, err := rec.key(c.scope, id)
		if k != nil {
			ids = append(ids, id)
		}
		return k != nil, err
	})
	if err != nil {
		return nil, err
	}
	answer := &listKeysAnswer{Keys: []keyListEntry{}, page: p}
	for _, id := range ids {
		answer.Keys = append(answer.Keys, keyListEntry{id, c.scope.keyARN(id)})
	}
	return answer, nil
}

type keyRequest struct {
	aboutKey
}

func enableKey(c *call, k *key, _ *keyRequest) (void, error) {
	if k.Disabled {
		k.resumeRotation(c.now)
	}
	k.Disabled = false
	return void{}, nil
}

func disableKey(c *call, k *key, _ *keyRequest) (void, error) {
	k.Disabled = true
	if !k.Rotation.OnDemandStarted.IsZero() && c.flawed(FlawDisablingStops) {
		k.Rotation.OnDemandStarted, k.Rotation.OnDemandEnds = time.Time{}, time.Time{}
	}
	return void{}, nil
}

type updateKeyDescriptionRequest struct {
	aboutKey
	Description string `shape:"DescriptionType,required"`
}

func updateKeyDescription(_ *call, k *key, r *updateKeyDescriptionRequest) (void, error) {
	k.Description = r.Description
	return void{}, nil
}

type scheduleKeyDeletionRequest struct {
	aboutKey
	PendingWindowInDays *int `shape:"PendingWindowInDaysType"`
}

type scheduleKeyDeletionAnswer struct {
	KeyId               string
	DeletionDate        epoch `json:",omitzero"`
	KeyState            string
	PendingWindowInDays int
}

// The deletion window, in days.
const (
	minDeletionWindow     = 7
	maxDeletionWindow     = 30
	defaultDeletionWindow = 30
)

func scheduleKeyDeletion(c *call, k *key, r *scheduleKeyDeletionRequest) (*scheduleKeyDeletionAnswer, error) {
	window := defaultDeletionWindow
	if r.PendingWindowInDays != nil {
		window = *r.PendingWindowInDays
	}
	if (window < minDeletionWindow || window > maxDeletionWindow) && !c.flawed(FlawAnyWindow) {
		return nil, validation("PendingWindowInDays must be between %d and %d", minDeletionWindow, maxDeletionWindow)
	}
	if stock := c.kms.wrappingKeys; stock != nil {
		stock.giveBack(k.arn())
	}
	k.Deletion = &deletion{Days: window}
	if k.isReplica() || len(k.Replicas) == 0 || c.flawed(FlawPrimaryGoesFirst) {
		k.Deletion.begin(c.now)
	}
	return &scheduleKeyDeletionAnswer{k.arn(), epochOf(k.Deletion.At), k.state().String(), window}, nil
}

type keyIDAnswer struct {
	KeyId string // the ARN
}

// cancelKeyDeletion leaves the key disabled, or pending import where material
// is missing.
func cancelKeyDeletion(c *call, k *key, _ *keyRequest) (*keyIDAnswer, error) {
	k.Deletion = nil
	k.Disabled = !c.flawed(FlawCancelEnables)
	return &keyIDAnswer{k.arn()}, nil
}
