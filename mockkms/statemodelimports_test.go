// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"slices"
	"time"

	"github.com/keymat/keymat/mockkms"
)

// An importing is what an ImportKeyMaterial brings.
type importing struct {
	token                       *modelToken // nil: damaged
	material                    string      // by its name in the suite of conformance
	fit                         bool        // the material has the form that the key takes, and was wrapped as the token says
	expiration                  string      // "": not said
	validTo                     time.Time   // zero: not said
	importType, id, description string      // "": not said
}

// imports says what becomes of an import. Which of several faults is told is
// not known, but that of the material are found last.
func (m *model) imports(k *modelKey, in importing) want {
	if w := refuses(append(in.wrongMembers(k, m.now), in.wrongPlace(k, m.now)...)...); w.refused() {
		return w
	}
	if !in.fit {
		return refuses("InvalidCiphertextException")
	}
	name := k.name + " of " + in.material
	if w := k.rejects(name, in); w.refused() {
		return w
	}
	mat := k.material(name)
	switch {
	case mat != nil:
	case len(k.materials) == 0:
		mat = &modelMaterial{name: name}
		k.materials = append(k.materials, mat)
	default:
		mat = &modelMaterial{name: name}
		k.pending = mat
	}
	mat.here, mat.deleted, mat.validTo = true, false, in.validTo.Truncate(time.Second)
	if in.description != "" {
		mat.description = in.description
	}
	if mat != k.pending && !k.incomplete() {
		k.disabled = false // recorded for a reimport; that staging does not enable is assumed
	}
	if !k.symmetric() {
		return answers("KeyId", k.ref(), "KeyMaterialId", absent)
	}
	return answers("KeyId", k.ref(), "KeyMaterialId", "{"+name+"}")
}

// wrongMembers lists what is wrong with the request as such.
func (in importing) wrongMembers(k *modelKey, now time.Time) (faults []string) {
	const invalid = "ValidationException: "
	switch {
	case in.expiration == "KEY_MATERIAL_DOES_NOT_EXPIRE" && !in.validTo.IsZero():
		faults = append(faults, invalid+"A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE")
	case in.expiration != "KEY_MATERIAL_DOES_NOT_EXPIRE" && in.validTo.IsZero():
		faults = append(faults, invalid+"A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES")
	}
	switch ahead := in.validTo.Sub(now); {
	case in.validTo.IsZero():
	case ahead <= 0:
		faults = append(faults, invalid+"ValidTo must be in the future")
	case ahead > 365*day:
		faults = append(faults, invalid+"ValidTo must be less than 365 days in the future")
	}
	if in.importType == "NEW_KEY_MATERIAL" && in.id != "" {
		faults = append(faults, invalid+"Input parameter keyMaterialId cannot be used with NEW_KEY_MATERIAL importType.")
	}
	if !k.symmetric() {
		for _, member := range [][2]string{{"importType", in.importType}, {"keyMaterialId", in.id}, {"keyMaterialDescription", in.description}} {
			if member[1] != "" {
				faults = append(faults, invalid+"Input parameter "+member[0]+" cannot be used with "+k.spec+" imported keys.")
			}
		}
	}
	return faults
}

// wrongPlace lists what speaks against any import with this token into this key.
func (in importing) wrongPlace(k *modelKey, now time.Time) []string {
	faults := []string{k.unlessExternal(), k.refusedWhen("PendingDeletion")}
	if in.token == nil || in.token.key != k {
		faults = append(faults, "InvalidImportTokenException")
	}
	if in.token != nil && !now.Before(in.token.validTo) {
		faults = append(faults, "ExpiredImportTokenException")
	}
	return faults
}

func (k *modelKey) unlessExternal() string {
	if k.origin == "EXTERNAL" {
		return ""
	}
	return "UnsupportedOperationException: " + k.ref() + " origin is AWS_KMS which is not valid for this operation."
}

