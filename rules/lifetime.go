// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
)

func lifetime() []Rule {
	return []Rule{{
		ID:         "lifetime/expiry-required",
		Statement:  "An import has to say when the material expires, or that it never does.",
		Why:        "Expiring is the default: leaving the choice out is an error, not a key that lives for ever.",
		Sources:    []Source{reference("ImportKeyMaterial"), recorded("importing with neither ExpirationModel nor ValidTo")},
		Promise:    Documented,
		Keys:       1,
		Experiment: expiryRequired,
	}, {
		ID:         "lifetime/expiry-implied",
		Statement:  "A date alone makes material expire, to the second, and the key tells so.",
		Why:        "Fractions of a second are cut off, so a comparison with the date one asked for may fail by less than a second.",
		Sources:    []Source{reference("ImportKeyMaterial"), recorded("importing with ValidTo alone, and DescribeKey")},
		Promise:    Documented,
		Keys:       1,
		Experiment: expiryImplied,
	}, {
		ID:         "lifetime/no-date-for-ever",
		Statement:  "Material that does not expire cannot have an expiry date.",
		Why:        "A contradiction is not resolved by KMS in either direction.",
		Sources:    []Source{reference("ImportKeyMaterial"), recorded("importing with ValidTo and KEY_MATERIAL_DOES_NOT_EXPIRE")},
		Promise:    Documented,
		Keys:       1,
		Experiment: noDateForEver,
	}, {
		ID:         "lifetime/date-in-future",
		Statement:  "The expiry date must lie in the future.",
		Why:        "A wrong year or time zone is told at once, not by a key that is dead on arrival.",
		Sources:    []Source{reference("ImportKeyMaterial"), recorded("importing with a date one minute ago")},
		Promise:    Documented,
		Keys:       1,
		Experiment: dateInFuture,
	}, {
		ID:         "lifetime/at-most-365-days",
		Statement:  "Material can be made to expire at most 365 days ahead.",
		Why:        "Material that is to expire in two years has to be imported again once a year.",
		Sources:    []Source{reference("ImportKeyMaterial"), recorded("importing with a date 367 days ahead")},
		Promise:    Documented,
		Keys:       1,
		Experiment: atMostAYear,
	}, {
		ID:         "lifetime/expires",
		Statement:  "At its date material expires by itself, and the key cannot be used until the same material is imported again.",
		Why:        "A forgotten date is an outage, which ends with an import and loses no data, provided that there is a copy.",
		Sources:    []Source{guideImport(), recorded("a key before and after its ValidTo, and importing again")},
		Promise:    Documented,
		Effects:    "moves the clock ahead by an hour",
		Keys:       1,
		MovesClock: true,
		Experiment: expires,
	}, {
		ID:         "lifetime/expired-looks-imported",
		Statement:  "The list of materials goes on to call expired material imported, unlike deleted material.",
		Why:        "To find expired material look at the key's state and the date, not at the ImportState.",
		Sources:    []Source{recorded("ListKeyRotations after an expiry and after a deletion")},
		Promise:    Observed,
		Effects:    "moves the clock ahead by an hour",
		Keys:       1,
		MovesClock: true,
		Experiment: expiredLooksImported,
	}, {
		ID:         "lifetime/new-date",
		Statement:  "Importing the same material again gives it a new expiry, or takes it away.",
		Why:        "A date is moved without a gap in service, but not without the material.",
		Sources:    []Source{reference("ImportKeyMaterial"), recorded("importing again with another ExpirationModel")},
		Promise:    Documented,
		Keys:       1,
		Experiment: newDate,
	}, {
		ID:         "lifetime/delete-at-once",
		Statement:  "Deleting imported material takes effect at once.",
		Why:        "It is the only way to put a key out of use for good without waiting for a week, and nothing asks twice.",
		Sources:    []Source{reference("DeleteImportedKeyMaterial"), recorded("Encrypt and Decrypt after DeleteImportedKeyMaterial")},
		Promise:    Documented,
		Keys:       1,
		Experiment: deleteAtOnce,
	}, {
		ID:         "lifetime/delete-twice",
		Statement:  "Deleting material that is gone, or was never there, is no error.",
		Why:        "An emergency script can be run again; success does not mean that there was anything to delete.",
		Sources:    []Source{recorded("DeleteImportedKeyMaterial before the first import, and twice after it")},
		Promise:    Observed,
		Keys:       1,
		Experiment: deleteTwice,
	}, {
		ID:         "lifetime/delete-unknown",
		Statement:  "Deleting material by an ID that the key never had is refused.",
		Why:        "A mistyped ID does not pass for a deletion.",
		Sources:    []Source{recorded("DeleteImportedKeyMaterial with an unknown KeyMaterialId")},
		Promise:    Observed,
		Keys:       1,
		Experiment: deleteUnknown,
	}, {
		ID:         "lifetime/restore",
		Statement:  "Importing the same material again restores a key to full use, whatever its kind.",
		Why:        "With a copy of the material a deletion is an interruption, without one it is the end.",
		Sources:    []Source{guideDelete(), recorded("MACs and signatures after deleting and importing again")},
		Promise:    Documented,
		Keys:       2,
		Experiment: restore,
	}, {
		ID:         "lifetime/without-material",
		Statement:  "A key without material can be neither used, enabled nor disabled.",
		Why:        "Only an import brings such a key back; its switch has no effect, so it is no defence either.",
		Sources:    []Source{guideStates(), recorded("operations on a key before its first import")},
		Promise:    Documented,
		Keys:       1,
		Experiment: withoutMaterial,
	}, {
		ID:         "lifetime/import-enables",
		Statement:  "Importing material into a disabled key enables it.",
		Why:        "Who may import can undo a DisableKey without being allowed to call EnableKey.",
		Sources:    []Source{recorded("importing into a disabled key, seconds after DisableKey")},
		Promise:    Observed,
		Keys:       1,
		Experiment: importEnables,
	}, {
		ID:         "lifetime/deletion-window",
		Statement:  "A key is deleted no sooner than 7 and no later than 30 days after the request, and 30 unless told otherwise.",
		Why:        "Unlike the deletion of material, the deletion of a key can be noticed and stopped for a week.",
		Sources:    []Source{reference("ScheduleKeyDeletion"), guideDeletion()},
		Promise:    Documented,
		Keys:       2,
		Experiment: deletionWindow,
	}, {
		ID:         "lifetime/deletion-waits",
		Statement:  "Until the last hour of its window a key can be kept, and then works as before.",
		Why:        "The window is a real one: nothing is destroyed early.",
		Sources:    []Source{guideDeletion(), reference("CancelKeyDeletion")},
		Promise:    Documented,
		Effects:    "moves the clock ahead by almost seven days",
		Keys:       1,
		MovesClock: true,
		Experiment: deletionWaits,
	}, {
		ID:         "lifetime/deletion-pending",
		Statement:  "A key that waits for its deletion can be neither used nor imported into, but its material can be deleted.",
		Why:        "Who wants a key gone now schedules its deletion and deletes the material; who then wants it back has to cancel first.",
		Sources:    []Source{guideStates(), reference("DeleteImportedKeyMaterial")},
		Promise:    Documented,
		Keys:       1,
		Experiment: deletionPending,
	}, {
		ID:         "lifetime/deletion-cancelled",
		Statement:  "Cancelling its deletion leaves a key disabled, with all that it can decrypt.",
		Why:        "The cancellation alone does not end the outage: the key must be enabled as well.",
		Sources:    []Source{reference("CancelKeyDeletion"), guideDeletion()},
		Promise:    Documented,
		Keys:       1,
		Experiment: deletionCancelled,
	}, {
		ID:         "lifetime/deletion-cancelled-empty",
		Statement:  "Cancelling the deletion of a key without material leaves it waiting for an import, not disabled.",
		Why:        "Tools that wait for Disabled after a cancellation wait for ever.",
		Sources:    []Source{recorded("CancelKeyDeletion of a key without material")},
		Promise:    Observed,
		Keys:       1,
		Experiment: deletionCancelledEmpty,
	}}
}

