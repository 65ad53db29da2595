// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/keymat/keymat/mockkms/internal/hsm"
)

// A materialState says what part a material plays in its key.
type materialState string

const (
	current         materialState = "CURRENT"
	nonCurrent      materialState = "NON_CURRENT"
	pendingRotation materialState = "PENDING_ROTATION"
	// pendingEverywhere is pending material that some copy of a multi-Region
	// key still lacks.
	pendingEverywhere materialState = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
)

// permanent reports whether the material belongs to its key for good. Only
// such material counts for the key's state.
func (s materialState) permanent() bool { return s == current || s == nonCurrent }

// A material is one key material of a key. Without Bytes it was deleted or
// expired; the key goes on to know it by its ID.
type material struct {
	ID          string // 64 hex digits; shown for symmetric keys only
	State       materialState
	Bytes       []byte    `json:",omitempty"` // canonical: raw, or PKCS #8
	Deleted     bool      `json:",omitempty"` // lost by DeleteImportedKeyMaterial, not by expiry
	ValidTo     time.Time `json:",omitzero"`  // whole seconds; zero: does not expire
	Outlasts    bool      `json:",omitempty"` // and stays, for a flaw
	Description string    `json:",omitempty"`
	Rotated     time.Time `json:",omitzero"`  // when it became current, unless it was the first
	Automatic   bool      `json:",omitempty"` // it did so by an automatic rotation

	opened *opened // the bytes, parsed; shared by all copies
}

// opened holds what the HSM makes of a material's bytes, made once.
type opened struct {
	once   sync.Once
	key    *hsm.Key
	cipher *hsm.Cipher // symmetric keys only
	err    error
}

// expires reports whether the material has a date, and goes by it.
func (m *material) expires() bool { return !m.ValidTo.IsZero() && !m.Outlasts }

// setBytes gives the material its bytes, or takes them away.
func (m *material) setBytes(b []byte) {
	m.Bytes = b
	m.opened = &opened{}
}

// open parses the material of key k. Bytes are stored only after they were
// parsed once, so an error means a damaged record.
func (m *material) open(k *key) (*opened, error) {
	o := m.opened
	o.once.Do(func() {
		if o.key, o.err = hsm.ParseMaterial(k.Spec, m.Bytes); o.err == nil && k.symmetric() {
			o.cipher, o.err = hsm.NewCipher(k.identity(), o.key)
		}
	})
	if o.err != nil {
		// Not %w: a stored material that does not parse is our fault, and must
		// not reach the client as a refusal of what it sent.
		return nil, fmt.Errorf("opening a material of %s: %v", k.arn(), o.err)
	}
	return o, nil
}

// firstMaterial makes the material with which a key of origin AWS_KMS begins.
func firstMaterial(k *key) (*material, error) {
	b, err := hsm.GenerateMaterial(k.Spec)
	if err != nil {
		return nil, fmt.Errorf("generating %s material: %w", k.Spec, err)
	}
	parsed, err := hsm.ParseMaterial(k.Spec, b)
	if err != nil {
		return nil, fmt.Errorf("generating %s material: %w", k.Spec, err)
	}
	m := &material{ID: hsm.MaterialID(k.identity(), parsed.Canonical()), State: current}
	m.setBytes(parsed.Canonical())
	return m, nil
}

// addRotated adds the material that a rotation brings into a symmetric key of
// origin AWS_KMS.
func (k *key) addRotated() *material {
	b := hsm.RotatedMaterial(k.identity(), len(k.Materials))
	m := k.add(hsm.MaterialID(k.identity(), b), pendingRotation)
	m.setBytes(b)
	return m
}

func newIdentity() []byte {
	b := make([]byte, 32)
	rand.Read(b)
	return b
}

// current is the material that encrypts, or nil before the first import.
func (k *key) current() *material { return k.inState(current) }

// pending is the material that waits for its rotation, or nil.
func (k *key) pending() *material {
	if m := k.inState(pendingRotation); m != nil {
		return m
	}
	return k.inState(pendingEverywhere)
}

func (k *key) inState(s materialState) *material {
	for _, m := range k.Materials {
		if m.State == s {
			return m
		}
	}
	return nil
}

func (k *key) material(id string) *material {
	for _, m := range k.Materials {
		if m.ID == id {
			return m
		}
	}
	return nil
}

// named is the material with the ID, the current one for "".
func (k *key) named(id string) *material {
	if id == "" {
		return k.current()
	}
	return k.material(id)
}

