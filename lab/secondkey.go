// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
)

// secondKeyState is what the steps of the lesson hand on.
type secondKeyState struct {
	a, b     experiment.Key
	material *material.Material
	package1 *token.Wrapped    // made for key A
	fetched  *token.Parameters // for key B
	id       string            // of the material in key A
}

func secondKey() Lesson {
	var s secondKeyState
	return Lesson{
		Name: "same-material-second-key", Title: "The same material for a second key", Minutes: 7, Keys: 2,
		Learn: []string{
			"what an import token is tied to, and what the package is tied to",
			"how to tell from KMS's answer which of the two was wrong",
			"that equal bytes in two KMS keys are still two keys",
		},
		Steps: []Step{{
			Title: "A first key, imported as usual",
			Text: `You have done this in lesson byok: a key, 32 bytes, a wrapping key and a token, a package. Keep the package and its
token. The story of this lesson is what can be done with them a second time.`,
			Hand: join([]Command{makes("A", "")}, commands("openssl rand -out app.key 32"), handBring("A", "app.key"),
				commands("cp EncryptedKeyMaterial.bin first-package.bin", "cp ImportToken.bin first-token.bin")),
			Keymat: []string{"keymat bring --alias alias/a --spec SYMMETRIC_DEFAULT --out app.key --never-expires"},
			Do:     s.first,
		}, {
			Title: "First attempt: send everything again, to a second key",
			Text: `Make a second key that waits for material, and send it exactly what the first key was sent: the same package and the
same token.`,
			Hand: []Command{makes("B", ""), refused("InvalidImportTokenException", importFilesLine("B", "first-package.bin", "first-token.bin"))},
			Ask: &Question{
				Text:    "What happens?",
				Choices: []string{"it works: the material is the same, and so is its owner", "KMS refuses the token", "KMS refuses the package"},
				Right:   1,
				Why:     "An import token belongs to the KMS key that it was fetched for. KMS looks at it before it opens any package.",
			},
			Do:   s.attempt1,
			Then: "The exception has a name and no message: InvalidImportTokenException is all you are told (recorded).",
		}, {
			Title: "Second attempt: a new token, the old package",
			Text: `So fetch a token for the second key. It comes with a new public key, but why wrap again? The material has not
changed. Send the old package with the new token.`,
			Hand: join(handFetch("B", "RSAES_OAEP_SHA_256", "RSA_2048"),
				[]Command{refused("InvalidCiphertextException", importFilesLine("B", "first-package.bin", "ImportToken.bin"))}),
			Ask: &Question{
				Text:    "And now?",
				Choices: []string{"it works", "KMS refuses the token", "KMS refuses the package"},
				Right:   2,
				Why: `The token is good. But it leads KMS to the private half of the new wrapping key, and the old package was encrypted
under another one: it does not open.`,
			},
			Do: s.attempt2,
			Then: `The two refusals tell the mistakes apart: InvalidImportTokenException means the token, InvalidCiphertextException
means the package, or that the two do not belong together.`,
		}, {
			Title: "Third attempt: wrap the same material again",
			Text: `Wrap the very same 32 bytes under the public key that came with the new token. The failed import before has not used
the token up.`,
			Hand:   join(handWrap("app.key"), commands(importLine("B"))),
			Keymat: []string{"keymat bring --alias alias/b --spec SYMMETRIC_DEFAULT --material app.key --never-expires"},
			Ask: &Question{
				Text:    "This time KMS takes it. Does it report the same key material ID for key B as for key A?",
				Choices: []string{"yes, the bytes are the same", "no, each key has its own"},
				Right:   1,
				Why: `The ID depends on the key as well as on the bytes (recorded: the same bytes had three IDs in three keys). Nobody can
compare IDs to find out that two keys share their material.`,
			},
			Do: s.attempt3,
		}, {
			Title: "The first token once more, for its own key",
			Text: `The guide of AWS says to fetch a new token for every import. Is an old one refused, then, for the key that it belongs
to? Send key A its first package and its first token again.`,
			Hand: commands(importFilesLine("A", "first-package.bin", "first-token.bin")),
			Ask: &Question{
				Text:    "Does KMS take a token twice?",
				Choices: []string{"yes, within its 24 hours", "no, it is used up"},
				Right:   0,
				Why: `Observed, not promised: KMS took the same token again and again when this was recorded in September 2026. Do as the
guide says and fetch a new one; but know that whoever finds an old package and its token within 24 hours can import it
into that key again.`,
			},
			Do: s.again,
		}, {
			Title: "Two keys, after all",
			Text:  `Both keys hold the same 32 bytes now. Encrypt under key A, and ask key B to decrypt.`,
			Hand: join(commands(`printf 'Dear Ada, the keys are under the doormat.\n' > letter.txt`), handEncrypt("$A", "letter.txt"),
				[]Command{refused("IncorrectKeyException", `aws kms decrypt --key-id "$B" --ciphertext-blob fileb://letter.txt.encrypted`)}),
			Ask: &Question{
				Text:    "Can key B read what key A wrote?",
				Choices: []string{"yes, AES with the same key is AES with the same key", "no"},
				Right:   1,
				Why:     "A ciphertext of KMS is bound to the KMS key that made it, not only to the bytes inside. Lesson portability looks closer.",
			},
			Do: s.two,
		}},
	}
}

