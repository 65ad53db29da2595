// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/keymat/keymat/mockkms/internal/hsm"
)

// parametersLifetime is how long a public key and import token serve (recorded).
const parametersLifetime = 24 * time.Hour

// maxValidity is how far ahead ValidTo may lie (documented; texts recorded).
const maxValidity = 365 * 24 * time.Hour

type getParametersForImportRequest struct {
	aboutKey
	WrappingAlgorithm string `shape:"AlgorithmSpec,required"`
	WrappingKeySpec   string `shape:"WrappingKeySpec,required"`
}

type getParametersForImportAnswer struct {
	KeyId             string
	ImportToken       []byte
	PublicKey         []byte
	ParametersValidTo epoch
}

// getParametersForImport makes no record of what it hands out: the token
// carries all that the import will need.
func getParametersForImport(c *call, rule *rule, r *getParametersForImportRequest) (*getParametersForImportAnswer, error) {
	k, err := c.find(r.KeyId, rule)
	if err != nil {
		return nil, err
	}
	if !hsm.WrappingAllowed(k.Spec, r.WrappingAlgorithm, r.WrappingKeySpec) && !c.flawed(FlawAnyWrapping) {
		return nil, validation("Wrapping algorithm %s and wrapping key spec %s cannot be used to import a %s key.",
			r.WrappingAlgorithm, r.WrappingKeySpec, k.Spec)
	}
	wrapping, err := c.wrappingKey(k, r.WrappingKeySpec)
	if err != nil {
		return nil, err
	}
	secret, err := c.tokenSecret()
	if err != nil {
		return nil, err
	}
	validTo := c.now.Truncate(time.Millisecond).Add(parametersLifetime)
	token, err := hsm.SealToken(secret, hsm.TokenClaims{
		KeyARN:          k.arn(),
		Algorithm:       r.WrappingAlgorithm,
		WrappingKeySpec: r.WrappingKeySpec,
		ValidTo:         validTo,
		WrappingKey:     wrapping.private,
	})
	if err != nil {
		return nil, fmt.Errorf("sealing an import token: %w", err)
	}
	if c.flawed(FlawDeadlineMisstated) {
		validTo = validTo.Add(parametersLifetime)
	}
	return &getParametersForImportAnswer{k.arn(), token, wrapping.public, epochOf(validTo)}, nil
}

type importKeyMaterialRequest struct {
	aboutKey
	ImportToken            []byte     `shape:"CiphertextType,required"`
	EncryptedKeyMaterial   []byte     `shape:"CiphertextType,required"`
	ValidTo                *time.Time `shape:"DateType"`
	ExpirationModel        string     `shape:"ExpirationModelType"`
	ImportType             string     `shape:"ImportType"`
	KeyMaterialDescription *string    `shape:"KeyMaterialDescriptionType"`
	KeyMaterialId          string     `shape:"BackingKeyIdType"`
}

type materialAnswer struct {
	KeyId         string
	KeyMaterialId string `json:",omitempty"` // symmetric keys only (recorded)
}

// importKeyMaterial unwraps and parses on a snapshot of the key, which takes
// a private RSA operation, and only then changes the key. What may have
// changed in between is checked again.
func importKeyMaterial(c *call, rule *rule, r *importKeyMaterialRequest) (*materialAnswer, error) {
	validTo, err := r.expiry(c)
	if err != nil {
		return nil, err
	}
	k, err := c.find(r.KeyId, rule)
	if err != nil {
		return nil, err
	}
	if err := r.checkMembers(c, k); err != nil {
		return nil, err
	}
	token, err := c.openToken(k, r.ImportToken)
	if err != nil {
		return nil, err
	}
	parsed, err := c.unwrap(k, token, r.EncryptedKeyMaterial)
	if err != nil {
		return nil, err
	}
	b, err := c.replaced(k, parsed)
	if err != nil {
		return nil, err
	}
	in := importing{
		id:          hsm.MaterialID(k.identity(), parsed.Canonical()),
		bytes:       b,
		newMaterial: r.ImportType == "NEW_KEY_MATERIAL",
		existing:    r.ImportType == "EXISTING_KEY_MATERIAL",
		expected:    r.KeyMaterialId,
		description: r.KeyMaterialDescription,
		validTo:     validTo,
		now:         c.now,
		flawed:      c.flawed,
	}
	err = c.change(k.arn(), rule, func(rec *records, k *key) error {
		if err := c.spendToken(rec, token, r.ImportToken); err != nil {
			return err
		}
		return k.importMaterial(in)
	})
	if err != nil {
		return nil, err
	}
	if !k.symmetric() && c.flawed(FlawIDForAll) {
		return &materialAnswer{k.arn(), in.id}, nil
	}
	return k.materialAnswer(in.id), nil
}

func (k *key) materialAnswer(id string) *materialAnswer {
	if !k.symmetric() {
		id = ""
	}
	return &materialAnswer{k.arn(), id}
}

