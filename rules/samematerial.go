// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

func sameMaterial() []Rule {
	return []Rule{{
		ID:         "same-material/other-bytes",
		Statement:  "Other material than that of its first import is refused by a key, which names the material it expects.",
		Why:        "A key is not re-keyed by mistake: whoever means to bring new material has to say so, and to rotate.",
		Sources:    []Source{reference("ImportKeyMaterial"), recorded("importing other material without ImportType")},
		Promise:    Documented,
		Keys:       1,
		Experiment: otherBytes,
	}, {
		ID:         "same-material/after-deletion",
		Statement:  "Deleting its material does not free a key for other material, only for the same.",
		Why:        "Without a copy of the very bytes that were imported a key whose material is gone stays unusable for ever.",
		Sources:    []Source{guideDelete(), recorded("importing other material after a deletion")},
		Promise:    Documented,
		Keys:       1,
		Experiment: otherBytesAfterDeletion,
	}, {
		ID:         "same-material/again",
		Statement:  "The same material can be imported again at any time, wrapped in any way, and keeps its ID.",
		Why:        "Restoring from a copy can be rehearsed on the living key, and a new wrapping does not make it new material.",
		Sources:    []Source{reference("ImportKeyMaterial"), recorded("importing the same material again, with the old and a new token")},
		Promise:    Documented,
		Keys:       1,
		Experiment: sameBytesAgain,
	}, {
		ID:         "same-material/explicitly-existing",
		Statement:  "EXISTING_KEY_MATERIAL takes the material that the key has, and refuses every other.",
		Why:        "Saying so when material is restored makes sure that the key is not prepared for a rotation by accident.",
		Sources:    []Source{reference("ImportKeyMaterial")},
		Promise:    Documented,
		Keys:       1,
		Experiment: explicitlyExisting,
	}, {
		ID:         "same-material/known-as-new",
		Statement:  "NEW_KEY_MATERIAL refuses material that the key knows already, be it current or waiting for its rotation.",
		Why:        "A rotation that would only bring back the old key is noticed before it happens.",
		Sources:    []Source{reference("ImportKeyMaterial"), recorded("importing current and pending material as NEW_KEY_MATERIAL")},
		Promise:    Documented,
		Keys:       1,
		Experiment: knownAsNew,
	}, {
		ID:         "same-material/named-id",
		Statement:  "An import that names a KeyMaterialId succeeds only if the bytes have that ID.",
		Why:        "Naming the ID guards against taking the wrong backup; a mismatch is told with the ID that was asked for.",
		Sources:    []Source{reference("ImportKeyMaterial"), recorded("importing with the KeyMaterialId of other material")},
		Promise:    Documented,
		Keys:       1,
		Experiment: namedID,
	}, {
		ID:         "same-material/new-with-id",
		Statement:  "NEW_KEY_MATERIAL cannot be combined with a KeyMaterialId.",
		Why:        "The ID of new material is KMS's to give: nobody can compute it beforehand.",
		Sources:    []Source{reference("ImportKeyMaterial"), recorded("importing NEW_KEY_MATERIAL with a KeyMaterialId")},
		Promise:    Documented,
		Keys:       1,
		Experiment: newWithID,
	}, {
		ID:         "same-material/id-per-key",
		Statement:  "The same bytes have another KeyMaterialId in each key.",
		Why:        "From the IDs nobody can tell that two keys hold the same material, and they are no fingerprint to compare a backup with.",
		Sources:    []Source{reference("ImportKeyMaterial"), recorded("importing the same 32 bytes into three keys")},
		Promise:    Observed,
		Keys:       2,
		Experiment: idPerKey,
	}, {
		ID:         "same-material/id-survives",
		Statement:  "A key goes on to name its material while that is deleted, and afterwards.",
		Why:        "The ID tells which of several backups is the one to bring back.",
		Sources:    []Source{recorded("DescribeKey before, during and after a deletion")},
		Promise:    Observed,
		Keys:       1,
		Experiment: idSurvives,
	}, {
		ID:         "same-material/no-ids-elsewhere",
		Statement:  "Only symmetric encryption keys show KeyMaterialIds.",
		Why:        "For HMAC and asymmetric keys one proves by a MAC or the public key which material they hold.",
		Sources:    []Source{reference("ImportKeyMaterial"), recorded("importing into HMAC, RSA and ECC keys, and DescribeKey")},
		Promise:    Documented,
		Keys:       2,
		Experiment: noIDsElsewhere,
	}, {
		ID:         "same-material/one-for-life",
		Statement:  "HMAC and asymmetric keys take neither ImportType, KeyMaterialId nor description: they have one material for life.",
		Why:        "Such keys are replaced, not rotated, so whatever names them needs an alias or a plan.",
		Sources:    []Source{reference("ImportKeyMaterial"), recorded("importing into HMAC and ECC keys with each of these parameters")},
		Promise:    Documented,
		Keys:       2,
		Experiment: oneForLife,
	}, {
		ID:         "same-material/other-bytes-elsewhere",
		Statement:  "HMAC and asymmetric keys refuse other material than that of their first import, after a deletion, too.",
		Why:        "A signing key cannot be exchanged behind its public key.",
		Sources:    []Source{guidePlan(), recorded("importing other material into an HMAC key after a deletion")},
		Promise:    Documented,
		Keys:       2,
		Experiment: otherBytesElsewhere,
	}, {
		ID:         "same-material/description",
		Statement:  "The description given with a first import is listed, and stays when the material is imported again without one.",
		Why:        "A note such as the label of the safe bag is not lost by a restore in a hurry.",
		Sources:    []Source{recorded("a described first import, bare imports after it, and ListKeyRotations")},
		Promise:    Observed,
		Keys:       1,
		Experiment: descriptionStays,
	}}
}

