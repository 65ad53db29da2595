// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
)

// deleteState is what the steps of the lesson hand on.
type deleteState struct {
	key        experiment.Key
	material   *material.Material
	materialID string
	ciphertext []byte
}

func deleteAndReturn() Lesson {
	var s deleteState
	return Lesson{
		Name: "delete-and-return", Title: "Delete the material, and bring it back", Minutes: 7, Keys: 1,
		Learn: []string{
			"how fast material goes, and what goes with it",
			"what may come back, and what may not",
			"how deleting material differs from deleting a key",
		},
		Steps: []Step{{
			Title: "A key in use",
			Text:  "A key with imported material, and a letter that was encrypted under it.",
			Hand: join([]Command{makes("KEY", "")}, commands("openssl rand -out app.key 32"), handBring("KEY", "app.key"),
				commands(`printf 'Dear Ada, the keys are under the doormat.\n' > letter.txt`), handEncrypt("$KEY", "letter.txt")),
			Keymat: []string{"keymat bring --alias alias/lab --spec SYMMETRIC_DEFAULT --out app.key --never-expires"},
			Do:     s.begin,
		}, {
			Title: "Delete the material",
			Text: `This is the emergency stop that only imported material has: one call, and the key is empty. The record stays, with its
ARN, its policy and its aliases.`,
			Hand:   join(commands(`aws kms delete-imported-key-material --key-id "$KEY"`), handState("KEY")),
			Keymat: []string{"keymat delete-material alias/lab --material app.key"},
			Ask: &Question{
				Text:    "When does the material go?",
				Choices: []string{"at once", "after a waiting period of at least 7 days", "when nobody has used it for a day"},
				Right:   0,
				Why: `Deleting a KMS key has a waiting period, because it cannot be undone. Deleting imported material can be undone, by
whoever has a copy. So there is none. (Services that keep a data key in memory may go on for a while.)`,
			},
			Do: s.deleteMaterial,
		}, {
			Title: "Read the letter",
			Text:  "Ask KMS to decrypt the letter now.",
			Hand:  []Command{refused("KMSInvalidStateException", "aws kms decrypt --ciphertext-blob fileb://letter.txt.encrypted")},
			Do:    s.cannotRead,
			Then: `Nothing of the letter is lost. It is as readable as your copy of the material is safe: without one, nobody can read it
again, and AWS cannot help.`,
		}, {
			Title: "Try to bring other material",
			Text:  `Suppose the copy was mixed up with another file of 32 bytes. The key is empty, so perhaps it takes anything.`,
			Hand: join(commands("openssl rand -out other.key 32"), handFetch("KEY", "RSAES_OAEP_SHA_256", "RSA_2048"), handWrap("other.key"),
				[]Command{refused("IncorrectKeyMaterialException", importLine("KEY"))}),
			Ask: &Question{
				Text:    "What does KMS say to other material?",
				Choices: []string{"it takes it, and old ciphertexts are lost", "it refuses, and names the material that it expects"},
				Right:   1,
				Why: `Once imported, a material belongs to its key for good. KMS remembers its ID after the bytes are gone, and names it in the
refusal.`,
			},
			Do: s.otherMaterial,
		}, {
			Title:  "Bring the same material back",
			Text:   "Import the right file: a new token, the same bytes.",
			Hand:   join(handBring("KEY", "app.key"), commands(handDecrypt("letter.txt"))),
			Keymat: []string{"keymat reimport alias/lab --material app.key --never-expires"},
			Do:     s.bringBack,
			Then: `This is also how to find out which of several files is the right copy: try them. KMS takes no other than the right one,
and a refusal does no harm.`,
		}, {
			Title: "By contrast: disable the key",
			Text:  "There is a gentler stop, for any key: disable it. The material stays where it is.",
			Hand: join(commands(`aws kms disable-key --key-id "$KEY"`),
				[]Command{refused("DisabledException", "aws kms decrypt --ciphertext-blob fileb://letter.txt.encrypted")},
				commands(`aws kms enable-key --key-id "$KEY"`)),
			Ask: &Question{
				Text:    "What does it take to undo it?",
				Choices: []string{"a call, and the permission for it", "the copy of the material"},
				Right:   0,
				Why: `Whoever may call EnableKey can undo it. That is the difference in an emergency: after DeleteImportedKeyMaterial even an
intruder with all permissions has no use of the key.`,
			},
			Do: s.disable,
		}, {
			Title: "By contrast: delete the key itself",
			Text: `Deleting the KMS key deletes record and material together, and cannot be undone by anybody. So KMS makes you wait: try
it with 6 days, then with 7.`,
			Hand: join([]Command{refused("ValidationException", `aws kms schedule-key-deletion --key-id "$KEY" --pending-window-in-days 6`)},
				commands(`aws kms schedule-key-deletion --key-id "$KEY" --pending-window-in-days 7`),
				[]Command{refused("KMSInvalidStateException", "aws kms decrypt --ciphertext-blob fileb://letter.txt.encrypted")}),
			Ask: &Question{
				Text:    "After the 7 days: does your copy of the material bring the letter back, in a new KMS key?",
				Choices: []string{"yes", "no"},
				Right:   1,
				Why: `Lesson portability shows why: a ciphertext belongs to the KMS key that made it. With imported material too, a deleted
key takes everything with it that was encrypted under it.`,
			},
			Do: s.schedule,
		}, {
			Title: "Change your mind",
			Text:  "Within the waiting period the deletion can be cancelled.",
			Hand: join(commands(`aws kms cancel-key-deletion --key-id "$KEY"`), handState("KEY"),
				commands(`aws kms enable-key --key-id "$KEY"`, handDecrypt("letter.txt"))),
			Do: s.cancel,
			Then: `The key comes back disabled, so that nobody goes on using it by accident. A key whose material is missing would be in
state PendingImport instead (recorded).`,
		}},
	}
}

