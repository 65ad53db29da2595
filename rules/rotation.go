// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
)

func rotation() []Rule {
	return []Rule{{
		ID:         "rotation/no-automatic",
		Statement:  "Automatic rotation can be neither turned on nor off for a key with imported material, whatever its state.",
		Why:        "A compliance rule that demands automatic rotation cannot be met by such keys; somebody has to bring the new material.",
		Sources:    []Source{reference("EnableKeyRotation"), recorded("EnableKeyRotation, DisableKeyRotation and GetKeyRotationStatus before and after an import")},
		Promise:    Documented,
		Keys:       1,
		Experiment: noAutomatic,
	}, {
		ID:         "rotation/staged",
		Statement:  "New material waits for its rotation, and meanwhile the key goes on with the current one.",
		Why:        "New material can be brought days ahead, by other people than those who decide when it comes into use.",
		Sources:    []Source{reference("ImportKeyMaterial"), recorded("importing NEW_KEY_MATERIAL, then DescribeKey, Encrypt and ListKeyRotations")},
		Promise:    Documented,
		Keys:       1,
		Experiment: staged,
	}, {
		ID:         "rotation/on-demand",
		Statement:  "An on-demand rotation makes the waiting material current, and what was encrypted before still opens.",
		Why:        "New data is protected by the new material at once, and nothing has to be re-encrypted on that day.",
		Sources:    []Source{reference("RotateKeyOnDemand"), recorded("RotateKeyOnDemand, then Decrypt and ReEncrypt")},
		Promise:    Documented,
		Keys:       1,
		Experiment: onDemand,
	}, {
		ID:         "rotation/nothing-waiting",
		Statement:  "A key for which no new material was imported cannot be rotated.",
		Why:        "A scheduled rotation fails loudly when nobody brought the material.",
		Sources:    []Source{reference("RotateKeyOnDemand"), recorded("RotateKeyOnDemand with nothing staged")},
		Promise:    Documented,
		Keys:       1,
		Experiment: nothingWaiting,
	}, {
		ID:         "rotation/without-material",
		Statement:  "A key without material cannot be rotated.",
		Why:        "First all materials have to be brought back, then the key can move on.",
		Sources:    []Source{guideStates(), recorded("RotateKeyOnDemand before the first import")},
		Promise:    Documented,
		Keys:       1,
		Experiment: rotateWithoutMaterial,
	}, {
		ID:         "rotation/disabled",
		Statement:  "A disabled key cannot be rotated.",
		Why:        "A rotation cannot be used to find out about, or to revive, a key that somebody put out of use.",
		Sources:    []Source{reference("RotateKeyOnDemand"), recorded("RotateKeyOnDemand on a disabled key")},
		Promise:    Documented,
		Keys:       1,
		Experiment: rotateDisabled,
	}, {
		ID:         "rotation/third-material",
		Statement:  "While one material waits for its rotation no other new material is taken.",
		Why:        "Two teams that prepare a rotation at once learn of each other, by the ID of what is waiting.",
		Sources:    []Source{reference("ImportKeyMaterial"), recorded("importing a third material while a second is pending")},
		Promise:    Documented,
		Keys:       1,
		Experiment: thirdMaterial,
	}, {
		ID:         "rotation/withdraw",
		Statement:  "Waiting material can be deleted without harm to the key, and leaves no trace.",
		Why:        "Material that was brought by mistake is taken back in one call, and other material can take its place.",
		Sources:    []Source{reference("DeleteImportedKeyMaterial"), recorded("deleting pending material, then staging again")},
		Promise:    Documented,
		Keys:       1,
		Experiment: withdraw,
	}, {
		ID:         "rotation/lose-any",
		Statement:  "Losing any one of its materials disables the whole key, for encryption, too, until that one is back.",
		Why:        "Every material a key ever had must be kept as long as the key: retiring the backup of the oldest is retiring the key.",
		Sources:    []Source{reference("DeleteImportedKeyMaterial"), recorded("deleting and importing again a NON_CURRENT material")},
		Promise:    Documented,
		Keys:       1,
		Experiment: loseAny,
	}, {
		ID:         "rotation/second-request",
		Statement:  "Asking for a rotation again while one runs is no error, and yields one rotation.",
		Why:        "A script that retries does no harm.",
		Sources:    []Source{recorded("RotateKeyOnDemand twice")},
		Promise:    Observed,
		Keys:       1,
		Experiment: secondRequest,
	}, {
		ID:         "rotation/decided-at-the-end",
		Statement:  "A rotation brings in what is waiting when it completes, not what was waiting when it was asked for.",
		Why:        "Between request and completion lie minutes in which whoever may import can exchange the material.",
		Sources:    []Source{recorded("deleting the second material and staging a third after RotateKeyOnDemand")},
		Promise:    Observed,
		Keys:       1,
		Experiment: decidedAtTheEnd,
	}, {
		ID:         "rotation/withdrawn",
		Statement:  "A rotation whose material is deleted before it completes ends without effect.",
		Why:        "There is a way back from a rotation for a minute or so.",
		Sources:    []Source{recorded("deleting the pending material after RotateKeyOnDemand")},
		Promise:    Observed,
		Keys:       1,
		Experiment: withdrawn,
	}, {
		ID:         "rotation/not-stopped-by-disabling",
		Statement:  "A rotation under way completes although the key is disabled meanwhile.",
		Why:        "Disabling the key is not how to stop a rotation; deleting the waiting material is.",
		Sources:    []Source{recorded("DisableKey after RotateKeyOnDemand")},
		Promise:    Observed,
		Keys:       1,
		Experiment: notStopped,
	}, {
		ID:         "rotation/expired-material",
		Statement:  "Material that expired while it waited is rotated in all the same, and then the key cannot be used until it is imported again.",
		Why:        "A late rotation takes production down: the key stops for old and new data at once.",
		Sources:    []Source{recorded("RotateKeyOnDemand after the pending material expired")},
		Promise:    Observed,
		Effects:    "moves the clock ahead by three hours",
		Keys:       1,
		MovesClock: true,
		Experiment: rotateExpired,
	}, {
		ID:         "rotation/history",
		Statement:  "A rotation is listed with the time at which it completed; the first material and what is waiting are no rotations.",
		Why:        "An auditor can read when each material came into use, but not when it was brought or asked for.",
		Sources:    []Source{reference("ListKeyRotations"), recorded("ListKeyRotations before, during and after a rotation")},
		Promise:    Documented,
		Keys:       1,
		Experiment: history,
	}, {
		ID:         "rotation/symmetric-only",
		Statement:  "HMAC and asymmetric keys cannot be rotated on demand, and have no list of materials.",
		Why:        "A new MAC or signing key is a new KMS key: those who verify have to learn of it anyway.",
		Sources:    []Source{reference("RotateKeyOnDemand"), reference("ListKeyRotations"), recorded("RotateKeyOnDemand on an HMAC key, ListKeyRotations on HMAC and ECC keys")},
		Promise:    Documented,
		Keys:       2,
		Experiment: symmetricOnly,
	}}
}

