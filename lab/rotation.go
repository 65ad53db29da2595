// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
)

// rotationState is what the steps of the lesson hand on.
type rotationState struct {
	alias      string
	a, b       experiment.Key
	one, two   *material.Material // of key A
	id1, id2   string
	first      []byte // a letter, encrypted under the first material
	afterwards []byte // one that was encrypted after the rotation
}

func rotation() Lesson {
	var s rotationState
	return Lesson{
		Name: "rotation", Title: "Rotation of a key with imported material", Minutes: 8, Keys: 2,
		Learn: []string{
			"why KMS cannot rotate imported material by itself",
			"two ways to rotate: a new key behind an alias, and new material in the same key",
			"why a rotated key needs every material that it ever had",
		},
		Steps: []Step{{
			Title: "A key with a name",
			Text:  "A key with imported material, and an alias, which is what an application would be told.",
			Hand: join([]Command{makes("A", "")}, commands("openssl rand -out one.key 32"), handBring("A", "one.key"), commands(
				`aws kms create-alias --alias-name "alias/keymat-lab-$$" --target-key-id "$A"`, `ALIAS=alias/keymat-lab-$$`,
				`printf 'Dear Ada, the keys are under the doormat.\n' > letter.txt`), handEncrypt("$ALIAS", "letter.txt")),
			Keymat: []string{"keymat bring --alias alias/app --spec SYMMETRIC_DEFAULT --out one.key --never-expires"},
			Do:     s.begin,
		}, {
			Title: "Ask for automatic rotation",
			Text:  "KMS rotates its own keys every year if asked to. Ask it for this one.",
			Hand:  []Command{refused("UnsupportedOperationException", `aws kms enable-key-rotation --key-id "$A"`)},
			Ask: &Question{
				Text:    "What does KMS say?",
				Choices: []string{"it will ask for new material once a year", "that the origin of the key does not allow it"},
				Right:   1,
				Why:     "To rotate is to change the bytes, and KMS has none of yours in reserve. With imported material, rotating is your job.",
			},
			Do: s.automatic,
		}, {
			Title: "The first way: a new key behind the same name",
			Text:  `Make a second key with material of its own, and point the alias at it. The application goes on with the name it knows.`,
			Hand: join([]Command{makes("B", "")}, commands("openssl rand -out other.key 32"), handBring("B", "other.key"), commands(
				`aws kms update-alias --alias-name "$ALIAS" --target-key-id "$B"`, handDecrypt("letter.txt"))),
			Ask: &Question{
				Text:    "The alias leads to the new key. Can the old letter still be decrypted?",
				Choices: []string{"yes, as long as the old key is there", "no, the application asks the new key now"},
				Right:   0,
				Why: `Decrypt finds the key by the ciphertext, not by the alias. So keep the old key; and remember that an application which
names the alias in Decrypt would be refused.`,
			},
			Do: s.swap,
			Then: `This works for every kind of key, also for key pairs and HMAC keys, for which there is no other way. Policies and
grants do not move with the alias.`,
		}, {
			Title: "The second way: new material for the same key",
			Text: `Since June 2025 a symmetric key with imported material can be given further material. Import it as NEW_KEY_MATERIAL, into
key A.`,
			Hand: join(commands("openssl rand -out two.key 32"), handFetch("A", "RSAES_OAEP_SHA_256", "RSA_2048"), handWrap("two.key"), commands(
				importLine("A", "--import-type NEW_KEY_MATERIAL", "--expiration-model KEY_MATERIAL_DOES_NOT_EXPIRE"))),
			Keymat: []string{"keymat bring --key alias/app --out two.key --never-expires --new"},
			Ask: &Question{
				Text:    "With which material does key A encrypt now?",
				Choices: []string{"with the new one", "with the first one, until somebody rotates"},
				Right:   1,
				Why:     "The new material is pending rotation: in the key, and not in use. So there is time to check that its copy is safe.",
			},
			Do: s.stage,
		}, {
			Title: "Rotate on demand",
			Text:  "Now tell KMS to rotate. It takes a while: from 48 seconds to several minutes on AWS when this was recorded.",
			Hand: commands(`aws kms rotate-key-on-demand --key-id "$A"`,
				`until aws kms list-key-rotations --key-id "$A" --output text | grep -q ON_DEMAND; do sleep 5; done`,
				handDecrypt("letter.txt")),
			Ask: &Question{
				Text:    "Does the letter from before the rotation still open?",
				Choices: []string{"yes, KMS keeps the old bytes for what they encrypted", "no, the key has new bytes"},
				Right:   0,
				Why:     "The ID of the material is in the ciphertext. New letters get the new material, old ones find the old.",
			},
			Do: s.rotate,
		}, {
			Title: "Lose the old material",
			Text:  `The first material has done its duty, one could think: nothing new is encrypted with it. Delete it, by its ID.`,
			Hand: join(commands(`ID=$(aws kms list-key-rotations --key-id "$A" --include-key-material ALL_KEY_MATERIAL \
  --query 'Rotations[0].KeyMaterialId' --output text)`,
				`aws kms delete-imported-key-material --key-id "$A" --key-material-id "$ID"`),
				[]Command{refused("KMSInvalidStateException", `aws kms encrypt --key-id "$A" --plaintext fileb://letter.txt`)}),
			Ask: &Question{
				Text:    "What does key A do now?",
				Choices: []string{"it goes on with the new material, and old letters are lost", "nothing at all"},
				Right:   1,
				Why: `A key is usable only while it has every material that was ever rotated in. Losing any one of them stops the whole key,
new letters too.`,
			},
			Do: s.lose,
		}, {
			Title:  "Bring it back",
			Text:   "Import the first material again. KMS finds by itself where it belongs.",
			Hand:   join(handBring("A", "one.key"), commands(handDecrypt("letter.txt"), `aws kms delete-alias --alias-name "$ALIAS"`, `ALIAS=`)),
			Keymat: []string{"keymat reimport alias/app --material one.key --never-expires"},
			Do:     s.bringBack,
			Then: `So with rotation the copies add up: a key that was rotated ten times needs eleven files, kept for as long as the oldest
letter matters.`,
		}},
	}
}