// until sets no ExpirationModel and a date.
func until(date time.Time) func(*kms.ImportKeyMaterialInput) {
	return func(in *kms.ImportKeyMaterialInput) {
		in.ExpirationModel, in.ValidTo = "", aws.Time(date)
	}
}

func expiryRequired(t *experiment.Trial) {
	k := t.NewKey(material.SymmetricDefault, nil)
	w := wrapped(t, k, t.Material(k.Spec))
	want := invalid("A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES")
	t.Import("import without ExpirationModel and ValidTo", want, k, w, func(in *kms.ImportKeyMaterialInput) { in.ExpirationModel = "" })
	t.Import("import with KEY_MATERIAL_EXPIRES and without ValidTo", want, k, w, func(in *kms.ImportKeyMaterialInput) {
		in.ExpirationModel = types.ExpirationModelTypeKeyMaterialExpires
	})
	t.State(k, types.KeyStatePendingImport)
}

func expiryImplied(t *experiment.Trial) {
	k := t.NewKey(material.SymmetricDefault, nil)
	second := t.Now().Add(24 * time.Hour).Truncate(time.Second)
	t.Import("import with a date and 956 milliseconds", experiment.Success, k, wrapped(t, k, t.Material(k.Spec)),
		until(second.Add(956*time.Millisecond)))
	m := t.Describe(k)
	t.Check("the expiration model", "KEY_MATERIAL_EXPIRES", string(m.ExpirationModel))
	t.Check("the date", written(second), written(aws.ToTime(m.ValidTo)))
	t.State(k, types.KeyStateEnabled)
}