func (s *deleteState) begin(r *Run) {
	s.key, s.material = r.NewKey(material.SymmetricDefault, nil), r.Material(material.SymmetricDefault)
	s.materialID = aws.ToString(r.Bring(s.key, s.material).KeyMaterialId)
	r.reaches(s.key, types.KeyStateEnabled)
	s.ciphertext = r.Encrypt(s.key, letter)
	r.show("key material ID", "%s", s.materialID)
}

func (s *deleteState) deleteMaterial(r *Run) {
	r.delete(s.key)
	r.reaches(s.key, types.KeyStatePendingImport)
}

func (s *deleteState) cannotRead(r *Run) {
	r.Decrypt("decrypt the letter", experiment.Refused("KMSInvalidStateException").Saying("is pending import"), s.key, s.ciphertext, "")
}

func (s *deleteState) otherMaterial(r *Run) {
	other := r.Material(material.SymmetricDefault)
	r.show("fingerprint of the copy", "%s", s.material.Fingerprint())
	r.show("of the other file", "%s", other.Fingerprint())
	r.Import("import the other file", experiment.Refused("IncorrectKeyMaterialException").Saying(s.materialID), s.key,
		r.Wrap(r.Fetch(s.key, oaep256), other), nil)
}

func (s *deleteState) bringBack(r *Run) {
	out := r.Bring(s.key, s.material)
	r.Check("the key material ID", s.materialID, aws.ToString(out.KeyMaterialId))
	r.reaches(s.key, types.KeyStateEnabled)
	r.Decrypt("decrypt the letter", experiment.Success, s.key, s.ciphertext, letter)
}

func (s *deleteState) disable(r *Run) {
	ask(r, "disable key A", experiment.Success, r.KMS.DisableKey, &kms.DisableKeyInput{KeyId: aws.String(s.key.ARN)})
	r.reaches(s.key, types.KeyStateDisabled)
	r.Decrypt("decrypt the letter", experiment.Refused("DisabledException"), s.key, s.ciphertext, "")
	s.enable(r)
}

func (s *deleteState) enable(r *Run) {
	ask(r, "enable key A", experiment.Success, r.KMS.EnableKey, &kms.EnableKeyInput{KeyId: aws.String(s.key.ARN)})
	r.reaches(s.key, types.KeyStateEnabled)
}

func (s *deleteState) schedule(r *Run) {
	in := func(days int32) *kms.ScheduleKeyDeletionInput {
		return &kms.ScheduleKeyDeletionInput{KeyId: aws.String(s.key.ARN), PendingWindowInDays: aws.Int32(days)}
	}
	ask(r, "delete key A in 6 days", experiment.Refused("ValidationException"), r.KMS.ScheduleKeyDeletion, in(experiment.Window-1))
	ask(r, "delete key A in 7 days", experiment.Success, r.KMS.ScheduleKeyDeletion, in(experiment.Window))
	r.reaches(s.key, types.KeyStatePendingDeletion)
	r.Decrypt("decrypt the letter", experiment.Refused("KMSInvalidStateException").Saying("is pending deletion"), s.key, s.ciphertext, "")
}

func (s *deleteState) cancel(r *Run) {
	ask(r, "cancel the deletion", experiment.Success, r.KMS.CancelKeyDeletion, &kms.CancelKeyDeletionInput{KeyId: aws.String(s.key.ARN)})
	r.reaches(s.key, types.KeyStateDisabled)
	s.enable(r)
	r.Decrypt("decrypt the letter", experiment.Success, s.key, s.ciphertext, letter)
}
