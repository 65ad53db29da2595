// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/fips140"
	"crypto/sha256"
	"encoding/hex"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
)

// portabilityState is what the steps of the lesson hand on.
type portabilityState struct {
	a, b       experiment.Key
	material   *material.Material
	materialID string
	ciphertext []byte // under key A
}

func portability() Lesson {
	var s portabilityState
	return Lesson{
		Name: "portability", Title: "What travels between keys, and what does not", Minutes: 9, Keys: 6,
		Learn: []string{
			"why a copy of the material does not let you decrypt without KMS",
			"what the ciphertext of a symmetric KMS key says about itself",
			"which results can be used elsewhere: MACs, signatures, and ciphertexts of multi-Region keys",
		},
		Steps: []Step{{
			Title: "Two keys with the same 32 bytes",
			Text: `Suppose you want to change your provider, or your account: you import the same material into a second key, and expect
that it reads what the first one wrote.`,
			Hand: join([]Command{makes("A", ""), makes("B", "")}, commands("openssl rand -out app.key 32"), handBring("A", "app.key"), handBring("B", "app.key"),
				commands(`printf 'Dear Ada, the keys are under the doormat.\n' > letter.txt`), handEncrypt("$A", "letter.txt")),
			Keymat: []string{
				"keymat bring --alias alias/a --spec SYMMETRIC_DEFAULT --out app.key --never-expires",
				"keymat bring --alias alias/b --spec SYMMETRIC_DEFAULT --material app.key --never-expires",
			},
			Do: s.twoKeys,
		}, {
			Title: "Name the other key",
			Text:  "Ask KMS to decrypt the letter with key B, which holds the same bytes.",
			Hand:  []Command{refused("IncorrectKeyException", `aws kms decrypt --key-id "$B" --ciphertext-blob fileb://letter.txt.encrypted`)},
			Ask: &Question{
				Text:    "Key A wrote the letter. Can key B read it?",
				Choices: []string{"no, although the bytes are the same", "yes"},
				Right:   0,
				Why:     "KMS sees from the ciphertext that it is not one of key B's, and does not even try.",
			},
			Do: s.otherKey,
			Then: `Without a key named, KMS takes key A by itself: the ciphertext tells. It holds no ARN, but the ID of the key material
(AWS says so in its security blog, and it can be seen), and you know from lesson same-material-second-key that this ID differs from key to
key.`,
		}, {
			Title: "Take away the first key",
			Text: `Perhaps KMS only prefers key A. Delete key A's material, so that key B is the only one left that holds these bytes, and
try again.`,
			Hand: []Command{
				{Line: `aws kms delete-imported-key-material --key-id "$A"`},
				refused("KMSInvalidStateException", "aws kms decrypt --ciphertext-blob fileb://letter.txt.encrypted"),
				refused("IncorrectKeyException", `aws kms decrypt --key-id "$B" --ciphertext-blob fileb://letter.txt.encrypted`),
				{Line: "# bring the material back into key A, as before"},
			},
			Ask: &Question{
				Text:    "What does KMS say, with no key named?",
				Choices: []string{"it uses key B now", "that key A is pending import"},
				Right:   1,
				Why:     "The ciphertext belongs to key A for good. Only key A with its own material opens it again.",
			},
			Do: s.withoutFirst,
		}, {
			Title: "Open it outside KMS",
			Text: `You still have the 32 bytes in your own hands, and the ciphertext too. It looks like AES-256-GCM: there is a nonce in it,
and an encrypted part with a tag. Try to open it with the material as the AES key.`,
			Ask: &Question{
				Text:    "Does it open?",
				Choices: []string{"yes, that is what a copy is for", "no"},
				Right:   1,
				Why: `KMS does not encrypt with the material itself, but with a key that it derives from it for each encryption; AWS
describes that, but not so closely that one could do it oneself. The guide of AWS says that ciphertexts cannot be decrypted outside of KMS, even with the same material; this is
what trying it shows.`,
			},
			Do: s.outside,
			Then: `So the copy of your material is not a second way to your data. It is what brings the one way back: imported again into
the same KMS key.`,
		}, {
			Title: "What travels: multi-Region keys",
			Text: `A multi-Region key and its replicas are one key in several Regions, with one key ID. Each of them needs the material
imported.`,
			Hand: join([]Command{makes("M", " --multi-region")}, handBring("M", "app.key"), commands(
				`case $M in *:us-west-2:*) SECOND=us-east-1 ;; *) SECOND=us-west-2 ;; esac`),
				[]Command{{Line: `R=$(aws kms replicate-key --key-id "$M" --replica-region "$SECOND" \
  --query ReplicaKeyMetadata.Arn --output text)`, Makes: "R"}},
				inRegion("$SECOND", commands(`until [ "$(aws kms describe-key --key-id "$R" \
  --query KeyMetadata.KeyState --output text)" = PendingImport ]; do sleep 1; done`)),
				inRegion("$SECOND", handBring("R", "app.key")), handEncrypt("$M", "letter.txt"),
				inRegion("$SECOND", commands(handDecrypt("letter.txt")))),
			Do: s.multiRegion,
			Then: `The ciphertext of one opens in the other. Take the material away from one of them and the other is not touched
(recorded).`,
		}, {
			Title: "What travels: MACs",
			Text: `For an HMAC key KMS computes plain HMAC with your bytes. Anybody who has them can compute and check the same MAC
without KMS.`,
			Hand: join([]Command{makes("H", " --key-spec HMAC_256 --key-usage GENERATE_VERIFY_MAC")}, commands("openssl rand -out mac.key 32"), handBring("H", "mac.key"),
				commands(`aws kms generate-mac --key-id "$H" --mac-algorithm HMAC_SHA_256 --message fileb://letter.txt \
  --query Mac --output text | openssl base64 -d -A > mac.bin`,
					`python3 -c 'import hmac
print(hmac.digest(open("mac.key","rb").read(), open("letter.txt","rb").read(), "sha256") == open("mac.bin","rb").read())'`)),
			Keymat: []string{"keymat bring --alias alias/mac --spec HMAC_256 --out mac.key --never-expires"},
			Do:     s.mac,
			More: `openssl dgst can compute an HMAC too, but it wants the key as an argument, where every user of the machine can see it
in the list of processes. So the by-hand way reads the key from its file with Python.`,
		}, {
			Title: "What travels: signatures",
			Text: `A signature made by KMS is a plain signature, whatever the origin of the key. Whoever has the public key verifies it,
without KMS and without an account.`,
			Hand: join([]Command{makes("S", " --key-spec ECC_NIST_P256 --key-usage SIGN_VERIFY")}, commands(
				`openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -outform DER -out signing.der`,
				`openssl pkcs8 -topk8 -nocrypt -inform DER -in signing.der -outform DER -out signing.key`),
				handBring("S", "signing.key"),
				commands(`aws kms sign --key-id "$S" --message fileb://letter.txt --message-type RAW --signing-algorithm ECDSA_SHA_256 \
  --query Signature --output text | openssl base64 -d -A > letter.sig`,
					`openssl pkey -inform DER -in signing.key -pubout -out signing.pem`,
					`openssl dgst -sha256 -verify signing.pem -signature letter.sig letter.txt`)),
			Keymat: []string{"keymat bring --alias alias/signing --spec ECC_NIST_P256 --out signing.key --never-expires"},
			Ask: &Question{
				Text:    "Who can make the same kind of signature without KMS?",
				Choices: []string{"whoever has a copy of the imported private key", "nobody, the key is in KMS"},
				Right:   0,
				Why: `Imported key pairs exist outside KMS as well, by definition. If only KMS shall ever be able to sign, let KMS make the
key.`,
			},
			Do: s.signature,
		}},
	}
}

