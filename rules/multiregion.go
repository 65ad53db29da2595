// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
)

func multiRegionKeys() []Rule {
	return []Rule{{
		ID:         "multi-region/not-copied",
		Statement:  "A key is replicated with material only, but without copying it: the replica waits for an import of its own.",
		Why:        "A replica is no disaster recovery before somebody has brought the material there, too.",
		Sources:    []Source{guideRegions(), recorded("ReplicateKey of an imported key, and the replica afterwards")},
		Promise:    Documented,
		Effects:    roleForRegions,
		Keys:       2,
		TwoRegions: true,
		Experiment: notCopied,
	}, {
		ID:         "multi-region/same-material",
		Statement:  "A replica takes the material of its primary key only, and gives it the same ID.",
		Why:        "The Regions cannot drift apart, and the ID tells that they have not.",
		Sources:    []Source{guideRegions(), recorded("importing other and the same material into a replica")},
		Promise:    Documented,
		Effects:    roleForRegions,
		Keys:       2,
		TwoRegions: true,
		Experiment: sameInReplica,
	}, {
		ID:         "multi-region/primary-only",
		Statement:  "New material, its description and rotations are for the primary key alone.",
		Why:        "A procedure for rotation must know which Region is the primary.",
		Sources:    []Source{reference("ImportKeyMaterial"), recorded("importing NEW_KEY_MATERIAL and a description into a replica")},
		Promise:    Documented,
		Effects:    roleForRegions,
		Keys:       2,
		TwoRegions: true,
		Experiment: primaryOnly,
	}, {
		ID:         "multi-region/everywhere-first",
		Statement:  "A multi-Region key can be rotated only when every replica has the new material.",
		Why:        "No Region is left with ciphertexts that it cannot open.",
		Sources:    []Source{reference("RotateKeyOnDemand"), recorded("RotateKeyOnDemand before and after the replica's import")},
		Promise:    Documented,
		Effects:    roleForRegions,
		Keys:       2,
		TwoRegions: true,
		Experiment: everywhereFirst,
	}, {
		ID:         "multi-region/withdraw",
		Statement:  "Deleting waiting material from the primary key deletes it in all Regions, from a replica only there.",
		Why:        "A rotation is called off in one place.",
		Sources:    []Source{reference("DeleteImportedKeyMaterial"), recorded("deleting pending material in the replica, then in the primary")},
		Promise:    Documented,
		Effects:    roleForRegions,
		Keys:       2,
		TwoRegions: true,
		Experiment: withdrawEverywhere,
	}, {
		ID:         "multi-region/independent",
		Statement:  "Deleting current material in one Region leaves the other Regions as they are.",
		Why:        "Emergency deletion has to be done in every Region, and an accident stays in one.",
		Sources:    []Source{reference("DeleteImportedKeyMaterial"), recorded("deleting material in one Region")},
		Promise:    Documented,
		Effects:    roleForRegions,
		Keys:       2,
		TwoRegions: true,
		Experiment: independent,
	}, {
		ID:         "multi-region/expiry-apart",
		Statement:  "Material expires in each Region by the date that was given there.",
		Why:        "Dates have to be kept in step by those who import.",
		Sources:    []Source{guideRegions(), recorded("a primary whose material expired beside a replica whose material lasts")},
		Promise:    Documented,
		Effects:    "moves the clock ahead by two hours; " + roleForRegions,
		Keys:       2,
		MovesClock: true,
		TwoRegions: true,
		Experiment: expiryApart,
	}, {
		ID:         "multi-region/deletion",
		Statement:  "A primary key that has replicas is not deleted before the last of them is gone.",
		Why:        "Its window begins only then; until then there is no date at all.",
		Sources:    []Source{reference("ScheduleKeyDeletion"), recorded("ScheduleKeyDeletion of a primary with a replica")},
		Promise:    Documented,
		Effects:    roleForRegions,
		Keys:       2,
		TwoRegions: true,
		Experiment: primaryGoesLast,
	}}
}

// roleForRegions is what the first multi-Region key of an account brings about
// (recorded).
const roleForRegions = "has KMS make its service-linked role for multi-Region keys, where there is none"