// rejects says how a key refuses material that is good as such.
func (k *modelKey) rejects(name string, in importing) want {
	const incorrect = "IncorrectKeyMaterialException: "
	known, asNew := k.material(name) != nil, in.importType == "NEW_KEY_MATERIAL"
	expected := func(name string) want {
		return refuses(incorrect + "Imported key material does not have the expected identifier ({" + name + "}).")
	}
	switch {
	case in.id != "" && in.id != name:
		return expected(in.id)
	case asNew && known:
		return refuses(incorrect + "Key material (id: {" + name + "}) being imported as NEW_KEY_MATERIAL is already associated with KMS key " + k.ref() + ".")
	case asNew && k.pending != nil:
		return refuses("KMSInvalidStateException: New key material (id: {" + name + "}) cannot be imported into KMS key " + k.ref() +
			", because another key material (id: {" + k.pending.name + "}) is pending rotation.")
	case known || asNew || k.current() == nil && in.importType == "" && in.id == "":
		return want{}
	case k.current() == nil || in.id != "": // EXISTING_KEY_MATERIAL of a key that has none, or an ID that is forgotten
		return refuses(incorrect+anything, "IncorrectKeyMaterialException") // code and text assumed
	}
	return expected(k.current().name)
}

// deletes says what becomes of DeleteImportedKeyMaterial; "" is no ID.
func (k *modelKey) deletes(id string) want {
	target := k.current()
	faults := []string{k.unlessExternal()}
	if id != "" {
		if target = k.material(id); target == nil {
			faults = append(faults, "ValidationException: Key material (id: {"+id+"}) has never been imported into KMS key "+k.ref()+".")
		}
	}
	if w := refuses(faults...); w.refused() {
		return w
	}
	w := answers("KeyId", k.ref(), "KeyMaterialId", absent)
	if target == nil {
		return w
	}
	if target == k.pending {
		k.pending, k.forgotten = nil, append(k.forgotten, target.name)
	}
	target.here, target.deleted, target.validTo = false, true, time.Time{}
	if !k.symmetric() {
		return w
	}
	return w.and("KeyMaterialId", "{"+target.name+"}")
}

// rotates says what becomes of RotateKeyOnDemand.
func (m *model) rotates(k *modelKey) want {
	faults := []string{k.unusable()}
	switch {
	case !k.symmetric() && k.state() != "Disabled": // a disabled key says so first
		faults = append(faults, "UnsupportedOperationException")
	case !k.symmetric():
	case !k.rotation.IsZero(): // a second request joins the first (recorded, though not with nothing pending any more)
	case k.origin == "EXTERNAL" && k.pending == nil && k.state() == "Enabled":
		faults = append(faults, "KMSInvalidStateException: No available key material pending rotation for the key: "+k.ref()+".")
	}
	if w := refuses(faults...); w.refused() {
		return w
	}
	if k.rotation.IsZero() {
		k.rotation = m.now.Add(mockkms.DefaultRotationTime)
	}
	return answers("KeyId", k.ref())
}

// wrappingKey is one for all: see [mockkms.WithSharedWrappingKeys].
const wrappingKey = "{wrapping key}"

// parameters says what becomes of GetParametersForImport.
func (m *model) parameters(k *modelKey, algorithm string) want {
	faults := []string{k.unlessExternal(), k.refusedWhen("PendingDeletion")}
	fits := []string{"RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1"}
	switch k.spec {
	case "RSA_2048":
		fits = []string{"RSA_AES_KEY_WRAP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1"}
	case "ECC_NIST_P256":
		fits = append(fits, "RSA_AES_KEY_WRAP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1")
	}
	if !slices.Contains(fits, algorithm) {
		faults = append(faults, "ValidationException: Wrapping algorithm "+algorithm+" and wrapping key spec RSA_2048 cannot be used to import a "+k.spec+" key.")
	}
	if w := refuses(faults...); w.refused() {
		return w
	}
	token := numbered("token", len(m.tokens))
	m.tokens = append(m.tokens, modelToken{k, algorithm, m.now.Add(day)})
	return answers("KeyId", k.ref(), "ImportToken", token, "PublicKey", wrappingKey, "ParametersValidTo", inSeconds(m.now.Add(day)))
}