func (s *portabilityState) twoKeys(r *Run) {
	s.a, s.b = r.NewKey(material.SymmetricDefault, nil), r.NewKey(material.SymmetricDefault, nil)
	s.material = r.Material(material.SymmetricDefault)
	s.materialID = aws.ToString(r.Bring(s.a, s.material).KeyMaterialId)
	r.Bring(s.b, s.material)
	r.reaches(s.a, types.KeyStateEnabled)
	r.reaches(s.b, types.KeyStateEnabled)
	s.ciphertext = r.Encrypt(s.a, letter)
	r.show("fingerprint of both", "%s", s.material.Fingerprint())
}

func (s *portabilityState) otherKey(r *Run) {
	r.Decrypt("decrypt it with key B", experiment.Refused("IncorrectKeyException"), s.b, s.ciphertext, "")
	out := ask(r, "decrypt it, no key named", experiment.Success, r.KMS.Decrypt, &kms.DecryptInput{CiphertextBlob: s.ciphertext})
	r.Check("the key that KMS used", s.a.ARN, aws.ToString(out.KeyId))
	if id, err := hex.DecodeString(s.materialID); err == nil && bytes.Contains(s.ciphertext, id) {
		r.show("the ciphertext holds", "the material ID of key A, %s…, at byte %d", s.materialID[:12], bytes.Index(s.ciphertext, id))
	}
}