// multiRegion makes a primary key and brings it the material.
func multiRegion(t *experiment.Trial, m *material.Material) experiment.Key {
	k := t.NewKey(m.Spec(), func(in *kms.CreateKeyInput) { in.MultiRegion = aws.Bool(true) })
	t.Bring(k, m)
	return k
}

// replicate makes a replica, and waits until it waits for its import.
func replicate(t *experiment.Trial, primary experiment.Key) experiment.Key {
	replica := t.Replicate(primary)
	awaitState(t, replica, types.KeyStatePendingImport)
	return replica
}

// keyID is the last part of the key's ARN, which replicas share.
func keyID(k experiment.Key) string {
	_, id, _ := strings.Cut(k.ARN, "key/")
	return id
}

func notCopied(t *experiment.Trial) {
	primary := t.NewKey(material.SymmetricDefault, func(in *kms.CreateKeyInput) { in.MultiRegion = aws.Bool(true) })
	experiment.Do(t, "replicate key A before the first import", pendingImport(primary), t.KMS.ReplicateKey,
		&kms.ReplicateKeyInput{KeyId: aws.String(primary.ARN), ReplicaRegion: aws.String(t.Second())})
	t.Bring(primary, t.Material(primary.Spec))
	replica := replicate(t, primary)
	t.State(primary, types.KeyStateEnabled)
	encryptRefused(t, pendingImport(replica), replica)
	t.Check("the materials of the primary key", "CURRENT IMPORTED", parts(materials(t, primary)))
	t.Check("the materials of the replica", "CURRENT PENDING_IMPORT", parts(materials(t, replica)))
}

func sameInReplica(t *experiment.Trial) {
	m := t.Material(material.SymmetricDefault)
	primary := multiRegion(t, m)
	replica := replicate(t, primary)
	id := aws.ToString(t.Describe(primary).CurrentKeyMaterialId)
	p := t.Fetch(replica, experiment.Quick(replica.Spec))
	t.Import("import other material into the replica", unexpected(id), replica, t.Wrap(p, t.Material(m.Spec())), nil)
	t.State(replica, types.KeyStatePendingImport)
	same := t.Import("import the same material into the replica", experiment.Success, replica, t.Wrap(p, m), nil)
	t.Check("its ID there", id, aws.ToString(same.KeyMaterialId))
	t.State(replica, types.KeyStateEnabled)
}

func primaryOnly(t *experiment.Trial) {
	m := t.Material(material.SymmetricDefault)
	primary := multiRegion(t, m)
	replica := replicate(t, primary)
	p := t.Fetch(replica, experiment.Quick(replica.Spec))
	t.Import("import new material into the replica",
		invalid("Input parameter ImportType NEW_KEY_MATERIAL cannot be used on replica Multi-Region keys"),
		replica, t.Wrap(p, t.Material(m.Spec())), as(types.ImportTypeNewKeyMaterial))
	t.Import("import the right material with a description into the replica",
		invalid("Key material description can only be specified on primary Multi-Region keys"),
		replica, t.Wrap(p, m), func(in *kms.ImportKeyMaterialInput) { in.KeyMaterialDescription = aws.String("copy") })
	t.State(replica, types.KeyStatePendingImport)
	t.Import("import it without", experiment.Success, replica, t.Wrap(p, m), nil)
	rotate(t, "rotate the replica", experiment.Refused("UnsupportedOperationException"), replica)
	t.State(replica, types.KeyStateEnabled)
}