// stage imports new material to wait for its rotation, and tells its ID.
func stage(t *experiment.Trial, what string, k experiment.Key, m *material.Material) string {
	return aws.ToString(t.Import(what, experiment.Success, k, wrapped(t, k, m), as(types.ImportTypeNewKeyMaterial)).KeyMaterialId)
}

// rotate asks for an on-demand rotation.
func rotate(t *experiment.Trial, what string, want experiment.Answer, k experiment.Key) {
	experiment.Do(t, what, want, t.In(k.Region).RotateKeyOnDemand, &kms.RotateKeyOnDemandInput{KeyId: aws.String(k.ARN)})
}

// status looks how the key rotates.
func status(t *experiment.Trial, k experiment.Key) *kms.GetKeyRotationStatusOutput {
	return experiment.Do(t, "ask how "+k.Label+" rotates", experiment.Success, t.In(k.Region).GetKeyRotationStatus,
		&kms.GetKeyRotationStatusInput{KeyId: aws.String(k.ARN)})
}

// awaitCurrent looks until the key's current material is the one with the ID.
func awaitCurrent(t *experiment.Trial, k experiment.Key, id string) {
	client := t.In(k.Region)
	t.Await("the current material of "+k.Label, id, func() (string, error) {
		out, err := client.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: aws.String(k.ARN)})
		if err != nil {
			return "", fmt.Errorf("looking at %s: %w", k.Label, err)
		}
		return aws.ToString(out.KeyMetadata.CurrentKeyMaterialId), nil
	})
}

// awaitEnd looks until no rotation of the key is under way.
func awaitEnd(t *experiment.Trial, k experiment.Key) {
	client := t.In(k.Region)
	t.Await("the rotation of "+k.Label, "over", func() (string, error) {
		out, err := client.GetKeyRotationStatus(t.Context(), &kms.GetKeyRotationStatusInput{KeyId: aws.String(k.ARN)})
		switch {
		case err != nil:
			return "", fmt.Errorf("asking how %s rotates: %w", k.Label, err)
		case out.OnDemandRotationStartDate != nil:
			return "under way", nil
		}
		return "over", nil
	})
}