func (s *portabilityState) withoutFirst(r *Run) {
	r.delete(s.a)
	r.reaches(s.a, types.KeyStatePendingImport)
	ask(r, "decrypt it, no key named", experiment.Refused("KMSInvalidStateException").Saying("is pending import"), r.KMS.Decrypt, &kms.DecryptInput{CiphertextBlob: s.ciphertext})
	r.Decrypt("decrypt it with key B", experiment.Refused("IncorrectKeyException"), s.b, s.ciphertext, "")
	r.Bring(s.a, s.material)
	r.reaches(s.a, types.KeyStateEnabled)
	r.Decrypt("decrypt it with key A", experiment.Success, s.a, s.ciphertext, letter)
}

func (s *portabilityState) outside(r *Run) {
	if fips140.Enforced() {
		r.leaveOut("left out: Go takes no nonce from outside for AES-GCM where FIPS 140-3 is enforced")
		return
	}
	tried, opened := 0, false
	r.Must(s.material.Secret().Expose(func(key []byte) (err error) {
		tried, opened, err = openAnywhere(key, s.ciphertext)
		return err
	}))
	r.show("tried", "every place in the ciphertext where a nonce and an encrypted part could begin: %d", tried)
	r.Check("AES-256-GCM with the same 32 bytes opens it", "no", yesNo(opened))
}

// openAnywhere tries every 12 bytes of a blob as nonce, with what follows from
// every later place to the end as ciphertext and tag.
func openAnywhere(key, blob []byte) (tried int, opened bool, err error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return 0, false, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return 0, false, err
	}
	for i := 0; i+gcm.NonceSize() < len(blob); i++ {
		nonce := blob[i : i+gcm.NonceSize()]
		for j := i + gcm.NonceSize(); j+gcm.Overhead() <= len(blob); j++ {
			tried++
			if _, err := gcm.Open(nil, nonce, blob[j:], nil); err == nil {
				return tried, true, nil
			}
		}
	}
	return tried, false, nil
}

func (s *portabilityState) multiRegion(r *Run) {
	if r.stage.Bench.Second == "" {
		r.leaveOut("left out: it needs a second Region, and none was given (--second-region)")
		return
	}
	m := r.Material(material.SymmetricDefault)
	primary := r.NewKey(material.SymmetricDefault, func(in *kms.CreateKeyInput) { in.MultiRegion = aws.Bool(true) })
	r.Bring(primary, m)
	r.reaches(primary, types.KeyStateEnabled)
	replica := r.Replicate(primary)
	r.reaches(replica, types.KeyStatePendingImport)
	r.Bring(replica, m)
	r.reaches(replica, types.KeyStateEnabled)
	r.Decrypt("decrypt in "+replica.Region+" what was encrypted in "+primary.Region, experiment.Success, replica, r.Encrypt(primary, letter), letter)
}

func (s *portabilityState) mac(r *Run) {
	k, m := r.NewKey(material.HMAC256, nil), r.Material(material.HMAC256)
	r.Bring(k, m)
	r.reaches(k, types.KeyStateEnabled)
	out := ask(r, "have KMS compute a MAC", experiment.Success, r.KMS.GenerateMac,
		&kms.GenerateMacInput{KeyId: aws.String(k.ARN), Message: []byte(letter), MacAlgorithm: types.MacAlgorithmSpecHmacSha256})
	own, err := m.MAC([]byte(letter))
	r.Must(err)
	r.show("the MAC", "%d bytes", len(out.Mac))
	r.Same("the MAC computed here", own, out.Mac)
}

func (s *portabilityState) signature(r *Run) {
	k, m := r.NewKey(material.ECCNISTP256, nil), r.Material(material.ECCNISTP256)
	r.Bring(k, m)
	r.reaches(k, types.KeyStateEnabled)
	out := ask(r, "have KMS sign the letter", experiment.Success, r.KMS.Sign, &kms.SignInput{
		KeyId: aws.String(k.ARN), Message: []byte(letter), MessageType: types.MessageTypeRaw, SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256,
	})
	public, _ := m.Public().(*ecdsa.PublicKey)
	if r.Err() != nil || public == nil {
		return
	}
	digest := sha256.Sum256([]byte(letter))
	r.Check("the signature verifies here", "yes", yesNo(ecdsa.VerifyASN1(public, digest[:], out.Signature)))
	r.opensslVerifies(m.PublicKeyDER(), out.Signature)
}

// opensslVerifies has openssl verify a signature of the letter.
func (r *Run) opensslVerifies(publicDER, signature []byte) {
	if !r.hasOpenSSL() || r.Err() != nil {
		return
	}
	out, err := r.openssl("dgst -sha256 -verify public.pem -signature letter.sig letter.txt", nil,
		public{"public.pem", publicPEM(publicDER)}, public{"letter.sig", signature}, public{"letter.txt", []byte(letter)})
	r.Must(err)
	r.Check("openssl says", "Verified OK", string(bytes.TrimSpace(out)))
}
