// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
)

// expiryState is what the steps of the lesson hand on.
type expiryState struct {
	key        experiment.Key
	material   *material.Material
	tonight    time.Time // when the material expires, UTC
	ciphertext []byte
}

// untilTonight is how long the material lives in the lesson, and untilMorning
// how long its student sleeps.
const (
	untilTonight = 12 * time.Hour
	untilMorning = 13 * time.Hour
)

func expiry() Lesson {
	var s expiryState
	return Lesson{
		Name: "expiry", Title: "Material that expires", Minutes: 6, Keys: 1,
		Learn: []string{
			"why every import needs a decision about its end",
			"what the morning after looks like, and how to come back from it",
			"how to move an expiry date before it is reached",
		},
		Steps: []Step{{
			Title: "Import without a decision",
			Text:  `Material may expire at a time that you name, or stay until somebody deletes it. What if you say neither?`,
			Hand: join([]Command{makes("KEY", "")}, commands("openssl rand -out app.key 32"), handFetch("KEY", "RSAES_OAEP_SHA_256", "RSA_2048"), handWrap("app.key"),
				[]Command{refused("ValidationException", importLine("KEY", ""))}),
			Keymat: []string{
				"keymat create --alias alias/lab --spec SYMMETRIC_DEFAULT",
				"keymat generate --spec SYMMETRIC_DEFAULT --out app.key",
				"keymat fetch alias/lab --out params.json",
				"keymat wrap --material app.key --params params.json --out wrapped.json",
				"# keymat import then asks for --expires or --never-expires",
			},
			Ask: &Question{
				Text:    "What does KMS assume?",
				Choices: []string{"that it never expires", "365 days", "that it expires, and then it misses the date"},
				Right:   2,
				Why:     "The default is KEY_MATERIAL_EXPIRES, and that needs a date. It is the safer default: what is forgotten should end.",
			},
			Do: s.undecided,
		}, {
			Title: "How far ahead?",
			Text:  "Name a date 367 days ahead.",
			Hand:  join(commands(`TOOFAR=$(date -u -d '367 days' +%FT%TZ || date -u -v+367d +%FT%TZ)`), []Command{refused("ValidationException", importLine("KEY", `--valid-to "$TOOFAR"`))}),
			Do:    s.tooFar,
			Then:  "At most 365 days. The package and the token were fine; a refused import uses up neither. By hand you go on with them.",
		}, {
			Title:  "Until tonight",
			Text:   `Import the material so that it expires in 12 hours, and use the key.`,
			Hand:   join(commands(`TONIGHT=$(date -u -d '12 hours' +%FT%TZ || date -u -v+12H +%FT%TZ)`), commands(importLine("KEY", `--valid-to "$TONIGHT"`), `printf 'Dear Ada, the keys are under the doormat.\n' > letter.txt`), handEncrypt("$KEY", "letter.txt")),
			Keymat: []string{"keymat import --wrapped wrapped.json --expires 12h"},
			Do:     s.tonightOnly,
			Then:   "KMS keeps whole seconds of the time that you name (recorded), and shows it in DescribeKey as ValidTo.",
		}, {
			Title: "The morning after",
			Text: `Nobody does anything. Thirteen hours pass: here by moving the clock of the KMS inside keymat, elsewhere by
waiting.`,
			Hand: join(commands("keymat mock clock --advance 13h   # on AWS: wait"), handState("KEY"),
				[]Command{refused("KMSInvalidStateException", "aws kms decrypt --ciphertext-blob fileb://letter.txt.encrypted")}),
			Ask: &Question{
				Text:    "In which state is the key?",
				Choices: []string{"Enabled: expiry stops encryption, but decryption goes on", "PendingDeletion", "PendingImport: as if the material had been deleted"},
				Right:   2,
				Why: `At ValidTo KMS deletes the material. Everything that you know from lesson delete-and-return holds: nothing can be
decrypted, and the same bytes bring it back. Nobody was asked again, so have something watch the date. (On AWS: the
CloudWatch metric SecondsUntilKeyMaterialExpiration.)`,
			},
			Do: s.morning,
		}, {
			Title:  "Come back",
			Text:   "Import the same bytes again, with a date that gives more time: 90 days.",
			Hand:   join(join(commands(`LATER=$(date -u -d '90 days' +%FT%TZ || date -u -v+90d +%FT%TZ)`), handBring("KEY", "app.key", `--valid-to "$LATER"`)), commands(handDecrypt("letter.txt"))),
			Keymat: []string{"keymat reimport alias/lab --material app.key --expires 90d"},
			Do:     s.comeBack,
		}, {
			Title:  "Move the date in time",
			Text:   `Next time you want to be early. You decide before the 90 days are over that the material shall not expire at all.`,
			Hand:   handBring("KEY", "app.key"),
			Keymat: []string{"keymat reimport alias/lab --material app.key --never-expires"},
			Ask: &Question{
				Text:    "What do you need in order to change the date?",
				Choices: []string{"the material: it has to be imported again", "a call like UpdateKeyExpiry, and a permission"},
				Right:   0,
				Why: `There is no such call. A new date comes with a new import of the same bytes, which needs no deletion before. Whoever cannot
reach the copy in time cannot extend.`,
			},
			Do: s.move,
		}},
	}
}