// written is a time, to the nanosecond where it has any.
func written(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

func noDateForEver(t *experiment.Trial) {
	k := t.NewKey(material.SymmetricDefault, nil)
	t.Import("import with KEY_MATERIAL_DOES_NOT_EXPIRE and a date",
		invalid("A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE"),
		k, wrapped(t, k, t.Material(k.Spec)), func(in *kms.ImportKeyMaterialInput) { in.ValidTo = aws.Time(t.Now().Add(24 * time.Hour)) })
	t.State(k, types.KeyStatePendingImport)
}

func dateInFuture(t *experiment.Trial) {
	k := t.NewKey(material.SymmetricDefault, nil)
	t.Import("import with a date in the past", invalid("ValidTo must be in the future"),
		k, wrapped(t, k, t.Material(k.Spec)), until(t.Now().Add(-clockDifference-time.Minute)))
	t.State(k, types.KeyStatePendingImport)
}

func atMostAYear(t *experiment.Trial) {
	const day = 24 * time.Hour
	k := t.NewKey(material.SymmetricDefault, nil)
	w := wrapped(t, k, t.Material(k.Spec))
	t.Import("import with a date 367 days ahead", invalid("ValidTo must be less than 365 days in the future"), k, w, until(t.Now().Add(367*day)))
	t.State(k, types.KeyStatePendingImport)
	t.Import("import with a date 364 days ahead", experiment.Success, k, w, until(t.Now().Add(364*day)))
	t.State(k, types.KeyStateEnabled)
}

func expires(t *experiment.Trial) {
	k := t.NewKey(material.SymmetricDefault, nil)
	m := t.Material(k.Spec)
	t.Import("import material that expires in an hour", experiment.Success, k, wrapped(t, k, m), expiring(t, time.Hour))
	ciphertext := t.Encrypt(k, "kept")
	t.Advance(59 * time.Minute)
	t.Decrypt("decrypt a minute before", experiment.Success, k, ciphertext, "kept")
	t.Advance(2 * time.Minute)
	t.State(k, types.KeyStatePendingImport)
	encryptRefused(t, pendingImport(k), k)
	t.Decrypt("decrypt a minute after", pendingImport(k), k, ciphertext, "")
	t.Bring(k, m)
	t.State(k, types.KeyStateEnabled)
	t.Decrypt("decrypt after that", experiment.Success, k, ciphertext, "kept")
}

func expiredLooksImported(t *experiment.Trial) {
	k := t.NewKey(material.SymmetricDefault, nil)
	t.Import("import material that expires in an hour", experiment.Success, k, wrapped(t, k, t.Material(k.Spec)), expiring(t, time.Hour))
	t.Advance(time.Hour + time.Minute)
	t.State(k, types.KeyStatePendingImport)
	t.Check("the materials of the key", "CURRENT IMPORTED", parts(materials(t, k)))
	remove(t, "delete it as well", k, "")
	t.Check("the materials of the key", "CURRENT PENDING_IMPORT", parts(materials(t, k)))
}

func newDate(t *experiment.Trial) {
	k := t.NewKey(material.SymmetricDefault, nil)
	w := wrapped(t, k, t.Material(k.Spec))
	day := 24 * time.Hour
	first, second := t.Now().Add(day).Truncate(time.Second), t.Now().Add(7*day).Truncate(time.Second)
	expiry := func(want string) {
		m := t.Describe(k)
		got := string(m.ExpirationModel)
		if m.ValidTo != nil {
			got += " " + written(*m.ValidTo)
		}
		t.Check("when the material expires", want, got)
	}
	t.Import("import with a date tomorrow", experiment.Success, k, w, until(first))
	expiry("KEY_MATERIAL_EXPIRES " + written(first))
	t.Import("import it again with a date in a week", experiment.Success, k, w, until(second))
	expiry("KEY_MATERIAL_EXPIRES " + written(second))
	t.Import("import it again for ever", experiment.Success, k, w, nil)
	expiry("KEY_MATERIAL_DOES_NOT_EXPIRE")
	t.Import("import it again with a date tomorrow", experiment.Success, k, w, until(first))
	expiry("KEY_MATERIAL_EXPIRES " + written(first))
}

func deleteAtOnce(t *experiment.Trial) {
	k, id := symmetric(t, t.Material(material.SymmetricDefault))
	ciphertext := t.Encrypt(k, "kept")
	t.Check("the material that was deleted", id, remove(t, "delete the material", k, ""))
	t.State(k, types.KeyStatePendingImport)
	encryptRefused(t, pendingImport(k), k)
	t.Decrypt("decrypt", pendingImport(k), k, ciphertext, "")
	m := t.Describe(k)
	t.Check("the key's expiration model", "none", orNone(nonEmpty(string(m.ExpirationModel))))
}

// nonEmpty is a text that is missing when it is empty.
func nonEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func deleteTwice(t *experiment.Trial) {
	k := t.NewKey(material.SymmetricDefault, nil)
	t.Check("the material that was deleted", "", remove(t, "delete material before the first import", k, ""))
	id := aws.ToString(t.Bring(k, t.Material(k.Spec)).KeyMaterialId)
	t.Check("the material that was deleted", id, remove(t, "delete the material", k, ""))
	t.Check("the material that was deleted", id, remove(t, "delete it again", k, ""))
	t.State(k, types.KeyStatePendingImport)
}

func deleteUnknown(t *experiment.Trial) {
	k, _ := symmetric(t, t.Material(material.SymmetricDefault))
	experiment.Do(t, "delete material with another ID", invalid("Key material (id: "+noMaterial+") has never been imported into KMS key "+k.ARN+"."),
		t.KMS.DeleteImportedKeyMaterial, &kms.DeleteImportedKeyMaterialInput{KeyId: aws.String(k.ARN), KeyMaterialId: aws.String(noMaterial)})
	t.State(k, types.KeyStateEnabled)
}

func restore(t *experiment.Trial) {
	message := []byte("before and after")

	authenticator := t.NewKey(material.HMAC256, nil)
	m := t.Material(authenticator.Spec)
	t.Bring(authenticator, m)
	mac := generateMAC(t, authenticator, message)
	remove(t, "delete the material", authenticator, "")
	experiment.Do(t, "make a MAC", pendingImport(authenticator), t.KMS.GenerateMac, macInput(authenticator, message))
	t.Bring(authenticator, m)
	t.Same("the MAC", mac, generateMAC(t, authenticator, message))

	signer := t.NewKey(material.ECCNISTP256, nil)
	pair := t.Material(signer.Spec)
	t.Bring(signer, pair)
	signature := sign(t, signer, types.SigningAlgorithmSpecEcdsaSha256, message)
	remove(t, "delete the material", signer, "")
	experiment.Do(t, "ask for the public key", pendingImport(signer), t.KMS.GetPublicKey, &kms.GetPublicKeyInput{KeyId: aws.String(signer.ARN)})
	t.Bring(signer, pair)
	verify(t, "verify the signature made before", signer, types.SigningAlgorithmSpecEcdsaSha256, message, signature)
}

func withoutMaterial(t *experiment.Trial) {
	k := t.NewKey(material.SymmetricDefault, nil)
	id, refused := aws.String(k.ARN), pendingImport(k)
	t.State(k, types.KeyStatePendingImport)
	encryptRefused(t, refused, k)
	experiment.Do(t, "enable it", refused, t.KMS.EnableKey, &kms.EnableKeyInput{KeyId: id})
	experiment.Do(t, "disable it", refused, t.KMS.DisableKey, &kms.DisableKeyInput{KeyId: id})
	t.Check("its materials", "", parts(materials(t, k)))
	t.State(k, types.KeyStatePendingImport)
	t.Bring(k, t.Material(k.Spec))
	remove(t, "delete the material", k, "")
	experiment.Do(t, "enable it", refused, t.KMS.EnableKey, &kms.EnableKeyInput{KeyId: id})
	t.State(k, types.KeyStatePendingImport)
}

func importEnables(t *experiment.Trial) {
	m := t.Material(material.SymmetricDefault)
	k, _ := symmetric(t, m)
	ciphertext := t.Encrypt(k, "kept")
	disable(t, k)
	t.State(k, types.KeyStateDisabled)
	t.Bring(k, m)
	t.State(k, types.KeyStateEnabled)
	t.Decrypt("decrypt what was encrypted before", experiment.Success, k, ciphertext, "kept")
}

// schedule asks for a key's deletion; 0 days leaves the window to KMS.
func schedule(t *experiment.Trial, what string, want experiment.Answer, k experiment.Key, days int32) *kms.ScheduleKeyDeletionOutput {
	in := &kms.ScheduleKeyDeletionInput{KeyId: aws.String(k.ARN)}
	if days != 0 {
		in.PendingWindowInDays = aws.Int32(days)
	}
	return experiment.Do(t, what, want, t.In(k.Region).ScheduleKeyDeletion, in)
}

func cancel(t *experiment.Trial, k experiment.Key) {
	experiment.Do(t, "cancel the deletion of "+k.Label, experiment.Success, t.KMS.CancelKeyDeletion, &kms.CancelKeyDeletionInput{KeyId: aws.String(k.ARN)})
}

func enable(t *experiment.Trial, k experiment.Key) {
	experiment.Do(t, "enable "+k.Label, experiment.Success, t.KMS.EnableKey, &kms.EnableKeyInput{KeyId: aws.String(k.ARN)})
}

func deletionWindow(t *experiment.Trial) {
	const day = 24 * time.Hour
	a, b := t.NewKey(material.SymmetricDefault, nil), t.NewKey(material.SymmetricDefault, nil)
	refused := experiment.Refused("ValidationException")
	schedule(t, "schedule the deletion of key A in 6 days", refused, a, 6)
	schedule(t, "schedule the deletion of key A in 31 days", refused, a, 31)
	t.State(a, types.KeyStatePendingImport)
	now := t.Now()
	soon := schedule(t, "schedule the deletion of key A in 7 days", experiment.Success, a, 7)
	t.Check("when it will be deleted", "in 7 days", about(aws.ToTime(soon.DeletionDate).Sub(now), 7*day, "in 7 days"))
	t.State(a, types.KeyStatePendingDeletion)
	now = t.Now()
	late := schedule(t, "schedule the deletion of key B", experiment.Success, b, 0)
	t.Check("when it will be deleted", "in 30 days", about(aws.ToTime(late.DeletionDate).Sub(now), 30*day, "in 30 days"))
	schedule(t, "schedule it again", experiment.Refused("KMSInvalidStateException").Saying(b.ARN+" is pending deletion."), b, 7)
}

func deletionWaits(t *experiment.Trial) {
	k, _ := symmetric(t, t.Material(material.SymmetricDefault))
	ciphertext := t.Encrypt(k, "kept")
	schedule(t, "schedule the deletion in 7 days", experiment.Success, k, 7)
	t.Advance(7*24*time.Hour - time.Hour)
	t.State(k, types.KeyStatePendingDeletion)
	cancel(t, k)
	enable(t, k)
	t.Decrypt("decrypt what was encrypted before", experiment.Success, k, ciphertext, "kept")
}

func deletionPending(t *experiment.Trial) {
	k, id := symmetric(t, t.Material(material.SymmetricDefault))
	w := wrapped(t, k, t.Material(k.Spec))
	schedule(t, "schedule the deletion", experiment.Success, k, 7)
	refused := experiment.Refused("KMSInvalidStateException").Saying(k.ARN + " is pending deletion.")
	encryptRefused(t, refused, k)
	fetchRefused(t, "fetch a wrapping key and an import token", experiment.Refused("KMSInvalidStateException"), k, experiment.Quick(k.Spec))
	t.Import("import with parameters fetched before", experiment.Refused("KMSInvalidStateException"), k, w, nil)
	t.Check("the material that was deleted", id, remove(t, "delete the material", k, ""))
	t.State(k, types.KeyStatePendingDeletion)
	cancel(t, k)
	t.State(k, types.KeyStatePendingImport)
}

func deletionCancelled(t *experiment.Trial) {
	k, _ := symmetric(t, t.Material(material.SymmetricDefault))
	ciphertext := t.Encrypt(k, "kept")
	schedule(t, "schedule the deletion", experiment.Success, k, 7)
	cancel(t, k)
	t.State(k, types.KeyStateDisabled)
	t.Decrypt("decrypt what was encrypted before", experiment.Refused("DisabledException").Saying(k.ARN+" is disabled."), k, ciphertext, "")
	enable(t, k)
	t.State(k, types.KeyStateEnabled)
	t.Decrypt("decrypt what was encrypted before", experiment.Success, k, ciphertext, "kept")
}

func deletionCancelledEmpty(t *experiment.Trial) {
	k, _ := symmetric(t, t.Material(material.SymmetricDefault))
	remove(t, "delete the material", k, "")
	schedule(t, "schedule the deletion", experiment.Success, k, 7)
	t.State(k, types.KeyStatePendingDeletion)
	cancel(t, k)
	t.State(k, types.KeyStatePendingImport)
}