func noAutomatic(t *experiment.Trial) {
	k := t.NewKey(material.SymmetricDefault, nil)
	refused := experiment.Refused("UnsupportedOperationException").
		Saying(k.ARN + " origin is EXTERNAL which is not valid for this operation.")
	try := func() {
		experiment.Do(t, "turn automatic rotation on", refused, t.KMS.EnableKeyRotation, &kms.EnableKeyRotationInput{KeyId: aws.String(k.ARN)})
		experiment.Do(t, "turn automatic rotation off", refused, t.KMS.DisableKeyRotation, &kms.DisableKeyRotationInput{KeyId: aws.String(k.ARN)})
		t.Check("whether it rotates by itself", "false", boolean(status(t, k).KeyRotationEnabled))
	}
	try()
	t.Bring(k, t.Material(k.Spec))
	try()
}

func staged(t *experiment.Trial) {
	k, first := symmetric(t, t.Material(material.SymmetricDefault))
	stage(t, "import new material", k, t.Material(k.Spec))
	t.Check("the materials of the key", "CURRENT IMPORTED, PENDING_ROTATION IMPORTED", parts(materials(t, k)))
	t.Check("the current material", first, aws.ToString(t.Describe(k).CurrentKeyMaterialId))
	t.State(k, types.KeyStateEnabled)
	opened := decrypt(t, "encrypt and decrypt", k.Region, t.Encrypt(k, "kept"))
	t.Check("the material that did it", first, aws.ToString(opened.KeyMaterialId))
}

func onDemand(t *experiment.Trial) {
	k, first := symmetric(t, t.Material(material.SymmetricDefault))
	ciphertext := t.Encrypt(k, "kept")
	second := stage(t, "import new material", k, t.Material(k.Spec))
	rotate(t, "rotate", experiment.Success, k)
	awaitCurrent(t, k, second)
	t.Check("the materials of the key", "NON_CURRENT IMPORTED, CURRENT IMPORTED", parts(materials(t, k)))
	t.State(k, types.KeyStateEnabled)

	old := decrypt(t, "decrypt what was encrypted before", k.Region, ciphertext)
	t.Same("the plaintext", []byte("kept"), old.Plaintext)
	t.Check("the material that did it", first, aws.ToString(old.KeyMaterialId))
	again := experiment.Do(t, "re-encrypt it", experiment.Success, t.KMS.ReEncrypt,
		&kms.ReEncryptInput{CiphertextBlob: ciphertext, DestinationKeyId: aws.String(k.ARN)})
	t.Check("the material it came from", first, aws.ToString(again.SourceKeyMaterialId))
	t.Check("the material it went to", second, aws.ToString(again.DestinationKeyMaterialId))
	fresh := decrypt(t, "encrypt anew and decrypt", k.Region, t.Encrypt(k, "new"))
	t.Check("the material that did it", second, aws.ToString(fresh.KeyMaterialId))
}

// noneWaiting is the refusal to rotate without new material (recorded).
func noneWaiting(k experiment.Key) experiment.Answer {
	return experiment.Refused("KMSInvalidStateException").Saying("No available key material pending rotation for the key: " + k.ARN + ".")
}

func nothingWaiting(t *experiment.Trial) {
	k, id := symmetric(t, t.Material(material.SymmetricDefault))
	rotate(t, "rotate", noneWaiting(k), k)
	t.Check("the current material", id, aws.ToString(t.Describe(k).CurrentKeyMaterialId))
	t.State(k, types.KeyStateEnabled)
}

func rotateWithoutMaterial(t *experiment.Trial) {
	k := t.NewKey(material.SymmetricDefault, nil)
	rotate(t, "rotate before the first import", pendingImport(k), k)
	t.Bring(k, t.Material(k.Spec))
	stage(t, "import new material", k, t.Material(k.Spec))
	remove(t, "delete the current material", k, "")
	rotate(t, "rotate after that", pendingImport(k), k)
	t.State(k, types.KeyStatePendingImport)
}

func disable(t *experiment.Trial, k experiment.Key) {
	experiment.Do(t, "disable "+k.Label, experiment.Success, t.KMS.DisableKey, &kms.DisableKeyInput{KeyId: aws.String(k.ARN)})
}

func rotateDisabled(t *experiment.Trial) {
	k, _ := symmetric(t, t.Material(material.SymmetricDefault))
	stage(t, "import new material", k, t.Material(k.Spec))
	disable(t, k)
	rotate(t, "rotate", experiment.Refused("DisabledException").Saying(k.ARN+" is disabled."), k)
	t.State(k, types.KeyStateDisabled)
	t.Check("the materials of the key", "CURRENT IMPORTED, PENDING_ROTATION IMPORTED", parts(materials(t, k)))
}