func (s *rotationState) begin(r *Run) {
	s.a, s.one = r.NewKey(material.SymmetricDefault, nil), r.Material(material.SymmetricDefault)
	s.id1 = aws.ToString(r.Bring(s.a, s.one).KeyMaterialId)
	r.reaches(s.a, types.KeyStateEnabled)
	s.alias = "alias/keymat-lab-" + r.stage.Bench.Run
	ask(r, "name it "+s.alias, experiment.Success, r.KMS.CreateAlias, &kms.CreateAliasInput{AliasName: aws.String(s.alias), TargetKeyId: aws.String(s.a.ARN)})
	if r.Err() == nil {
		r.Defer(func(ctx context.Context) error {
			_, err := r.KMS.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: aws.String(s.alias)})
			return err
		})
	}
	s.first = s.encryptByName(r)
}

func (s *rotationState) encryptByName(r *Run) []byte {
	return ask(r, "encrypt by the alias", experiment.Success, r.KMS.Encrypt, &kms.EncryptInput{KeyId: aws.String(s.alias), Plaintext: []byte(letter)}).CiphertextBlob
}

func (s *rotationState) automatic(r *Run) {
	ask(r, "rotate it every year", experiment.Refused("UnsupportedOperationException"), r.KMS.EnableKeyRotation, &kms.EnableKeyRotationInput{KeyId: aws.String(s.a.ARN)})
}

