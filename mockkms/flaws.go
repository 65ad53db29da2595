// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"fmt"
	"slices"
)

// A Flaw is a rule of KMS that the mock is told to break, and no other. With
// it one can see that an experiment about that rule fails. What merely refuses
// something that KMS accepts needs no flaw: a [Fault] does that.
type Flaw string

// The flaws, by what the mock does with them.
const (
	// FlawTokenForAnyKey imports under a token that was fetched for another key.
	FlawTokenForAnyKey Flaw = "token-for-any-key"
	// FlawTokenNeverExpires takes tokens after their 24 hours.
	FlawTokenNeverExpires Flaw = "token-never-expires"
	// FlawDeadlineMisstated tells ParametersValidTo a day later than it is.
	FlawDeadlineMisstated Flaw = "deadline-misstated"

	// FlawPortable lets a key that holds the same material open ciphertexts of
	// another.
	FlawPortable Flaw = "ciphertext-portable"
	// FlawOutright encrypts with the material itself, so that whoever has it can
	// do the same outside.
	FlawOutright Flaw = "encrypts-outright"
	// FlawRelativeARN lets a multi-Region key be named by the ARN of its copy in
	// another Region when it decrypts.
	FlawRelativeARN Flaw = "relative-arn"
	// FlawMaterialReplaced puts new material in the place of that imported into
	// HMAC and asymmetric keys.
	FlawMaterialReplaced Flaw = "material-replaced"
	// FlawNamesKey writes the ARN of the key behind each ciphertext of Encrypt.
	FlawNamesKey Flaw = "ciphertext-names-key"

	// FlawOtherMaterial puts whatever is imported in the place of the current
	// material.
	FlawOtherMaterial Flaw = "accepts-other-material"
	// FlawDeletionForgets takes other material in the place of what was deleted.
	FlawDeletionForgets Flaw = "deletion-forgets"
	// FlawKnownAsNew takes known material as NEW_KEY_MATERIAL.
	FlawKnownAsNew Flaw = "known-material-as-new"
	// FlawNamedIDIgnored imports without regard to the KeyMaterialId asked for.
	FlawNamedIDIgnored Flaw = "material-id-ignored"
	// FlawNewWithID lets NEW_KEY_MATERIAL come with a KeyMaterialId.
	FlawNewWithID Flaw = "new-material-with-id"
	// FlawKeysAlike makes KeyMaterialIds and ciphertexts of the material alone,
	// without regard to the key.
	FlawKeysAlike Flaw = "keys-alike"
	// FlawIDForAll answers imports into HMAC and asymmetric keys with an ID.
	FlawIDForAll Flaw = "material-id-for-all"
	// FlawMembersForAll lets ImportType, KeyMaterialId and description be used
	// with HMAC and asymmetric keys.
	FlawMembersForAll Flaw = "import-type-for-all"
	// FlawDescriptionDropped forgets a material's description when it is
	// imported again without one.
	FlawDescriptionDropped Flaw = "description-dropped"

	// FlawAutomaticRotation lets automatic rotation be turned on and off for
	// keys with imported material.
	FlawAutomaticRotation Flaw = "automatic-rotation"
	// FlawNewAtOnce makes NEW_KEY_MATERIAL current without a rotation.
	FlawNewAtOnce Flaw = "new-material-at-once"
	// FlawRotationForgets refuses ciphertexts of all but the current material.
	FlawRotationForgets Flaw = "rotation-forgets"
	// FlawRotatesNothing takes a rotation with nothing to rotate in.
	FlawRotatesNothing Flaw = "rotates-nothing"
	// FlawRotatesInAnyState takes a rotation of keys that cannot be used.
	FlawRotatesInAnyState Flaw = "rotates-in-any-state"
	// FlawThirdMaterial takes new material while other new material waits.
	FlawThirdMaterial Flaw = "third-material"
	// FlawWaitingStays says that it deleted waiting material, and keeps it.
	FlawWaitingStays Flaw = "waiting-material-stays"
	// FlawOldMaterialStays says that it deleted material that is no longer
	// current, and keeps it.
	FlawOldMaterialStays Flaw = "old-material-stays"
	// FlawRotationDecided ends a rotation with the material it was asked for.
	FlawRotationDecided Flaw = "rotation-decided-at-once"
	// FlawDisablingStops ends a rotation when the key is disabled.
	FlawDisablingStops Flaw = "disabling-stops-rotation"

	// FlawAnyWrapping gives out parameters for every algorithm and wrapping key.
	FlawAnyWrapping Flaw = "any-wrapping"
	// FlawAnyOAEPHash opens RSAES_OAEP with other hashes, too.
	FlawAnyOAEPHash Flaw = "any-oaep-hash"
	// FlawPKCS1 opens PKCS #1 v1.5 padding in place of OAEP.
	FlawPKCS1 Flaw = "opens-pkcs1-v1-5"
	// FlawShortMaterial fills up material that is too short with zeros.
	FlawShortMaterial Flaw = "fills-up-short-material"

	// FlawExpiryOptional takes imports that do not say when the material
	// expires, and keeps it for ever.
	FlawExpiryOptional Flaw = "expiry-optional"
	// FlawDateForEver takes a date with material that does not expire.
	FlawDateForEver Flaw = "date-for-ever"
	// FlawDateInPast takes an expiry date in the past.
	FlawDateInPast Flaw = "date-in-past"
	// FlawDateBeyondYear takes an expiry date that is more than 365 days ahead.
	FlawDateBeyondYear Flaw = "date-beyond-a-year"
	// FlawFractionsKept does not cut expiry dates down to whole seconds.
	FlawFractionsKept Flaw = "fractions-kept"
	// FlawNeverExpires lets material stay beyond its date.
	FlawNeverExpires Flaw = "material-never-expires"
	// FlawExpiredListed lists expired material like deleted material.
	FlawExpiredListed Flaw = "expired-looks-deleted"
	// FlawFirstDateStays keeps the expiry of a first import for good.
	FlawFirstDateStays Flaw = "first-date-stays"
	// FlawDeletionWaits says that it deleted the current material, and keeps it.
	FlawDeletionWaits Flaw = "deletion-waits"
	// FlawEnablesEmpty takes EnableKey for a key without material.
	FlawEnablesEmpty Flaw = "enables-without-material"
	// FlawImportLeavesDisabled imports into a disabled key without enabling it.
	FlawImportLeavesDisabled Flaw = "import-leaves-disabled"
	// FlawAnyWindow schedules deletions with windows of any length.
	FlawAnyWindow Flaw = "any-deletion-window"
	// FlawImportsWhileDeleting gives out parameters for keys that wait for
	// their deletion, and imports into them.
	FlawImportsWhileDeleting Flaw = "imports-while-deleting"
	// FlawCancelEnables enables a key whose deletion is cancelled.
	FlawCancelEnables Flaw = "cancelling-enables"

	// FlawMaterialReplicated gives replicas the material of the primary key.
	FlawMaterialReplicated Flaw = "material-replicated"
	// FlawReplicaTakesNew takes new material and descriptions in replicas.
	FlawReplicaTakesNew Flaw = "replica-takes-new"
	// FlawRotatesAhead rotates without regard to replicas that lack the material.
	FlawRotatesAhead Flaw = "rotates-ahead-of-replicas"
	// FlawPrimaryGoesFirst does not let primary keys wait for their replicas.
	FlawPrimaryGoesFirst Flaw = "primary-goes-first"

	// FlawExports answers GetPublicKey on a symmetric key with its material.
	FlawExports Flaw = "exports-material"
	// FlawAnyOrigin gives out parameters for keys whose material KMS made.
	FlawAnyOrigin Flaw = "any-origin"
	// FlawKeyStoreIgnored makes keys for import as if no custom key store had
	// been named.
	FlawKeyStoreIgnored Flaw = "key-store-ignored"
	// FlawAnySpec makes keys for import of every spec.
	FlawAnySpec Flaw = "any-spec-for-import"
)

