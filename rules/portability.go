// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"encoding/hex"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
)

func portability() []Rule {
	return []Rule{{
		ID:         "portability/other-key",
		Statement:  "A ciphertext is refused by every KMS key but the one that made it, even by one that holds the same material.",
		Why:        "Same bytes are not same key: copying material to a second key gives no second way to the data.",
		Sources:    []Source{guideImport(), reference("Decrypt")},
		Promise:    Documented,
		Keys:       2,
		Experiment: ciphertextOfOtherKey,
	}, {
		ID:         "portability/finds-its-key",
		Statement:  "A symmetric ciphertext leads KMS to its own key, also where another key holds the same material.",
		Why:        "Whoever decrypts need not say which key it was, and cannot be led to another one.",
		Sources:    []Source{reference("Decrypt")},
		Promise:    Documented,
		Keys:       2,
		Experiment: findsItsKey,
	}, {
		ID:         "portability/lost-material",
		Statement:  "When a key has lost its material no other key opens its ciphertexts, even with the same material in it.",
		Why:        "A spare key with the same material is no backup; the backup is the material, for the same key.",
		Sources:    []Source{guideImport(), recorded("Decrypt with and without KeyId after a deletion")},
		Promise:    Documented,
		Keys:       2,
		Experiment: lostMaterial,
	}, {
		ID:         "portability/replaced-key",
		Statement:  "A new key with the same material does not replace a key that is being deleted.",
		Why:        "Re-creating a deleted symmetric key from the backup recovers nothing: stop the deletion, while it waits.",
		Sources:    []Source{guideImport(), reference("ScheduleKeyDeletion")},
		Promise:    Documented,
		Keys:       2,
		Experiment: replacedKey,
	}, {
		ID:         "portability/re-import",
		Statement:  "Ciphertexts survive the deletion of the material and its import into the same key.",
		Why:        "This is what the backup is for, and it works any number of times.",
		Sources:    []Source{guideDelete(), recorded("Decrypt after deleting and importing again")},
		Promise:    Documented,
		Keys:       1,
		Experiment: survivesReimport,
	}, {
		ID:         "portability/outside",
		Statement:  "A KMS ciphertext does not open outside of KMS with AES-256-GCM under the material itself.",
		Why:        "Holding the material is not enough to leave KMS: re-encrypt data while the key works.",
		Sources:    []Source{guideImport(), recorded("ciphertexts under known material, decoded")},
		Promise:    Documented,
		Keys:       1,
		Experiment: opensOutside,
	}, {
		ID:         "portability/made-outside",
		Statement:  "What was encrypted outside of KMS with AES-256-GCM under the material, in the layout that KMS uses, is refused by KMS.",
		Why:        "Existing data cannot be taken along by importing its key; it has to be encrypted by KMS.",
		Sources:    []Source{guideImport()},
		Promise:    Documented,
		Keys:       1,
		Experiment: madeOutside,
	}, {
		ID:         "portability/names-material-only",
		Statement:  "A ciphertext names the material that made it, and neither key, account nor Region.",
		Why:        "From an old ciphertext one can read which of a key's materials is needed, but not where the key is.",
		Sources:    []Source{recorded("ciphertexts of seven keys, decoded")},
		Promise:    Observed,
		Keys:       1,
		Experiment: namesMaterialOnly,
	}, {
		ID:         "portability/regions",
		Statement:  "A ciphertext opens in every Region of a multi-Region key, if it is asked for there.",
		Why:        "This is the one kind of second key that works; but naming the key of the other Region is refused.",
		Sources:    []Source{guideRegions(), recorded("Decrypt in the replica with different KeyIds")},
		Promise:    Documented,
		Effects:    roleForRegions,
		Keys:       2,
		TwoRegions: true,
		Experiment: acrossRegions,
	}}
}

// twins are two symmetric keys that hold the same material.
func twins(t *experiment.Trial) (a, b experiment.Key) {
	m := t.Material(material.SymmetricDefault)
	a, _ = symmetric(t, m)
	b, _ = symmetric(t, m)
	return a, b
}

func ciphertextOfOtherKey(t *experiment.Trial) {
	a, b := twins(t)
	ofA, ofB := t.Encrypt(a, "kept"), t.Encrypt(b, "kept")
	t.Decrypt("decrypt the ciphertext of key A with key B", otherKey(), b, ofA, "")
	t.Decrypt("decrypt the ciphertext of key B with key A", otherKey(), a, ofB, "")
	experiment.Do(t, "re-encrypt the ciphertext of key A from key B", otherKey(), t.KMS.ReEncrypt, &kms.ReEncryptInput{
		CiphertextBlob: ofA, SourceKeyId: aws.String(b.ARN), DestinationKeyId: aws.String(b.ARN),
	})
	t.Decrypt("decrypt the ciphertext of key A with key A", experiment.Success, a, ofA, "kept")
	t.Decrypt("decrypt the ciphertext of key B with key B", experiment.Success, b, ofB, "kept")
}

