// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/keymat/keymat/mockkms"
)

// A model is what one account holds in one Region, by the rules that AWS KMS
// documents or was recorded to follow; it foretells every answer. It was
// written from those pages, not from the mock. Of multi-Region keys and
// automatic rotation it knows nothing.
//
// Things are called by names in braces, {key 0} or {key 0 of A*32}, which stand
// for what KMS calls them: see [names].
type model struct {
	now        time.Time
	keys       []*modelKey // in the order of their creation, those that are gone too
	tokens     []modelToken
	blobs      []modelBlob
	macs       []string             // the names of their makers
	signatures []string             // the names of their makers
	aliases    map[string]*modelKey // by their names
}

// A modelKey is a key of the model.
type modelKey struct {
	name                string // "key 0"
	spec, usage, origin string
	description         string
	disabled, gone      bool
	deletion            time.Time        // zero: not scheduled
	rotation            time.Time        // when the one under way ends; zero: there is none
	materials           []*modelMaterial // that belong to the key for good, oldest first; the last is current
	pending             *modelMaterial   // rotation; nil: there is none
	forgotten           []string         // the names of materials deleted while pending
}

// A modelMaterial is key material that a key knows.
type modelMaterial struct {
	name        string // "key 0 of A*32"
	here        bool   // neither deleted nor expired
	deleted     bool
	validTo     time.Time // zero: it lasts
	rotated     time.Time // zero: it did not come by rotation
	description string
}

// A modelToken is an import token.
type modelToken struct {
	key       *modelKey
	algorithm string
	validTo   time.Time
}

// A modelBlob is a symmetric ciphertext.
type modelBlob struct {
	key       *modelKey
	material  *modelMaterial
	context   string // JSON
	plaintext string // base64, or a name
}

// newModel is an account without keys, at the time of the recordings: not at
// the beginning of a second.
func newModel() *model {
	return &model{now: time.UnixMilli(1789207520956), aliases: make(map[string]*modelKey)}
}

// create adds a key of one kind, which tells origin, spec and usage.
func (m *model) create(k *modelKey) want {
	k.name = fmt.Sprint("key ", len(m.keys))
	if k.origin == "AWS_KMS" {
		k.generate(time.Time{})
	}
	m.keys = append(m.keys, k)
	return k.described().and("KeyMetadata.KeyId", "{id of "+k.name+"}")
}

// generate has KMS make the key's next material, and makes it current.
func (k *modelKey) generate(at time.Time) {
	k.materials = append(k.materials, &modelMaterial{name: fmt.Sprint(k.name, " of KMS ", len(k.materials)), here: true, rotated: at})
}

// wait lets time pass, and happen what is due.
func (m *model) wait(d time.Duration) {
	m.now = m.now.Add(d)
	for _, k := range m.keys {
		k.pass(m.now)
	}
	for name, k := range m.aliases {
		if k.gone {
			delete(m.aliases, name)
		}
	}
}

// pass has happen to a key what is due now.
func (k *modelKey) pass(now time.Time) {
	if !k.rotation.IsZero() && !now.Before(k.rotation) {
		k.rotate()
	}
	for _, mat := range k.all() {
		if !mat.validTo.IsZero() && !now.Before(mat.validTo) {
			mat.here = false
		}
	}
	if !k.deletion.IsZero() && !now.Before(k.deletion) {
		k.gone = true
	}
}

// rotate ends the rotation under way: what is pending now becomes current,
// expired or not, and nothing changes if nothing is (recorded).
func (k *modelKey) rotate() {
	switch {
	case k.origin == "AWS_KMS":
		k.generate(k.rotation)
	case k.pending != nil:
		k.pending.rotated = k.rotation
		k.materials, k.pending = append(k.materials, k.pending), nil
	}
	k.rotation = time.Time{}
}

// all lists the materials as ListKeyRotations does, oldest first.
func (k *modelKey) all() []*modelMaterial {
	if k.pending == nil {
		return k.materials
	}
	return append(slices.Clone(k.materials), k.pending)
}

// material finds a material by its name; nil: the key does not know it.
func (k *modelKey) material(name string) *modelMaterial {
	for _, mat := range k.all() {
		if mat.name == name {
			return mat
		}
	}
	return nil
}

func (k *modelKey) current() *modelMaterial {
	if len(k.materials) == 0 {
		return nil
	}
	return k.materials[len(k.materials)-1]
}

func (k *modelKey) symmetric() bool { return k.spec == "SYMMETRIC_DEFAULT" }

// incomplete reports whether material is missing: all that belongs to a key for
// good must be there.
func (k *modelKey) incomplete() bool {
	return len(k.materials) == 0 || slices.ContainsFunc(k.materials, func(mat *modelMaterial) bool { return !mat.here })
}