func thirdMaterial(t *experiment.Trial) {
	k, _ := symmetric(t, t.Material(material.SymmetricDefault))
	second := stage(t, "import new material", k, t.Material(k.Spec))
	t.Import("import more new material", experiment.Refused("KMSInvalidStateException").Saying(
		"cannot be imported into KMS key "+k.ARN+", because another key material (id: "+second+") is pending rotation."),
		k, wrapped(t, k, t.Material(k.Spec)), as(types.ImportTypeNewKeyMaterial))
	t.Check("the materials of the key", "CURRENT IMPORTED, PENDING_ROTATION IMPORTED", parts(materials(t, k)))
}

func withdraw(t *experiment.Trial) {
	m := t.Material(material.SymmetricDefault)
	k, _ := symmetric(t, t.Material(material.SymmetricDefault))
	second := stage(t, "import new material", k, m)
	t.Check("the material that was deleted", second, remove(t, "delete the new material", k, second))
	t.State(k, types.KeyStateEnabled)
	t.Check("the materials of the key", "CURRENT IMPORTED", parts(materials(t, k)))
	third := stage(t, "import other new material", k, t.Material(k.Spec))
	remove(t, "delete that, too", k, third)
	t.Check("the ID of the first new material, imported again", second, stage(t, "import the first new material again", k, m))
}

func loseAny(t *experiment.Trial) {
	m := t.Material(material.SymmetricDefault)
	k, first := symmetric(t, m)
	ciphertext := t.Encrypt(k, "kept")
	second := stage(t, "import new material", k, t.Material(k.Spec))
	rotate(t, "rotate", experiment.Success, k)
	awaitCurrent(t, k, second)
	fresh := t.Encrypt(k, "new")

	t.Check("the material that was deleted", first, remove(t, "delete the old material", k, first))
	t.State(k, types.KeyStatePendingImport)
	encryptRefused(t, pendingImport(k), k)
	t.Decrypt("decrypt what the new material encrypted", pendingImport(k), k, fresh, "")
	t.Check("the materials of the key", "NON_CURRENT PENDING_IMPORT, CURRENT IMPORTED", parts(materials(t, k)))

	t.Check("the ID of the material imported", first,
		aws.ToString(t.Import("import the old material again, without naming it", experiment.Success, k, wrapped(t, k, m), nil).KeyMaterialId))
	t.State(k, types.KeyStateEnabled)
	t.Decrypt("decrypt what the old material encrypted", experiment.Success, k, ciphertext, "kept")
	t.Decrypt("decrypt what the new material encrypted", experiment.Success, k, fresh, "new")
}

func secondRequest(t *experiment.Trial) {
	k, _ := symmetric(t, t.Material(material.SymmetricDefault))
	second := stage(t, "import new material", k, t.Material(k.Spec))
	rotate(t, "rotate", experiment.Success, k)
	t.Check("whether a rotation is under way", "true", boolean(status(t, k).OnDemandRotationStartDate != nil))
	rotate(t, "rotate again while it runs", experiment.Success, k)
	awaitCurrent(t, k, second)
	awaitEnd(t, k)
	t.Check("the materials of the key", "NON_CURRENT IMPORTED, CURRENT IMPORTED", parts(materials(t, k)))
	rotate(t, "rotate once more", noneWaiting(k), k)
}

func decidedAtTheEnd(t *experiment.Trial) {
	k, _ := symmetric(t, t.Material(material.SymmetricDefault))
	second := stage(t, "import a second material", k, t.Material(k.Spec))
	w := wrapped(t, k, t.Material(k.Spec)) // beforehand: the rotation will not wait
	rotate(t, "rotate", experiment.Success, k)
	remove(t, "delete the second material", k, second)
	third := t.Import("import a third material", experiment.Success, k, w, as(types.ImportTypeNewKeyMaterial))
	awaitCurrent(t, k, aws.ToString(third.KeyMaterialId))
	t.Check("the materials of the key", "NON_CURRENT IMPORTED, CURRENT IMPORTED", parts(materials(t, k)))
}