func (s *rotationState) swap(r *Run) {
	s.b = r.NewKey(material.SymmetricDefault, nil)
	r.Bring(s.b, r.Material(material.SymmetricDefault))
	r.reaches(s.b, types.KeyStateEnabled)
	ask(r, "point the alias at key B", experiment.Success, r.KMS.UpdateAlias, &kms.UpdateAliasInput{AliasName: aws.String(s.alias), TargetKeyId: aws.String(s.b.ARN)})
	r.Await("the key behind the alias", s.b.ARN, func() (string, error) {
		out, err := r.KMS.DescribeKey(r.ctx, &kms.DescribeKeyInput{KeyId: aws.String(s.alias)})
		if err != nil {
			return "", err
		}
		return aws.ToString(out.KeyMetadata.Arn), nil
	})
	out := ask(r, "decrypt the old letter", experiment.Success, r.KMS.Decrypt, &kms.DecryptInput{CiphertextBlob: s.first})
	r.Check("the key that KMS used", s.a.ARN, aws.ToString(out.KeyId))
	ask(r, "decrypt it by the alias", experiment.Refused("IncorrectKeyException"), r.KMS.Decrypt, &kms.DecryptInput{KeyId: aws.String(s.alias), CiphertextBlob: s.first})
}

func (s *rotationState) stage(r *Run) {
	s.two = r.Material(material.SymmetricDefault)
	out := r.Import("import new material into key A", experiment.Success, s.a, r.Wrap(r.Fetch(s.a, oaep256), s.two),
		func(in *kms.ImportKeyMaterialInput) { in.ImportType = types.ImportTypeNewKeyMaterial })
	s.id2 = aws.ToString(out.KeyMaterialId)
	r.show("the first material", "%s", s.id1)
	r.show("the new one", "%s", s.id2)
	s.readsWith(r, "a letter encrypted now has", s.id1, r.Encrypt(s.a, letter))
}

// readsWith decrypts a letter and compares which material did it.
func (s *rotationState) readsWith(r *Run, what, id string, ciphertext []byte) {
	out := ask(r, "decrypt it", experiment.Success, r.KMS.Decrypt, &kms.DecryptInput{KeyId: aws.String(s.a.ARN), CiphertextBlob: ciphertext})
	r.Same("the letter", []byte(letter), out.Plaintext)
	r.Check(what, id, aws.ToString(out.KeyMaterialId))
}

func (s *rotationState) rotate(r *Run) {
	ask(r, "rotate on demand", experiment.Success, r.KMS.RotateKeyOnDemand, &kms.RotateKeyOnDemandInput{KeyId: aws.String(s.a.ARN)})
	if r.stage.Bench.Clock != nil {
		r.Advance(10 * time.Minute)
		r.show("the clock", "moved by ten minutes")
	}
	r.Await("the material in use", s.id2, func() (string, error) {
		out, err := r.KMS.DescribeKey(r.ctx, &kms.DescribeKeyInput{KeyId: aws.String(s.a.ARN)})
		if err != nil {
			return "", err
		}
		return aws.ToString(out.KeyMetadata.CurrentKeyMaterialId), nil
	})
	s.afterwards = r.Encrypt(s.a, letter)
	s.readsWith(r, "a letter encrypted now has", s.id2, s.afterwards)
	s.readsWith(r, "the old letter has", s.id1, s.first)
}

func (s *rotationState) lose(r *Run) {
	ask(r, "delete the first material", experiment.Success, r.KMS.DeleteImportedKeyMaterial,
		&kms.DeleteImportedKeyMaterialInput{KeyId: aws.String(s.a.ARN), KeyMaterialId: aws.String(s.id1)})
	r.reaches(s.a, types.KeyStatePendingImport)
	r.Decrypt("decrypt the newest letter", experiment.Refused("KMSInvalidStateException").Saying("is pending import"), s.a, s.afterwards, "")
}

func (s *rotationState) bringBack(r *Run) {
	out := r.Bring(s.a, s.one)
	r.Check("the key material ID", s.id1, aws.ToString(out.KeyMaterialId))
	r.reaches(s.a, types.KeyStateEnabled)
	r.Decrypt("decrypt the old letter", experiment.Success, s.a, s.first, letter)
	r.Decrypt("decrypt the newest letter", experiment.Success, s.a, s.afterwards, letter)
}