// An importing is material on its way into a key: unwrapped, parsed and with
// its ID, together with what the request says of it.
type importing struct {
	id          string
	bytes       []byte
	newMaterial bool   // NEW_KEY_MATERIAL was asked for
	existing    bool   // EXISTING_KEY_MATERIAL was asked for
	expected    string // KeyMaterialId of the request
	description *string
	validTo     time.Time // zero: does not expire
	now         time.Time
	flawed      func(Flaw) bool
}

// importMaterial takes material in, or refuses it (section 4.1 of the
// behaviour page, as corrected by what was recorded). A disabled key becomes
// enabled by it (recorded).
func (k *key) importMaterial(in importing) error {
	if in.expected != "" && in.expected != in.id && !in.flawed(FlawNamedIDIgnored) {
		return unexpectedMaterial(in.expected)
	}
	m := k.material(in.id)
	switch {
	case m != nil && in.newMaterial && !in.flawed(FlawKnownAsNew):
		return materialAlreadyAssociated(in.id, k.arn())
	case m != nil: // again the same: its expiry and perhaps description change
	case len(k.Materials) == 0 && in.existing:
		return refuseSilently("IncorrectKeyMaterialException") // assumed: there is no ID to name
	case len(k.Materials) == 0:
		m = k.add(in.id, current)
	case !in.newMaterial && (in.flawed(FlawOtherMaterial) || k.current().Bytes == nil && in.flawed(FlawDeletionForgets)):
		m = k.current()
		m.ID = in.id
	case !in.newMaterial:
		return unexpectedMaterial(k.current().ID)
	case in.flawed(FlawNewAtOnce):
		m = k.add(in.id, pendingRotation)
		k.rotateTo(m, in.now)
	case k.pending() != nil && !in.flawed(FlawThirdMaterial):
		return anotherMaterialPending(in.id, k.arn(), k.pending().ID)
	default:
		m = k.add(in.id, pendingRotation)
	}
	m.Deleted = false
	if m.ValidTo.Equal(in.validTo) || m.Bytes == nil || !in.flawed(FlawFirstDateStays) {
		m.ValidTo = in.validTo
	}
	m.Outlasts = !m.ValidTo.IsZero() && in.flawed(FlawNeverExpires)
	m.setBytes(in.bytes)
	if in.description != nil {
		m.Description = *in.description
	} else if m.Description != "" && in.flawed(FlawDescriptionDropped) {
		m.Description = ""
	}
	if m.State.permanent() && (!k.Disabled || !in.flawed(FlawImportLeavesDisabled)) {
		k.Disabled = false
	}
	return nil
}

func (k *key) add(id string, s materialState) *material {
	m := &material{ID: id, State: s}
	k.Materials = append(k.Materials, m)
	return m
}

// deleteMaterial removes the bytes of the material with the given ID, or of
// the current one for "". A pending material is forgotten altogether, with its
// description, except that a replica learns of it again from its primary.
// Deleting twice is no error (recorded). It returns the ID of the material
// meant, "" when nothing was ever imported.
func (k *key) deleteMaterial(id string) (string, error) {
	m := k.named(id)
	switch {
	case m == nil && id != "":
		return "", materialNeverImported(id, k.arn())
	case m == nil:
		return "", nil
	case m.State.permanent():
		m.setBytes(nil)
		m.Deleted = true
		m.ValidTo = time.Time{}
	default:
		k.Materials = slices.DeleteFunc(k.Materials, func(x *material) bool { return x == m })
	}
	return m.ID, nil
}

// expiry tells ExpirationModel and ValidTo of the key: the earliest expiry
// among the permanently associated materials (documented), nothing unless all
// of them are there (recorded).
func (k *key) expiry() (model string, validTo time.Time) {
	if k.Creation != nil {
		return k.Creation.ExpirationModel, k.Creation.ValidTo
	}
	if k.Origin != originExternal || !k.complete() {
		return "", time.Time{}
	}
	for _, m := range k.Materials {
		if m.State.permanent() && !m.ValidTo.IsZero() && (validTo.IsZero() || m.ValidTo.Before(validTo)) {
			validTo = m.ValidTo
		}
	}
	return expirationModel(validTo), validTo
}

func expirationModel(validTo time.Time) string {
	if validTo.IsZero() {
		return materialLasts
	}
	return materialExpires
}