func everywhereFirst(t *experiment.Trial) {
	m, next := t.Material(material.SymmetricDefault), t.Material(material.SymmetricDefault)
	primary := multiRegion(t, m)
	replica := replicate(t, primary)
	t.Bring(replica, m)
	ciphertext := t.Encrypt(replica, "kept")
	id := stage(t, "import new material into the primary key", primary, next)
	const waiting = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
	t.Check("the materials of the primary key", "CURRENT IMPORTED, "+waiting+" IMPORTED", parts(materials(t, primary)))
	rotate(t, "rotate", experiment.Refused("KMSInvalidStateException").Saying(
		"Cannot perform key material rotation: Key material has not been imported for replicas of the Multi-Region key."), primary)
	t.Check("the materials of the replica", "CURRENT IMPORTED, "+waiting+" PENDING_IMPORT", parts(materials(t, replica)))

	t.Import("import it into the replica, without ImportType", experiment.Success, replica, wrapped(t, replica, next), nil)
	t.Check("the materials of the primary key", "CURRENT IMPORTED, PENDING_ROTATION IMPORTED", parts(materials(t, primary)))
	rotate(t, "rotate", experiment.Success, primary)
	awaitCurrent(t, primary, id)
	awaitCurrent(t, replica, id)
	t.Decrypt("decrypt in the replica what it encrypted before", experiment.Success, replica, ciphertext, "kept")
	t.Decrypt("decrypt in the replica what the primary encrypts now", experiment.Success, replica, t.Encrypt(primary, "new"), "new")
}

func withdrawEverywhere(t *experiment.Trial) {
	m, next := t.Material(material.SymmetricDefault), t.Material(material.SymmetricDefault)
	primary := multiRegion(t, m)
	replica := replicate(t, primary)
	t.Bring(replica, m)
	id := stage(t, "import new material into the primary key", primary, next)
	t.Import("import it into the replica", experiment.Success, replica, wrapped(t, replica, next), nil)
	remove(t, "delete it from the replica", replica, id)
	t.Check("the materials of the primary key", "CURRENT IMPORTED, PENDING_MULTI_REGION_IMPORT_AND_ROTATION IMPORTED", parts(materials(t, primary)))
	t.Import("import it into the replica again", experiment.Success, replica, wrapped(t, replica, next), nil)
	remove(t, "delete it from the primary key", primary, id)
	t.Check("the materials of the primary key", "CURRENT IMPORTED", parts(materials(t, primary)))
	t.Check("the materials of the replica", "CURRENT IMPORTED", parts(materials(t, replica)))
	t.State(primary, types.KeyStateEnabled)
	t.State(replica, types.KeyStateEnabled)
}

func independent(t *experiment.Trial) {
	m := t.Material(material.SymmetricDefault)
	primary := multiRegion(t, m)
	replica := replicate(t, primary)
	t.Bring(replica, m)
	ciphertext := t.Encrypt(primary, "kept")
	remove(t, "delete the material in the replica", replica, "")
	t.State(replica, types.KeyStatePendingImport)
	t.State(primary, types.KeyStateEnabled)
	t.Decrypt("decrypt with the primary key", experiment.Success, primary, ciphertext, "kept")
	t.Bring(replica, m)
	remove(t, "delete the material in the primary key", primary, "")
	t.State(primary, types.KeyStatePendingImport)
	t.State(replica, types.KeyStateEnabled)
	t.Decrypt("decrypt with the replica", experiment.Success, replica, ciphertext, "kept")
}

func expiryApart(t *experiment.Trial) {
	m := t.Material(material.SymmetricDefault)
	primary := multiRegion(t, m)
	replica := replicate(t, primary)
	t.Bring(replica, m)
	t.Import("import the primary's material again, to expire in an hour", experiment.Success, primary, wrapped(t, primary, m), expiring(t, time.Hour))
	t.Advance(2 * time.Hour)
	t.State(primary, types.KeyStatePendingImport)
	t.State(replica, types.KeyStateEnabled)
}

func primaryGoesLast(t *experiment.Trial) {
	m := t.Material(material.SymmetricDefault)
	primary := multiRegion(t, m)
	replica := replicate(t, primary)
	out := schedule(t, "schedule the deletion of the primary key", experiment.Success, primary, 7)
	t.Check("its date", "none", dateOrNone(out.DeletionDate))
	t.State(primary, types.KeyStatePendingReplicaDeletion)
	encryptRefused(t, experiment.Refused("KMSInvalidStateException").Saying(primary.ARN+" is pending replica deletion."), primary)
	out = schedule(t, "schedule the deletion of the replica", experiment.Success, replica, 7)
	t.Check("whether that has a date", "true", boolean(out.DeletionDate != nil))
	t.State(primary, types.KeyStatePendingReplicaDeletion)
}

func dateOrNone(at *time.Time) string {
	if at == nil {
		return "none"
	}
	return written(*at)
}