func (k *modelKey) state() string {
	switch {
	case !k.deletion.IsZero():
		return "PendingDeletion"
	case k.incomplete():
		return "PendingImport"
	case k.disabled:
		return "Disabled"
	}
	return "Enabled"
}

// expiry is what DescribeKey tells of it: of all materials that belong to the
// key for good the earliest, and nothing while one is missing.
func (k *modelKey) expiry() (expiration, validTo string) {
	if k.origin == "AWS_KMS" || k.incomplete() {
		return absent, absent
	}
	var first time.Time
	for _, mat := range k.materials {
		if !mat.validTo.IsZero() && (first.IsZero() || mat.validTo.Before(first)) {
			first = mat.validTo
		}
	}
	return expiryOf(first)
}

// expiryOf tells an expiry as KMS does.
func expiryOf(validTo time.Time) (expiration, seconds string) {
	if validTo.IsZero() {
		return "KEY_MATERIAL_DOES_NOT_EXPIRE", absent
	}
	return "KEY_MATERIAL_EXPIRES", inSeconds(validTo)
}

// described is what DescribeKey answers.
func (k *modelKey) described() want {
	expiration, validTo := k.expiry()
	w := answers(
		"KeyMetadata.Arn", k.ref(), "KeyMetadata.Origin", k.origin, "KeyMetadata.KeySpec", k.spec, "KeyMetadata.KeyUsage", k.usage,
		"KeyMetadata.KeyState", k.state(), "KeyMetadata.Enabled", strconv.FormatBool(k.state() == "Enabled"),
		"KeyMetadata.Description", k.description, "KeyMetadata.ExpirationModel", expiration, "KeyMetadata.ValidTo", validTo,
		"KeyMetadata.DeletionDate", inSeconds(k.deletion), "KeyMetadata.CurrentKeyMaterialId", absent)
	if k.symmetric() && k.current() != nil {
		w = w.and("KeyMetadata.CurrentKeyMaterialId", "{"+k.current().name+"}")
	}
	return w
}

// listed is what ListKeyRotations answers when asked for all materials.
func (k *modelKey) listed() want {
	if !k.symmetric() {
		return refuses("ValidationException: Input parameter includeKeyMaterial can only be used with symmetric keys.")
	}
	w := answers("Truncated", "false", fmt.Sprintf("Rotations.%d", len(k.all())), absent)
	for i, mat := range k.all() {
		state := "NON_CURRENT"
		switch mat {
		case k.pending:
			state = "PENDING_ROTATION"
		case k.current():
			state = "CURRENT"
		}
		entry := fmt.Sprintf("Rotations.%d.", i)
		w = w.and(entry+"KeyId", k.ref(), entry+"KeyMaterialId", "{"+mat.name+"}", entry+"KeyMaterialState", state, entry+"RotationDate", inSeconds(mat.rotated))
		if k.origin == "EXTERNAL" {
			w = w.and(mat.listed(entry)...)
		}
	}
	return w
}

// listed tells what ListKeyRotations has on imported material only. Expired
// material is still said to be there: recorded for 15 minutes, assumed for ever.
func (mat *modelMaterial) listed(entry string) []string {
	description, state, expiration, validTo := mat.description, "PENDING_IMPORT", absent, absent
	if description == "" {
		description = absent
	}
	if !mat.deleted {
		state = "IMPORTED"
		expiration, validTo = expiryOf(mat.validTo)
	}
	return []string{entry + "KeyMaterialDescription", description, entry + "ImportState", state, entry + "ExpirationModel", expiration, entry + "ValidTo", validTo}
}

// rotationStatus is what GetKeyRotationStatus answers.
func (k *modelKey) rotationStatus() want {
	start := absent
	if !k.rotation.IsZero() {
		start = inSeconds(k.rotation.Add(-mockkms.DefaultRotationTime))
	}
	return answers("KeyId", k.ref(), "KeyRotationEnabled", "false", "OnDemandRotationStartDate", start)
}

// ref is the name of the key's ARN.
func (k *modelKey) ref() string { return "{" + k.name + "}" }

// refusedWhen tells how KMS refuses what cannot be done in some states, if the
// key is in one of them.
func (k *modelKey) refusedWhen(states ...string) string {
	if !slices.Contains(states, k.state()) {
		return ""
	}
	return map[string]string{
		"Disabled":        "DisabledException: " + k.ref() + " is disabled.",
		"PendingImport":   "KMSInvalidStateException: " + k.ref() + " is pending import.",
		"PendingDeletion": "KMSInvalidStateException: " + k.ref() + " is pending deletion.",
	}[k.state()]
}

// unusable is the refusal of cryptography, and of what is like it.
func (k *modelKey) unusable() string {
	return k.refusedWhen("Disabled", "PendingImport", "PendingDeletion")
}

// inSeconds writes a time as KMS does, and absent for none.
func inSeconds(t time.Time) string {
	if t.IsZero() {
		return absent
	}
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64)
}
