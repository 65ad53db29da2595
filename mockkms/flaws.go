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

	// FlawOtherMaterial puts whatever is imported in the place of the current
	// material.
	FlawOtherMaterial Flaw = "accepts-other-material"
	// FlawDeletionForgets lets a key whose material was deleted begin anew.
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
)

// Flaws lists all flaws there are.
func Flaws() []Flaw {
	return []Flaw{
		FlawTokenForAnyKey, FlawTokenNeverExpires, FlawDeadlineMisstated,
		FlawOtherMaterial, FlawDeletionForgets, FlawKnownAsNew, FlawNamedIDIgnored, FlawNewWithID, FlawKeysAlike, FlawIDForAll,
		FlawMembersForAll, FlawDescriptionDropped,
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

// flawed reports whether the mock has the flaw. It is asked where the flaw
// makes a difference only: after the refusal that it prevents is certain.
func (c *call) flawed(f Flaw) bool {
	c.kms.flawsMet.Store(f, true)
	return slices.Contains(c.conditions.Flaws, f)
}
