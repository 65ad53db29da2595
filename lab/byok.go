// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"runtime"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

// oaep256 and oaep1 are the wrappings of the course: the usual one, and the one
// for machines that know no SHA-256.
var (
	oaep256 = wrap.Pair{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA2048}
	oaep1   = wrap.Pair{Algorithm: wrap.OAEPSHA1, KeySpec: wrap.RSA2048}
)

// letter is what lessons encrypt.
const letter = "Dear Ada, the keys are under the doormat.\n"

// byokState is what the steps of the lesson hand on.
type byokState struct {
	key        experiment.Key
	material   *material.Material
	parameters *token.Parameters
	wrapped    *token.Wrapped
	materialID string
	ciphertext []byte
}

func byok() Lesson {
	var s byokState
	return Lesson{
		Name: "byok", Title: "Bring your own key", Minutes: 10, Keys: 1,
		Learn: []string{
			"what a KMS key without key material is",
			"how 32 bytes of your own travel into KMS without anybody on the way seeing them",
			"which mistake with OAEP hashes everybody makes once",
		},
		Steps: []Step{{
			Title: "Make a KMS key that waits for its material",
			Text: `A KMS key is two things: a record (an ARN, a policy, a state) and the key material, the secret bytes that do the
work. Usually KMS makes both. With origin EXTERNAL it makes only the record, and the bytes are yours to bring.`,
			Hand:   []Command{makes("KEY", "")},
			Keymat: []string{`KEY=$(keymat create --spec SYMMETRIC_DEFAULT)`},
			Ask: &Question{
				Text:    "The key exists now. Can it encrypt?",
				Choices: []string{"yes, with material that KMS lends it for now", "no, and KMS says what it is waiting for"},
				Right:   1,
				Why:     "Without material there is nothing to encrypt with. The state PendingImport says so.",
			},
			Do: s.create,
			More: `The origin can be chosen once, when the key is made, and never be changed. The guide of AWS documents this; it also
documents that an EXTERNAL key cannot live in a custom key store.`,
		}, {
			Title: "Make 32 random bytes",
			Text: `A symmetric KMS key is AES-256: its material is 32 bytes, raw, with no header and no line break. They are only as
good as the randomness they come from.

Keep a copy. KMS never gives material back, not even to you, and without the copy the day the material is deleted is
the day your data is gone.`,
			Hand:   commands("openssl rand -out app.key 32"),
			Keymat: []string{"keymat generate --spec SYMMETRIC_DEFAULT --out app.key"},
			Do:     s.generate,
			Then: `The fingerprint is a check value of the kind that hardware modules print (AES-CMAC of zeros, shortened). It is safe to
show, and tells files apart. The bytes themselves stay in the memory of this process.`,
		}, {
			Title: "Fetch a wrapping key and an import token",
			Text: `KMS makes an RSA key pair for you, keeps the private half to itself, and gives you two things: the public half, which
is the wrapping key, and an import token. The two belong together, they belong to this one KMS key, and they are valid
for 24 hours.`,
			Hand:   handFetch("KEY", "RSAES_OAEP_SHA_256", "RSA_2048"),
			Keymat: []string{`keymat fetch "$KEY" --algorithm RSAES_OAEP_SHA_256 --wrapping-key RSA_2048 --out params.json`},
			Do:     s.fetch,
			More: `Both come out of one call on purpose: two calls would give two pairs, and the token of one never fits the public key
of the other. By hand this is why the answer is kept in a file before it is taken apart.`,
		}, {
			Title: "Wrap the material",
			Text: `To wrap is to encrypt the material under the wrapping key, with RSA-OAEP and SHA-256, as asked for in the last
step. This is the only step that needs both your bytes and a public key, and it needs no network.`,
			Hand: handWrap("app.key"),
			Keymat: []string{
				"keymat wrap --material app.key --params params.json --out wrapped.json",
			},
			Ask: &Question{
				Text:    "How long is the wrapped material, under an RSA_2048 wrapping key?",
				Choices: []string{"32 bytes", "48 bytes: the material and a check", "256 bytes"},
				Right:   2,
				Why:     "RSA encrypts into a number as long as its modulus: 2048 bits, whatever was wrapped.",
			},
			Do: s.wrap,
			Then: `Wrapping the same bytes twice gives different results, since OAEP mixes in fresh randomness. Comparing wrapped files
therefore says nothing about the material in them.`,
		}, {
			Title: "Stand in for KMS and unwrap",
			Text: `What does KMS do with the package? Its private key never leaves it, so let us play KMS: make a wrapping key pair of
our own, wrap the same material under it, and unwrap it again.`,
			Hand: commands(
				"openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out stand-in.pem",
				"openssl pkey -in stand-in.pem -pubout -outform DER -out stand-in.der",
				`openssl pkeyutl -encrypt -in app.key -out package.bin -pubin -inkey stand-in.der -keyform DER \
  -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256`,
				`openssl pkeyutl -decrypt -in package.bin -inkey stand-in.pem \
  -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256 | cmp - app.key`,
				"rm stand-in.pem stand-in.der package.bin"),
			Do: s.standIn,
		}, {
			Title: "Import it",
			Text: `Now the package goes to KMS together with the token, and with a decision: does the material expire? Leave the
decision out and KMS assumes that it does, and then demands a date. Here it does not expire; lesson expiry is about the other
choice.`,
			Hand:   join(commands(importLine("KEY")), handState("KEY")),
			Keymat: []string{"keymat import --wrapped wrapped.json --never-expires"},
			Do:     s.importIt,
			Then: `The key material ID is KMS's own name for these bytes in this key. The same bytes in another key have another ID
(recorded), so it betrays nothing about them.`,
		}, {
			Title: "Once more, with SHA-1",
			Text: `Some machines wrap with SHA-1 only, so KMS offers RSAES_OAEP_SHA_1 as well. For OAEP that is not the weakness that it
is for signatures, but take SHA-256 where you can. Importing the same bytes again is allowed at any time, so we can try it
on the same key.`,
			Hand: join(handFetch("KEY", "RSAES_OAEP_SHA_1", "RSA_2048"),
				commands(wrapLine("app.key", "sha1"), importLine("KEY"))),
			Keymat: []string{`keymat reimport "$KEY" --material app.key --never-expires \
  --algorithm RSAES_OAEP_SHA_1 --wrapping-key RSA_2048`},
			Ask: &Question{
				Text:    "The same bytes arrive wrapped in another way. Which key material ID will KMS report?",
				Choices: []string{"the same as before", "a new one"},
				Right:   0,
				Why:     "The ID names the bytes in the key. How they travelled does not matter.",
			},
			Do: s.sha1,
		}, {
			Title: "The mistake everybody makes once",
			Text: `openssl uses SHA-1 for OAEP unless told otherwise. Forget two options and you wrap with SHA-1 although you asked KMS for
SHA-256.`,
			Hand: join(handFetch("KEY", "RSAES_OAEP_SHA_256", "RSA_2048"),
				commands(`openssl pkeyutl -encrypt -in app.key -out EncryptedKeyMaterial.bin \
  -pubin -inkey WrappingPublicKey.bin -keyform DER -pkeyopt rsa_padding_mode:oaep`),
				[]Command{refused("InvalidCiphertextException", importLine("KEY"))}),
			Keymat: []string{"# keymat wrap reads the algorithm from params.json, so it cannot happen"},
			Ask: &Question{
				Text:    "What does KMS say?",
				Choices: []string{"that the hash is the wrong one", "that it cannot decrypt the package, and nothing more", "nothing: it tries both hashes"},
				Right:   1,
				Why: `All it sees is padding that does not come out right. KMS answers InvalidCiphertextException without any message, as it
does for every other way in which a package can be broken.`,
			},
			Do: s.wrongHash,
		}, {
			Title: "Use the key",
			Text: `For those who use it, the key is now like any other. Encrypt a short letter and decrypt it again. (Encrypt takes up to
4096 bytes; for larger files one encrypts with a data key, and has KMS encrypt that.)`,
			Hand: join(commands(`printf 'Dear Ada, the keys are under the doormat.\n' > letter.txt`),
				handEncrypt("$KEY", "letter.txt"), commands(handDecrypt("letter.txt"))),
			Do: s.use,
			Then: `Decrypt was not told which key to use: the ciphertext says it. But it was KMS that decrypted. Whether your own copy of
the 32 bytes could have done it as well is a question for lesson portability.`,
		}},
	}
}