func findsItsKey(t *experiment.Trial) {
	a, b := twins(t)
	for _, k := range []experiment.Key{a, b} {
		out := decrypt(t, "decrypt the ciphertext of "+k.Label+" without naming a key", k.Region, t.Encrypt(k, "kept"))
		t.Check("the key that did it", k.ARN, aws.ToString(out.KeyId))
		t.Same("the plaintext", []byte("kept"), out.Plaintext)
	}
}

// decryptUnnamed tries to decrypt without naming a key.
func decryptUnnamed(t *experiment.Trial, want experiment.Answer, ciphertext []byte) {
	experiment.Do(t, "decrypt without naming a key", want, t.KMS.Decrypt, &kms.DecryptInput{CiphertextBlob: ciphertext})
}

func lostMaterial(t *experiment.Trial) {
	a, b := twins(t)
	ciphertext := t.Encrypt(a, "kept")
	remove(t, "delete the material of key A", a, "")
	decryptUnnamed(t, pendingImport(a), ciphertext)
	t.Decrypt("decrypt with key B", otherKey(), b, ciphertext, "")
	t.State(b, types.KeyStateEnabled)
}

func replacedKey(t *experiment.Trial) {
	a, b := twins(t)
	ciphertext := t.Encrypt(a, "kept")
	schedule(t, "schedule the deletion of key A", experiment.Success, a, 7)
	decryptUnnamed(t, experiment.Refused("KMSInvalidStateException").Saying(a.ARN+" is pending deletion."), ciphertext)
	t.Decrypt("decrypt with key B", otherKey(), b, ciphertext, "")
	cancel(t, a)
	enable(t, a)
	t.Decrypt("decrypt with key A after stopping its deletion", experiment.Success, a, ciphertext, "kept")
}

func survivesReimport(t *experiment.Trial) {
	m := t.Material(material.SymmetricDefault)
	k, _ := symmetric(t, m)
	ciphertext := t.Encrypt(k, "kept")
	for range 2 {
		remove(t, "delete the material", k, "")
		t.Decrypt("decrypt without it", pendingImport(k), k, ciphertext, "")
		t.Bring(k, m)
		t.Decrypt("decrypt with it", experiment.Success, k, ciphertext, "kept")
	}
}

func namesMaterialOnly(t *experiment.Trial) {
	k, id := symmetric(t, t.Material(material.SymmetricDefault))
	ciphertext := t.Encrypt(k, "sixteen bytes: 6")
	t.Check("how many bytes longer than the plaintext it is", "152", length(len(ciphertext)-16))
	named := ""
	if len(ciphertext) >= 37 {
		named = hex.EncodeToString(ciphertext[5:37])
	}
	t.Check("what bytes 5 to 36 say", id, named)
	t.Check("whether the key's ID stands in it", "no", contains(ciphertext, keyID(k)))
	t.Check("whether the Region stands in it", "no", contains(ciphertext, k.Region))
}

// contains tells whether a text stands in b as it is.
func contains(b []byte, text string) string {
	if bytes.Contains(b, []byte(text)) {
		return "yes"
	}
	return "no"
}

func acrossRegions(t *experiment.Trial) {
	m := t.Material(material.SymmetricDefault)
	primary := multiRegion(t, m)
	replica := replicate(t, primary)
	t.Bring(replica, m)
	t.State(replica, types.KeyStateEnabled)

	ciphertext := t.Encrypt(primary, "kept")
	out := decrypt(t, "decrypt in the replica's Region without naming a key", replica.Region, ciphertext)
	t.Check("the key that did it", replica.ARN, aws.ToString(out.KeyId))
	t.Decrypt("decrypt with the replica", experiment.Success, replica, ciphertext, "kept")
	there := t.In(replica.Region)
	experiment.Do(t, "decrypt in the replica's Region with the bare key ID", experiment.Success, there.Decrypt,
		&kms.DecryptInput{KeyId: aws.String(keyID(primary)), CiphertextBlob: ciphertext})
	experiment.Do(t, "decrypt in the replica's Region with the ARN of the primary key", otherKey(), there.Decrypt,
		&kms.DecryptInput{KeyId: aws.String(primary.ARN), CiphertextBlob: ciphertext})
	t.Decrypt("decrypt with the primary key what the replica encrypted", experiment.Success, primary, t.Encrypt(replica, "back"), "back")
}