func withdrawn(t *experiment.Trial) {
	k, first := symmetric(t, t.Material(material.SymmetricDefault))
	second := stage(t, "import new material", k, t.Material(k.Spec))
	rotate(t, "rotate", experiment.Success, k)
	remove(t, "delete the new material", k, second)
	awaitEnd(t, k)
	t.Check("the current material", first, aws.ToString(t.Describe(k).CurrentKeyMaterialId))
	t.State(k, types.KeyStateEnabled)
	t.Check("the materials of the key", "CURRENT IMPORTED", parts(materials(t, k)))
}

func notStopped(t *experiment.Trial) {
	k, _ := symmetric(t, t.Material(material.SymmetricDefault))
	second := stage(t, "import new material", k, t.Material(k.Spec))
	rotate(t, "rotate", experiment.Success, k)
	disable(t, k)
	awaitCurrent(t, k, second)
	t.State(k, types.KeyStateDisabled)
}

func rotateExpired(t *experiment.Trial) {
	m := t.Material(material.SymmetricDefault)
	k, _ := symmetric(t, t.Material(material.SymmetricDefault))
	ciphertext := t.Encrypt(k, "kept")
	second := aws.ToString(t.Import("import new material that expires in an hour", experiment.Success, k, wrapped(t, k, m),
		func(in *kms.ImportKeyMaterialInput) {
			in.ImportType = types.ImportTypeNewKeyMaterial
			expiring(t, time.Hour)(in)
		}).KeyMaterialId)
	t.Advance(2 * time.Hour)
	t.State(k, types.KeyStateEnabled)
	t.Import("import it again as NEW_KEY_MATERIAL", alreadyKnown(k, second), k, wrapped(t, k, m), as(types.ImportTypeNewKeyMaterial))
	rotate(t, "rotate", experiment.Success, k)
	t.Advance(time.Hour) // it may take minutes
	awaitCurrent(t, k, second)
	t.State(k, types.KeyStatePendingImport)
	encryptRefused(t, pendingImport(k), k)
	t.Decrypt("decrypt what was encrypted before", pendingImport(k), k, ciphertext, "")
	t.Import("import the expired material again", experiment.Success, k, wrapped(t, k, m), nil)
	t.State(k, types.KeyStateEnabled)
	t.Decrypt("decrypt what was encrypted before", experiment.Success, k, ciphertext, "kept")
}

// expiring has the material of a request expire that much later than now.
func expiring(t *experiment.Trial, d time.Duration) func(*kms.ImportKeyMaterialInput) {
	return func(in *kms.ImportKeyMaterialInput) {
		in.ExpirationModel = types.ExpirationModelTypeKeyMaterialExpires
		in.ValidTo = aws.Time(t.Now().Add(d).Truncate(time.Second))
	}
}

func history(t *experiment.Trial) {
	k, _ := symmetric(t, t.Material(material.SymmetricDefault))
	second := stage(t, "import new material", k, t.Material(k.Spec))
	rotations := func() []types.RotationsListEntry {
		return experiment.Do(t, "list the rotations of "+k.Label, experiment.Success, t.KMS.ListKeyRotations,
			&kms.ListKeyRotationsInput{KeyId: aws.String(k.ARN)}).Rotations
	}
	t.Check("how many rotations there were", "0", length(len(rotations())))
	rotate(t, "rotate", experiment.Success, k)
	asked := aws.ToTime(status(t, k).OnDemandRotationStartDate)
	awaitCurrent(t, k, second)
	list := rotations()
	t.Check("how many rotations there were", "1", length(len(list)))
	if len(list) != 1 {
		return
	}
	t.Check("the material that it brought", second, aws.ToString(list[0].KeyMaterialId))
	t.Check("its kind", "ON_DEMAND", string(list[0].RotationType))
	t.Check("whether it completed after it was asked for", "true", boolean(aws.ToTime(list[0].RotationDate).After(asked)))
	all := materials(t, k)
	t.Check("whether the first material has a date, too", "false", boolean(len(all) > 0 && all[0].RotationDate != nil))
}

func symmetricOnly(t *experiment.Trial) {
	for _, spec := range []material.Spec{material.HMAC256, material.ECCNISTP256} {
		k := t.NewKey(spec, nil)
		t.Bring(k, t.Material(spec))
		want := experiment.Refused("UnsupportedOperationException")
		if spec.Kind() == material.HMAC { // with the others nobody looked at the message
			want = want.Silent()
		}
		rotate(t, "rotate the "+string(spec)+" key", want, k)
		experiment.Do(t, "list its materials", invalid("Input parameter includeKeyMaterial can only be used with symmetric keys."),
			t.KMS.ListKeyRotations, &kms.ListKeyRotationsInput{KeyId: aws.String(k.ARN), IncludeKeyMaterial: types.IncludeKeyMaterialAllKeyMaterial})
	}
}