func (s *byokState) create(r *Run) {
	s.key = r.NewKey(material.SymmetricDefault, nil)
	r.show("its ARN", "%s", s.key.ARN)
	r.reaches(s.key, types.KeyStatePendingImport)
	ask(r, "encrypt under key A", experiment.Refused("KMSInvalidStateException").Saying("is pending import"), r.KMS.Encrypt,
		&kms.EncryptInput{KeyId: aws.String(s.key.ARN), Plaintext: []byte(letter)})
}

func (s *byokState) generate(r *Run) {
	s.material = r.Material(material.SymmetricDefault)
	r.show("length", "%d bytes", s.material.Secret().Len())
	r.show("fingerprint", "%s", s.material.Fingerprint())
}

func (s *byokState) fetch(r *Run) {
	s.parameters = r.Fetch(s.key, oaep256)
	r.show("wrapping key", "%d bytes: an RSA_2048 public key, DER", len(s.parameters.PublicKey))
	r.show("import token", "for KMS to read; you only carry it")
	r.show("valid for", "%d hours", int(s.parameters.ValidTo.Sub(r.Now()).Hours()+0.5))
}

func (s *byokState) wrap(r *Run) {
	s.wrapped = r.Wrap(s.parameters, s.material)
	r.show("keymat wrapped", "32 bytes into %d", len(s.wrapped.EncryptedKeyMaterial))
	if !r.hasOpenSSL() {
		return
	}
	own := r.opensslWrap(s.parameters.PublicKey, s.material, opensslOAEP256)
	r.show("openssl wrapped", "the same 32 bytes into %d", len(own))
	r.Check("the two packages are the same", "no", yesNo(bytes.Equal(own, s.wrapped.EncryptedKeyMaterial)))
	// The student's package is the one that travels.
	wrapped, err := token.Attach(s.parameters, own)
	r.Must(err)
	s.wrapped = wrapped
}