// as sets the ImportType of a request.
func as(kind types.ImportType) func(*kms.ImportKeyMaterialInput) {
	return func(in *kms.ImportKeyMaterialInput) { in.ImportType = kind }
}

// naming sets the KeyMaterialId of a request.
func naming(id string) func(*kms.ImportKeyMaterialInput) {
	return func(in *kms.ImportKeyMaterialInput) { in.KeyMaterialId = aws.String(id) }
}

func otherBytes(t *experiment.Trial) {
	k, id := symmetric(t, t.Material(material.SymmetricDefault))
	ciphertext := t.Encrypt(k, "kept")
	t.Import("import other material", unexpected(id), k, wrapped(t, k, t.Material(k.Spec)), nil)
	t.State(k, types.KeyStateEnabled)
	t.Decrypt("decrypt what was encrypted before", experiment.Success, k, ciphertext, "kept")
}

func otherBytesAfterDeletion(t *experiment.Trial) {
	m := t.Material(material.SymmetricDefault)
	k, id := symmetric(t, m)
	ciphertext := t.Encrypt(k, "kept")
	remove(t, "delete the material", k, "")
	p := t.Fetch(k, experiment.Quick(k.Spec))
	t.Import("import other material", unexpected(id), k, t.Wrap(p, t.Material(k.Spec)), nil)
	t.State(k, types.KeyStatePendingImport)
	t.Import("import the right one", experiment.Success, k, t.Wrap(p, m), nil)
	t.State(k, types.KeyStateEnabled)
	t.Decrypt("decrypt what was encrypted before", experiment.Success, k, ciphertext, "kept")
}

func sameBytesAgain(t *experiment.Trial) {
	m := t.Material(material.SymmetricDefault)
	k, id := symmetric(t, m)
	for _, pair := range []wrap.Pair{
		{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA2048},
		{Algorithm: wrap.OAEPSHA1, KeySpec: wrap.RSA3072},
	} {
		again := t.Import("import the same material with "+pair.String(), experiment.Success, k, t.Wrap(t.Fetch(k, pair), m), nil)
		t.Check("the material's ID", id, aws.ToString(again.KeyMaterialId))
	}
	t.Check("the materials of the key", "CURRENT IMPORTED", parts(materials(t, k)))
}

func explicitlyExisting(t *experiment.Trial) {
	m := t.Material(material.SymmetricDefault)
	k, id := symmetric(t, m)
	existing := as(types.ImportTypeExistingKeyMaterial)
	p := t.Fetch(k, experiment.Quick(k.Spec))
	t.Import("import other material as EXISTING_KEY_MATERIAL", unexpected(id), k, t.Wrap(p, t.Material(k.Spec)), existing)
	t.Import("import the same material as EXISTING_KEY_MATERIAL", experiment.Success, k, t.Wrap(p, m), existing)
	t.Check("the materials of the key", "CURRENT IMPORTED", parts(materials(t, k)))
	t.State(k, types.KeyStateEnabled)
}

// alreadyKnown is the refusal of known material as new (recorded).
func alreadyKnown(k experiment.Key, id string) experiment.Answer {
	return experiment.Refused("IncorrectKeyMaterialException").
		Saying("Key material (id: " + id + ") being imported as NEW_KEY_MATERIAL is already associated with KMS key " + k.ARN + ".")
}

func knownAsNew(t *experiment.Trial) {
	first, second := t.Material(material.SymmetricDefault), t.Material(material.SymmetricDefault)
	k, id := symmetric(t, first)
	isNew := as(types.ImportTypeNewKeyMaterial)
	p := t.Fetch(k, experiment.Quick(k.Spec))
	t.Import("import the current material as NEW_KEY_MATERIAL", alreadyKnown(k, id), k, t.Wrap(p, first), isNew)
	staged := t.Import("import other material as NEW_KEY_MATERIAL", experiment.Success, k, t.Wrap(p, second), isNew)
	t.Import("import that as NEW_KEY_MATERIAL once more", alreadyKnown(k, aws.ToString(staged.KeyMaterialId)), k, wrapped(t, k, second), isNew)
	t.State(k, types.KeyStateEnabled)
}

func namedID(t *experiment.Trial) {
	m := t.Material(material.SymmetricDefault)
	k, id := symmetric(t, m)
	w := wrapped(t, k, m)
	t.Import("import the material and name another ID", unexpected(noMaterial), k, w, naming(noMaterial))
	t.Import("import the material and name its ID", experiment.Success, k, w, naming(id))
	t.State(k, types.KeyStateEnabled)
}