// expiry reads ExpirationModel and ValidTo: without the former, material
// expires. The zero time means that it does not. ValidTo is cut down to whole
// seconds (recorded).
func (r *importKeyMaterialRequest) expiry(c *call) (time.Time, error) {
	switch {
	case r.ExpirationModel == materialLasts && r.ValidTo != nil && !c.flawed(FlawDateForEver):
		return time.Time{}, validation("A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE")
	case r.ExpirationModel == materialLasts:
		return time.Time{}, nil
	case r.ValidTo == nil && c.flawed(FlawExpiryOptional):
		return time.Time{}, nil
	case r.ValidTo == nil:
		return time.Time{}, validation("A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES")
	case !r.ValidTo.After(c.now) && !c.flawed(FlawDateInPast):
		return time.Time{}, validation("ValidTo must be in the future")
	case r.ValidTo.After(c.now.Add(maxValidity)) && !c.flawed(FlawDateBeyondYear):
		return time.Time{}, validation("ValidTo must be less than 365 days in the future")
	}
	whole := r.ValidTo.Truncate(time.Second)
	if !whole.Equal(*r.ValidTo) && c.flawed(FlawFractionsKept) {
		return *r.ValidTo, nil
	}
	return whole, nil
}

// checkMembers refuses what may not be combined with each other or with the
// key's spec, before the material is looked at (recorded).
func (r *importKeyMaterialRequest) checkMembers(c *call, k *key) error {
	if !k.symmetric() {
		for _, member := range []struct {
			name  string
			given bool
		}{
			{"importType", r.ImportType != ""},
			{"keyMaterialId", r.KeyMaterialId != ""},
			{"keyMaterialDescription", r.KeyMaterialDescription != nil},
		} {
			if member.given && !c.flawed(FlawMembersForAll) {
				return validation("Input parameter %s cannot be used with %s imported keys.", member.name, k.Spec)
			}
		}
	}
	if k.isReplica() && k.symmetric() {
		if err := r.checkReplica(); err != nil && !c.flawed(FlawReplicaTakesNew) {
			return err
		}
	}
	if r.ImportType == "NEW_KEY_MATERIAL" && r.KeyMaterialId != "" && !c.flawed(FlawNewWithID) {
		return validation("Input parameter keyMaterialId cannot be used with NEW_KEY_MATERIAL importType.")
	}
	return nil
}

// checkReplica refuses what is for the primary key alone (recorded).
func (r *importKeyMaterialRequest) checkReplica() error {
	switch {
	case r.ImportType == "NEW_KEY_MATERIAL":
		return validation("Input parameter ImportType NEW_KEY_MATERIAL cannot be used on replica Multi-Region keys")
	case r.KeyMaterialDescription != nil:
		return validation("Key material description can only be specified on primary Multi-Region keys")
	}
	return nil
}

// openToken opens a token and checks that it was made for this key and is
// not yet too old.
func (c *call) openToken(k *key, token []byte) (hsm.TokenClaims, error) {
	secret, err := c.tokenSecret()
	if err != nil {
		return hsm.TokenClaims{}, err
	}
	claims, err := hsm.OpenToken(secret, token)
	switch {
	case err != nil:
		return hsm.TokenClaims{}, refusalOf(err)
	case claims.KeyARN != k.arn() && !c.flawed(FlawTokenForAnyKey):
		return hsm.TokenClaims{}, invalidImportToken()
	case !c.now.Before(claims.ValidTo) && !c.flawed(FlawTokenNeverExpires):
		return hsm.TokenClaims{}, expiredImportToken()
	}
	return claims, nil
}

// unwrap opens wrapped material and parses it as the key's spec demands.
// Whatever is wrong with it, KMS says no more than InvalidCiphertextException.
func (c *call) unwrap(k *key, token hsm.TokenClaims, wrapped []byte) (*hsm.Key, error) {
	private, err := hsm.ParseWrappingKey(token.WrappingKey)
	if err != nil {
		return nil, fmt.Errorf("reading the wrapping key of a token: %w", err)
	}
	plaintext, err := c.unwrapAnyhow(private, token.Algorithm, wrapped)
	if errors.Is(err, hsm.ErrCiphertextSize) {
		return nil, validation("Invalid encrypted key size.") // reported by a third party
	}
	if err != nil {
		return nil, refusalOf(err)
	}
	parsed, err := c.parseAnyhow(k, plaintext)
	return parsed, refusalOf(err)
}

// spendToken notes that a token was used, in the strict profile, and refuses
// one that was used before.
func (c *call) spendToken(r *records, claims hsm.TokenClaims, token []byte) error {
	if !c.kms.singleUse {
		return nil
	}
	name := fmt.Sprintf("%s%015d/%x", usedRecords, claims.ValidTo.UnixMilli(), sha256.Sum256(token))
	if r.tx.Get(name) != nil {
		return invalidImportToken()
	}
	limit := fmt.Sprintf("%s%015d", usedRecords, c.now.UnixMilli())
	for _, old := range r.list(usedRecords, "", func(name string) bool { return name < limit }) {
		if err := r.tx.Delete(old); err != nil {
			return err
		}
	}
	return r.tx.Put(name, nil)
}

type deleteImportedKeyMaterialRequest struct {
	aboutKey
	KeyMaterialId string `shape:"BackingKeyIdType"`
}

func deleteImportedKeyMaterial(c *call, k *key, r *deleteImportedKeyMaterialRequest) (*materialAnswer, error) {
	if m := k.named(r.KeyMaterialId); m != nil && c.spares(m) {
		return k.materialAnswer(m.ID), nil
	}
	rotating := k.pending()
	id, err := k.deleteMaterial(r.KeyMaterialId)
	if err != nil {
		return nil, err
	}
	if rotating != nil && k.pending() == nil && c.flawed(FlawRotationDecided) {
		k.Rotation.OnDemandStarted, k.Rotation.OnDemandEnds = time.Time{}, time.Time{}
	}
	return k.materialAnswer(id), nil
}