func (s *byokState) standIn(r *Run) {
	pair, err := rsa.GenerateKey(rand.Reader, 2048)
	r.Must(err)
	if r.Err() != nil {
		return
	}
	pkg, err := wrap.Wrap(&pair.PublicKey, wrap.OAEPSHA256, s.material.Secret())
	r.Must(err)
	r.show("package", "%d bytes", len(pkg))
	if runtime.GOOS == "windows" {
		r.leaveOut("not unwrapped here: openssl would need the private key in a file, which the lab does not make")
		return
	}
	if !r.hasOpenSSL() {
		return
	}
	private, err := x509.MarshalPKCS8PrivateKey(pair)
	r.Must(err)
	unwrapped, err := r.openssl("pkeyutl -decrypt -in package.bin -keyform DER -inkey /dev/stdin "+opensslOAEP256, private, public{"package.bin", pkg})
	r.Must(err)
	clear(private)
	r.Must(s.material.Secret().Expose(func(b []byte) error {
		r.Same("what openssl unwrapped", b, unwrapped)
		return nil
	}))
	clear(unwrapped)
}

func (s *byokState) importIt(r *Run) {
	out := r.Import("import the material into key A", experiment.Success, s.key, s.wrapped, nil)
	s.materialID = aws.ToString(out.KeyMaterialId)
	r.reaches(s.key, types.KeyStateEnabled)
	r.show("key material ID", "%s", s.materialID)
}

func (s *byokState) sha1(r *Run) {
	if err := oaep1.Algorithm.Usable(); err != nil {
		r.leaveOut("left out: %v", err)
		return
	}
	p := r.Fetch(s.key, oaep1)
	w := r.Wrap(p, s.material)
	out := r.Import("import the same material into key A", experiment.Success, s.key, w, nil)
	r.Check("the key material ID", s.materialID, aws.ToString(out.KeyMaterialId))
}

func (s *byokState) wrongHash(r *Run) {
	if err := oaep1.Algorithm.Usable(); err != nil {
		r.leaveOut("left out: %v", err)
		return
	}
	p := r.Fetch(s.key, oaep256)
	mistaken := *p
	mistaken.Algorithm = wrap.OAEPSHA1
	w := r.Wrap(&mistaken, s.material)
	r.Import("import it", experiment.Refused("InvalidCiphertextException"), s.key, w, nil)
	r.reaches(s.key, types.KeyStateEnabled)
}

func (s *byokState) use(r *Run) {
	s.ciphertext = r.Encrypt(s.key, letter)
	r.show("letter", "%d bytes", len(letter))
	r.show("ciphertext", "%d bytes, which begin with %s…", len(s.ciphertext), hex.EncodeToString(s.ciphertext[:min(4, len(s.ciphertext))]))
	out := ask(r, "decrypt it, without saying with which key", experiment.Success, r.KMS.Decrypt, &kms.DecryptInput{CiphertextBlob: s.ciphertext})
	r.Same("the letter", []byte(letter), out.Plaintext)
	r.Check("the key that KMS used", s.key.ARN, aws.ToString(out.KeyId))
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
