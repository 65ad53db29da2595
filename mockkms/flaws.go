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

// The flaws, by what the mock does with them. The rules that they break are
// those of keymat verify.
const (
	// FlawTokenForAnyKey imports under a token that was fetched for another key.
	// Breaks token-reuse/other-key and token-reuse/second-key.
	FlawTokenForAnyKey Flaw = "token-for-any-key"
	// FlawTokenNeverExpires takes tokens after their 24 hours. Breaks
	// token-reuse/expired-token.
	FlawTokenNeverExpires Flaw = "token-never-expires"
	// FlawDeadlineMisstated tells ParametersValidTo a day later than it is. Breaks
	// token-reuse/valid-24-hours.
	FlawDeadlineMisstated Flaw = "deadline-misstated"

	// FlawPortable lets a key that holds the same material open ciphertexts of
	// another. Breaks portability/other-key and others.
	FlawPortable Flaw = "ciphertext-portable"
	// FlawOutright encrypts with the material itself, so that whoever has it can do
	// the same outside. Breaks portability/outside and portability/made-outside.
	FlawOutright Flaw = "encrypts-outright"
	// FlawRelativeARN lets a multi-Region key be named by the ARN of its copy in
	// another Region when it decrypts. Breaks portability/regions.
	FlawRelativeARN Flaw = "relative-arn"
	// FlawMaterialReplaced puts new material in the place of that imported into
	// HMAC and asymmetric keys. Breaks portability/mac and others.
	FlawMaterialReplaced Flaw = "material-replaced"
	// FlawNamesKey writes the ARN of the key behind each ciphertext of Encrypt.
	// Breaks portability/names-material-only and others.
	FlawNamesKey Flaw = "ciphertext-names-key"

	// FlawOtherMaterial puts whatever is imported in the place of the current
	// material. Breaks same-material/other-bytes and others.
	FlawOtherMaterial Flaw = "accepts-other-material"
	// FlawDeletionForgets takes other material in the place of what was deleted.
	// Breaks same-material/after-deletion and others.
	FlawDeletionForgets Flaw = "deletion-forgets"
	// FlawKnownAsNew takes known material as NEW_KEY_MATERIAL. Breaks
	// same-material/known-as-new and rotation/expired-material.
	FlawKnownAsNew Flaw = "known-material-as-new"
	// FlawNamedIDIgnored imports without regard to the KeyMaterialId asked for.
	// Breaks same-material/named-id.
	FlawNamedIDIgnored Flaw = "material-id-ignored"
	// FlawNewWithID lets NEW_KEY_MATERIAL come with a KeyMaterialId. Breaks
	// same-material/new-with-id.
	FlawNewWithID Flaw = "new-material-with-id"
	// FlawKeysAlike makes KeyMaterialIds and ciphertexts of the material alone,
	// without regard to the key. Breaks same-material/id-per-key and others.
	FlawKeysAlike Flaw = "keys-alike"
	// FlawIDForAll answers imports into HMAC and asymmetric keys with an ID. Breaks
	// same-material/no-ids-elsewhere.
	FlawIDForAll Flaw = "material-id-for-all"
	// FlawMembersForAll lets ImportType, KeyMaterialId and description be used with
	// HMAC and asymmetric keys. Breaks same-material/one-for-life.
	FlawMembersForAll Flaw = "import-type-for-all"
	// FlawDescriptionDropped forgets a material's description when it is imported
	// again without one. Breaks same-material/description.
	FlawDescriptionDropped Flaw = "description-dropped"

	// FlawAutomaticRotation lets automatic rotation be turned on and off for keys
	// with imported material. Breaks rotation/no-automatic.
	FlawAutomaticRotation Flaw = "automatic-rotation"
	// FlawNewAtOnce makes NEW_KEY_MATERIAL current without a rotation. Breaks
	// rotation/staged and others.
	FlawNewAtOnce Flaw = "new-material-at-once"
	// FlawRotationForgets refuses ciphertexts of all but the current material.
	// Breaks rotation/on-demand and others.
	FlawRotationForgets Flaw = "rotation-forgets"
	// FlawRotatesNothing takes a rotation with nothing to rotate in. Breaks
	// rotation/nothing-waiting and rotation/second-request.
	FlawRotatesNothing Flaw = "rotates-nothing"
	// FlawRotatesInAnyState takes a rotation of keys that cannot be used. Breaks
	// rotation/without-material and rotation/disabled.
	FlawRotatesInAnyState Flaw = "rotates-in-any-state"
	// FlawThirdMaterial takes new material while other new material waits. Breaks
	// rotation/third-material.
	FlawThirdMaterial Flaw = "third-material"
	// FlawWaitingStays says that it deleted waiting material, and keeps it. Breaks
	// rotation/withdraw and others.
	FlawWaitingStays Flaw = "waiting-material-stays"
	// FlawOldMaterialStays says that it deleted material that is no longer current,
	// and keeps it. Breaks rotation/lose-any.
	FlawOldMaterialStays Flaw = "old-material-stays"
	// FlawRotationDecided ends a rotation with the material it was asked for.
	// Breaks rotation/decided-at-the-end.
	FlawRotationDecided Flaw = "rotation-decided-at-once"
	// FlawDisablingStops ends a rotation when the key is disabled. Breaks
	// rotation/not-stopped-by-disabling.
	FlawDisablingStops Flaw = "disabling-stops-rotation"

	// FlawAnyWrapping gives out parameters for every algorithm and wrapping key.
	// Breaks wrapping/symmetric and others.
	FlawAnyWrapping Flaw = "any-wrapping"
	// FlawAnyOAEPHash opens RSAES_OAEP with other hashes, too. Breaks
	// wrapping/wrong-hash and wrapping/mixed-hashes.
	FlawAnyOAEPHash Flaw = "any-oaep-hash"
	// FlawPKCS1 opens PKCS #1 v1.5 padding in place of OAEP. Breaks
	// wrapping/wrong-padding.
	FlawPKCS1 Flaw = "opens-pkcs1-v1-5"
	// FlawShortMaterial fills up material that is too short with zeros. Breaks
	// wrapping/length.
	FlawShortMaterial Flaw = "fills-up-short-material"

	// FlawExpiryOptional takes imports that do not say when the material expires,
	// and keeps it for ever. Breaks lifetime/expiry-required and
	// token-reuse/failed-import.
	FlawExpiryOptional Flaw = "expiry-optional"
	// FlawDateForEver takes a date with material that does not expire. Breaks
	// lifetime/no-date-for-ever.
	FlawDateForEver Flaw = "date-for-ever"
	// FlawDateInPast takes an expiry date in the past. Breaks
	// lifetime/date-in-future.
	FlawDateInPast Flaw = "date-in-past"
	// FlawDateBeyondYear takes an expiry date that is more than 365 days ahead.
	// Breaks lifetime/at-most-365-days.
	FlawDateBeyondYear Flaw = "date-beyond-a-year"
	// FlawFractionsKept does not cut expiry dates down to whole seconds. Breaks
	// lifetime/expiry-implied.
	FlawFractionsKept Flaw = "fractions-kept"
	// FlawNeverExpires lets material stay beyond its date. Breaks lifetime/expires
	// and others.
	FlawNeverExpires Flaw = "material-never-expires"
	// FlawExpiredListed lists expired material like deleted material. Breaks
	// lifetime/expired-looks-imported.
	FlawExpiredListed Flaw = "expired-looks-deleted"
	// FlawFirstDateStays keeps the expiry of a first import for good. Breaks
	// lifetime/new-date and multi-region/expiry-apart.
	FlawFirstDateStays Flaw = "first-date-stays"
	// FlawDeletionWaits says that it deleted the current material, and keeps it.
	// Breaks lifetime/delete-at-once and others.
	FlawDeletionWaits Flaw = "deletion-waits"
	// FlawEnablesEmpty takes EnableKey for a key without material. Breaks
	// lifetime/without-material.
	FlawEnablesEmpty Flaw = "enables-without-material"
	// FlawImportLeavesDisabled imports into a disabled key without enabling it.
	// Breaks lifetime/import-enables.
	FlawImportLeavesDisabled Flaw = "import-leaves-disabled"
	// FlawAnyWindow schedules deletions with windows of any length. Breaks
	// lifetime/deletion-window.
	FlawAnyWindow Flaw = "any-deletion-window"
	// FlawImportsWhileDeleting gives out parameters for keys that wait for their
	// deletion, and imports into them. Breaks lifetime/deletion-pending.
	FlawImportsWhileDeleting Flaw = "imports-while-deleting"
	// FlawCancelEnables enables a key whose deletion is cancelled. Breaks
	// lifetime/deletion-cancelled.
	FlawCancelEnables Flaw = "cancelling-enables"

	// FlawMaterialReplicated gives replicas the material of the primary key. Breaks
	// multi-region/not-copied and others.
	FlawMaterialReplicated Flaw = "material-replicated"
	// FlawReplicaTakesNew takes new material and descriptions in replicas. Breaks
	// multi-region/primary-only.
	FlawReplicaTakesNew Flaw = "replica-takes-new"
	// FlawRotatesAhead rotates without regard to replicas that lack the material.
	// Breaks multi-region/everywhere-first.
	FlawRotatesAhead Flaw = "rotates-ahead-of-replicas"
	// FlawPrimaryGoesFirst does not let primary keys wait for their replicas.
	// Breaks multi-region/deletion.
	FlawPrimaryGoesFirst Flaw = "primary-goes-first"

	// FlawExports answers GetPublicKey on a symmetric key with its material. Breaks
	// never/export.
	FlawExports Flaw = "exports-material"
	// FlawAnyOrigin gives out parameters for keys whose material KMS made. Breaks
	// never/kms-origin.
	FlawAnyOrigin Flaw = "any-origin"
	// FlawKeyStoreIgnored makes keys for import as if no custom key store had been
	// named. Breaks never/custom-key-store.
	FlawKeyStoreIgnored Flaw = "key-store-ignored"
	// FlawAnySpec makes keys for import of every spec. Breaks never/ml-dsa.
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

// WatchFlaws calls met whenever a flaw makes a difference to a call, or would if
// the mock had it. Calls that meet no flaw have the same answers with it. Met
// may be called from several goroutines at once.
func WatchFlaws(met func(Flaw)) Option { return func(k *KMS) { k.meets = met } }