func newWithID(t *experiment.Trial) {
	k, id := symmetric(t, t.Material(material.SymmetricDefault))
	t.Import("import other material as NEW_KEY_MATERIAL and name an ID",
		invalid("Input parameter keyMaterialId cannot be used with NEW_KEY_MATERIAL importType."), k, wrapped(t, k, t.Material(k.Spec)),
		func(in *kms.ImportKeyMaterialInput) {
			in.ImportType, in.KeyMaterialId = types.ImportTypeNewKeyMaterial, aws.String(id)
		})
	t.Check("the materials of the key", "CURRENT IMPORTED", parts(materials(t, k)))
}

func idPerKey(t *experiment.Trial) {
	m := t.Material(material.SymmetricDefault)
	_, first := symmetric(t, m)
	_, second := symmetric(t, m)
	t.Check("the IDs of the same material in two keys", "differ", relation(first, second))
	t.Check("how long an ID is", "64", length(len(first)))
}

func relation(a, b string) string {
	if a == b {
		return "are the same"
	}
	return "differ"
}

func idSurvives(t *experiment.Trial) {
	m := t.Material(material.SymmetricDefault)
	k, id := symmetric(t, m)
	const what = "the current material that the key names"
	t.Check(what, id, aws.ToString(t.Describe(k).CurrentKeyMaterialId))
	t.Check("the material that was deleted", id, remove(t, "delete the material", k, ""))
	t.Check(what, id, aws.ToString(t.Describe(k).CurrentKeyMaterialId))
	t.Check("the materials of the key", "CURRENT PENDING_IMPORT", parts(materials(t, k)))
	t.Check("the ID of the material imported again", id, aws.ToString(t.Bring(k, m).KeyMaterialId))
	t.Check(what, id, aws.ToString(t.Describe(k).CurrentKeyMaterialId))
}

func noIDsElsewhere(t *experiment.Trial) {
	for _, spec := range []material.Spec{material.HMAC256, material.ECCNISTP256} {
		k := t.NewKey(spec, nil)
		out := t.Bring(k, t.Material(spec))
		t.Check("the ID that the import tells", "none", orNone(out.KeyMaterialId))
		t.Check("the ID that the key tells", "none", orNone(t.Describe(k).CurrentKeyMaterialId))
	}
}

func oneForLife(t *experiment.Trial) {
	for _, spec := range []material.Spec{material.HMAC256, material.ECCNISTP256} {
		k := t.NewKey(spec, nil)
		w := wrapped(t, k, t.Material(spec))
		refused := func(parameter string) experiment.Answer {
			return invalid("Input parameter " + parameter + " cannot be used with " + string(spec) + " imported keys.")
		}
		t.Import("import it as EXISTING_KEY_MATERIAL", refused("importType"), k, w, as(types.ImportTypeExistingKeyMaterial))
		t.Import("import it as NEW_KEY_MATERIAL", refused("importType"), k, w, as(types.ImportTypeNewKeyMaterial))
		t.Import("import it with a description", refused("keyMaterialDescription"), k, w,
			func(in *kms.ImportKeyMaterialInput) { in.KeyMaterialDescription = aws.String("first") })
		if spec.Kind() == material.HMAC { // what an asymmetric key says to it was not asked
			t.Import("import it and name an ID", refused("keyMaterialId"), k, w, naming(noMaterial))
		}
		t.State(k, types.KeyStatePendingImport)
		t.Import("import it without any of these", experiment.Success, k, w, nil)
	}
}

// noMaterial is spelt as a KeyMaterialId is, and belongs to none.
const noMaterial = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func otherBytesElsewhere(t *experiment.Trial) {
	want := experiment.Refused("IncorrectKeyMaterialException").Saying("Imported key material does not have the expected identifier (")
	for _, spec := range []material.Spec{material.HMAC256, material.ECCNISTP256} {
		k := t.NewKey(spec, nil)
		m := t.Material(spec)
		t.Bring(k, m)
		t.Import("import other material", want, k, wrapped(t, k, t.Material(spec)), nil)
		t.State(k, types.KeyStateEnabled)
		remove(t, "delete the material", k, "")
		p := t.Fetch(k, experiment.Quick(spec))
		t.Import("import other material after that", want, k, t.Wrap(p, t.Material(spec)), nil)
		t.State(k, types.KeyStatePendingImport)
		t.Import("import the right one", experiment.Success, k, t.Wrap(p, m), nil)
		t.State(k, types.KeyStateEnabled)
	}
}

func descriptionStays(t *experiment.Trial) {
	const note = "safe bag 17"
	k := t.NewKey(material.SymmetricDefault, nil)
	m := t.Material(k.Spec)
	t.Import("import the material with a description", experiment.Success, k, wrapped(t, k, m),
		func(in *kms.ImportKeyMaterialInput) { in.KeyMaterialDescription = aws.String(note) })
	t.Check("its description", note, descriptions(materials(t, k)))
	t.Import("import it again without one", experiment.Success, k, wrapped(t, k, m), nil)
	t.Check("its description", note, descriptions(materials(t, k)))
}