// importFilesLine imports a package and a token from files.
func importFilesLine(key, pkg, token string) string {
	return `aws kms import-key-material --key-id "$` + key + `" \
  --encrypted-key-material fileb://` + pkg + ` --import-token fileb://` + token + ` \
  --expiration-model KEY_MATERIAL_DOES_NOT_EXPIRE`
}

func (s *secondKeyState) first(r *Run) {
	s.a = r.NewKey(material.SymmetricDefault, nil)
	s.material = r.Material(material.SymmetricDefault)
	s.package1 = r.Wrap(r.Fetch(s.a, oaep256), s.material)
	out := r.Import("import the package into key A", experiment.Success, s.a, s.package1, nil)
	s.id = aws.ToString(out.KeyMaterialId)
	r.reaches(s.a, types.KeyStateEnabled)
	r.show("fingerprint", "%s", s.material.Fingerprint())
}

func (s *secondKeyState) attempt1(r *Run) {
	s.b = r.NewKey(material.SymmetricDefault, nil)
	r.Import("import key A's package with key A's token into key B", experiment.Refused("InvalidImportTokenException"), s.b, s.package1, nil)
	r.reaches(s.b, types.KeyStatePendingImport)
}

func (s *secondKeyState) attempt2(r *Run) {
	s.fetched = r.Fetch(s.b, oaep256)
	r.Import("import key A's package with key B's token", experiment.Refused("InvalidCiphertextException"), s.b, s.package1,
		func(in *kms.ImportKeyMaterialInput) { in.ImportToken = s.fetched.ImportToken })
	r.reaches(s.b, types.KeyStatePendingImport)
}

func (s *secondKeyState) attempt3(r *Run) {
	out := r.Import("import the same material, wrapped anew", experiment.Success, s.b, r.Wrap(s.fetched, s.material), nil)
	r.reaches(s.b, types.KeyStateEnabled)
	r.show("its ID in key A", "%s", s.id)
	r.show("its ID in key B", "%s", aws.ToString(out.KeyMaterialId))
	r.Check("the two IDs are the same", "no", yesNo(s.id == aws.ToString(out.KeyMaterialId)))
}

func (s *secondKeyState) again(r *Run) {
	out := r.Import("import the first package with the first token into key A again", experiment.Success, s.a, s.package1, nil)
	r.Check("the key material ID", s.id, aws.ToString(out.KeyMaterialId))
}

func (s *secondKeyState) two(r *Run) {
	ciphertext := r.Encrypt(s.a, letter)
	r.Decrypt("decrypt it with key B", experiment.Refused("IncorrectKeyException"), s.b, ciphertext, "")
	r.Decrypt("decrypt it with key A", experiment.Success, s.a, ciphertext, letter)
}