// Flaws lists all flaws there are.
func Flaws() []Flaw {
	return []Flaw{
		FlawTokenForAnyKey, FlawTokenNeverExpires, FlawDeadlineMisstated,
		FlawPortable, FlawOutright, FlawRelativeARN, FlawMaterialReplaced, FlawNamesKey,
		FlawOtherMaterial, FlawDeletionForgets, FlawKnownAsNew, FlawNamedIDIgnored, FlawNewWithID, FlawKeysAlike, FlawIDForAll,
		FlawMembersForAll, FlawDescriptionDropped,
		FlawAutomaticRotation, FlawNewAtOnce, FlawRotationForgets, FlawRotatesNothing, FlawRotatesInAnyState, FlawThirdMaterial,
		FlawWaitingStays, FlawOldMaterialStays, FlawRotationDecided, FlawDisablingStops,
		FlawAnyWrapping, FlawAnyOAEPHash, FlawPKCS1, FlawShortMaterial,
		FlawExpiryOptional, FlawDateForEver, FlawDateInPast, FlawDateBeyondYear, FlawFractionsKept, FlawNeverExpires,
		FlawExpiredListed, FlawFirstDateStays, FlawDeletionWaits, FlawEnablesEmpty, FlawImportLeavesDisabled, FlawAnyWindow,
		FlawImportsWhileDeleting, FlawCancelEnables,
		FlawMaterialReplicated, FlawReplicaTakesNew, FlawRotatesAhead, FlawPrimaryGoesFirst,
		FlawExports, FlawAnyOrigin, FlawKeyStoreIgnored, FlawAnySpec,
	}
}

// UnmarshalText takes the name of a flaw there is.
func (f *Flaw) UnmarshalText(text []byte) error {
	if !slices.Contains(Flaws(), Flaw(text)) {
		return fmt.Errorf("there is no flaw %q", text)
	}
	*f = Flaw(text)
	return nil
}

// WithFlaws breaks rules of KMS; see [Conditions].
func WithFlaws(flaws ...Flaw) Option {
	return func(k *KMS) { k.adjust(func(c *Conditions) { c.Flaws = append(c.Flaws, flaws...) }) }
}

// FlawsMet lists the flaws that made a difference to the calls so far, or would
// have: those of which a check decided something. Of the others one knows that
// the same calls would have had the same answers.
func (k *KMS) FlawsMet() []Flaw {
	return slices.DeleteFunc(Flaws(), func(f Flaw) bool {
		_, met := k.flawsMet.Load(f)
		return !met
	})
}