func (s *expiryState) undecided(r *Run) {
	s.key, s.material = r.NewKey(material.SymmetricDefault, nil), r.Material(material.SymmetricDefault)
	r.importUntil("import it without any word about its end", experiment.Refused("ValidationException").Saying("validTo"), s.key, s.material, nil)
}

func (s *expiryState) tooFar(r *Run) {
	then := r.Now().Add(367 * 24 * time.Hour)
	r.importUntil("import it for 367 days", experiment.Refused("ValidationException").Saying("365 days"), s.key, s.material, &then)
}

func (s *expiryState) tonightOnly(r *Run) {
	s.tonight = r.Now().Add(untilTonight).Truncate(time.Second)
	r.importUntil("import it until tonight", experiment.Success, s.key, s.material, &s.tonight)
	r.reaches(s.key, types.KeyStateEnabled)
	s.ciphertext = r.Encrypt(s.key, letter)
	r.Check("it expires at", s.tonight.Format(time.RFC3339), aws.ToTime(r.Describe(s.key).ValidTo).UTC().Format(time.RFC3339))
}

func (s *expiryState) morning(r *Run) {
	if r.stage.Bench.Clock == nil {
		r.leaveOut("left out: nobody moves the time here, and the lesson does not wait until tomorrow; the material is deleted instead, which the guide of AWS says is the same")
		r.delete(s.key)
	} else {
		r.Advance(untilMorning)
		r.show("the clock shows", "%s", r.Now().Format(time.RFC3339))
	}
	r.reaches(s.key, types.KeyStatePendingImport)
	r.Decrypt("decrypt the letter", experiment.Refused("KMSInvalidStateException").Saying("is pending import"), s.key, s.ciphertext, "")
}

func (s *expiryState) comeBack(r *Run) {
	then := r.Now().Add(90 * 24 * time.Hour).Truncate(time.Second)
	r.importUntil("import it for 90 days", experiment.Success, s.key, s.material, &then)
	r.reaches(s.key, types.KeyStateEnabled)
	r.Decrypt("decrypt the letter", experiment.Success, s.key, s.ciphertext, letter)
}

func (s *expiryState) move(r *Run) {
	r.Bring(s.key, s.material)
	r.Await("its expiration", string(types.ExpirationModelTypeKeyMaterialDoesNotExpire), func() (string, error) {
		out, err := r.KMS.DescribeKey(r.ctx, &kms.DescribeKeyInput{KeyId: aws.String(s.key.ARN)})
		if err != nil {
			return "", err
		}
		return string(out.KeyMetadata.ExpirationModel), nil
	})
}

// importUntil imports material that expires; with nil nothing is said about its
// end.
func (r *Run) importUntil(what string, want experiment.Answer, k experiment.Key, m *material.Material, until *time.Time) {
	r.Import(what, want, k, r.Wrap(r.Fetch(k, oaep256), m), func(in *kms.ImportKeyMaterialInput) {
		in.ExpirationModel, in.ValidTo = "", until
	})
}
