// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"bytes"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// The files that the lesson makes.
const (
	privateFile = "lab-key.pem"        // PKCS #8, 0400
	publicFile  = "lab-key.public.pem" // SubjectPublicKeyInfo
	sshFile     = "lab-key.pub"        // authorized_keys
)

// keyPairState is what the steps of the lesson hand on.
type keyPairState struct {
	pair *material.Material
	key  experiment.Key
}

func keyPair() Lesson {
	var s keyPairState
	return Lesson{
		Name: "key-pair", Title: "Key pairs: for EC2, for ssh, and for KMS", Minutes: 8, Keys: 1,
		Learn: []string{
			"how one RSA key pair looks to openssl, to ssh and to EC2",
			"who gets which half",
			"why KMS wants the private half, and what that makes of the key",
		},
		Steps: []Step{{
			Title: "Make an RSA-2048 key pair",
			Text: `For its virtual machines EC2 takes the public half of a key pair that you made yourself: the same idea as bringing key
material, the other way round. The private half stays with you, in a file that only you can read and nobody writes (0400): ssh
refuses a private key that others can read.`,
			Hand: commands("openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "+privateFile,
				"chmod 0400 "+privateFile, "ls -l "+privateFile),
			Keymat: []string{"keymat generate --spec RSA_2048 --out lab-key.der --public-out lab-key.public.der"},
			Do:     s.generate,
			More: `PEM is a text form: base64 between a line that begins and a line that ends it, which name what is inside. PRIVATE KEY
is PKCS #8, for any kind of key; RSA PRIVATE KEY is the older PKCS #1, in which EC2 hands out the key pairs that it makes
itself. ssh reads both.`,
		}, {
			Title: "The public half, for openssl",
			Text:  `The public half can be computed from the private half at any time; it is never a loss. openssl writes it as PEM too.`,
			Hand:  commands("openssl pkey -in " + privateFile + " -pubout -out " + publicFile),
			Do:    s.forOpenSSL,
		}, {
			Title: "The public half, for ssh and for EC2",
			Text: `ssh has a form of its own, one line: the kind of key, base64, and a comment. It is what stands in the file
authorized_keys on a machine, and what EC2 puts there when it starts one.`,
			Hand: commands("ssh-keygen -y -f "+privateFile+" > "+sshFile, "ssh-keygen -l -f "+sshFile,
				"# to EC2: aws ec2 import-key-pair --key-name lab --public-key-material fileb://"+sshFile),
			Ask: &Question{
				Text:    "PEM and the ssh line look quite different. Are they the same key?",
				Choices: []string{"yes: the same two numbers in another form", "no, ssh keys are keys of another kind"},
				Right:   0,
				Why:     "An RSA public key is a modulus and an exponent. Every form holds these two and little else.",
			},
			Do: s.forSSH,
			More: `EC2 shows a fingerprint of what it imported: the MD5 digest of the public key in DER, says its guide. Compare with
openssl pkey -in ` + privateFile + ` -pubout -outform DER | openssl md5 -c. For key pairs that EC2 made it is the SHA-1 digest of
the private key in DER, so the two kinds cannot be compared with each other.`,
		}, {
			Title: "Try to give the public half to KMS",
			Text: `KMS imports key pairs as well. EC2 was content with the public half; try the same with a KMS key of spec RSA_2048. An
RSA key is too long for RSA-OAEP, so it is wrapped in two layers: the key under a fresh AES key, and that under the wrapping
key (RSA_AES_KEY_WRAP_SHA_256).`,
			Hand: join([]Command{makes("KEY", " --key-spec RSA_2048 --key-usage SIGN_VERIFY")},
				commands("openssl pkey -in "+privateFile+" -pubout -outform DER -out public.der"),
				handFetch("KEY", "RSA_AES_KEY_WRAP_SHA_256", "RSA_2048"), handWrapTwice("public.der"),
				[]Command{refused(AnyRefusal, importLine("KEY"))}),
			Ask: &Question{
				Text:    "What can KMS do with a public key?",
				Choices: []string{"verify signatures", "nothing: it refuses it", "make the private key from it"},
				Right:   1,
				Why: `A KMS key is there for what needs the secret: to sign, to decrypt. To verify, anybody can use the public key without
KMS. So it imports private keys only, and derives the public half itself.`,
			},
			Do: s.publicToKMS,
		}, {
			Title: "Import the private half",
			Text: `Now the private key, as PKCS #8 in DER. From here on it exists twice: in KMS, and in your file. For a key that signs,
think about what the second one is worth to a thief.`,
			Hand: join(commands("openssl pkcs8 -topk8 -nocrypt -in "+privateFile+" -outform DER -out private.der"),
				handFetch("KEY", "RSA_AES_KEY_WRAP_SHA_256", "RSA_2048"), handWrapTwice("private.der"), commands(importLine("KEY"),
					`aws kms get-public-key --key-id "$KEY" --query PublicKey --output text | openssl base64 -d -A | cmp - public.der`)),
			Keymat: []string{"keymat bring --alias alias/lab --spec RSA_2048 --material lab-key.der --never-expires"},
			Do:     s.privateToKMS,
			Then:   "KMS derived the public half from what it was given: it is the one in your files.",
			More: `By hand the one-time AES key is an argument of openssl, and for that moment visible in the list of processes; AWS's own
procedure does the same. keymat wrap keeps it in memory.`,
		}, {
			Title: "Sign in KMS, verify at home",
			Text:  "Have KMS sign the letter, and verify the signature with the public key that openssl wrote.",
			Hand: commands(`printf 'Dear Ada, the keys are under the doormat.\n' > letter.txt`,
				`aws kms sign --key-id "$KEY" --message fileb://letter.txt --message-type RAW \
  --signing-algorithm RSASSA_PKCS1_V1_5_SHA_256 --query Signature --output text | openssl base64 -d -A > letter.sig`,
				"openssl dgst -sha256 -verify "+publicFile+" -signature letter.sig letter.txt"),
			Do: s.sign,
			Then: `An ssh login would work with the private half in KMS too, through an agent that has KMS sign. EC2 would not notice: it
only ever saw the public half.`,
		}},
	}
}

// handWrapTwice wraps a file with RSA_AES_KEY_WRAP_SHA_256, as AWS's guide does.
func handWrapTwice(file string) []Command {
	return commands(
		"openssl rand -out aes-key.bin 32",
		`openssl enc -id-aes256-wrap-pad -K "$(od -An -v -tx1 aes-key.bin | tr -d ' \n')" -iv A65959A6 \
  -in `+file+` -out wrapped-key.bin`,
		`openssl pkeyutl -encrypt -in aes-key.bin -out wrapped-aes-key.bin \
  -pubin -inkey WrappingPublicKey.bin -keyform DER \
  -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256`,
		"cat wrapped-aes-key.bin wrapped-key.bin > EncryptedKeyMaterial.bin")
}

func (s *keyPairState) generate(r *Run) {
	s.pair = r.Material(material.RSA2048)
	path := filepath.Join(r.stage.Dir, privateFile)
	r.Must(s.pair.Secret().Expose(func(der []byte) error {
		text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
		defer clear(text)
		return writeNew(path, text, 0o400)
	}))
	info, err := os.Stat(path)
	r.Must(err)
	if r.Err() != nil {
		return
	}
	r.show("private half", "%s, %d bytes", privateFile, info.Size())
	r.show("its permissions", "%s", info.Mode())
	r.show("fingerprint", "%s", s.pair.Fingerprint())
}

// writeNew writes a file that must not exist yet.
func writeNew(path string, content []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

func (s *keyPairState) forOpenSSL(r *Run) {
	public := publicPEM(s.pair.PublicKeyDER())
	r.Must(writeNew(filepath.Join(r.stage.Dir, publicFile), public, 0o644))
	r.show("public half", "%s, %d bytes: %s", publicFile, len(public), strings.TrimSpace(strings.SplitN(string(public), "\n", 2)[0]))
	if !r.hasOpenSSL() {
		return
	}
	var theirs []byte
	r.Must(s.pair.Secret().Expose(func(der []byte) (err error) {
		theirs, err = r.openssl("pkey -inform DER -pubout", der)
		return err
	}))
	r.Same("what openssl makes of the private half", theirs, public)
}

func (s *keyPairState) forSSH(r *Run) {
	rsaKey, _ := s.pair.Public().(*rsa.PublicKey)
	key, err := ssh.NewPublicKey(rsaKey)
	r.Must(err)
	if r.Err() != nil {
		return
	}
	line := bytes.TrimSpace(ssh.MarshalAuthorizedKey(key))
	r.Must(writeNew(filepath.Join(r.stage.Dir, sshFile), append(line, " keymat-lab\n"...), 0o644))
	r.show("public half", "%s: %s %s…", sshFile, key.Type(), bytes.Fields(line)[1][:20])
	r.show("fingerprint for ssh", "%s", ssh.FingerprintSHA256(key))
	if r.stage.Tools.SSHKeygen == "" {
		r.leaveOut("ssh-keygen is not installed here, so there is nothing to compare with")
		return
	}
	theirs, err := runTool(r.ctx, r.stage.Tools.SSHKeygen, []string{"-y", "-f", filepath.Join(r.stage.Dir, privateFile)}, nil, nil)
	r.Must(err)
	if f := bytes.Fields(theirs); len(f) >= 2 {
		theirs = bytes.Join(f[:2], []byte(" "))
	}
	r.Same("what ssh-keygen makes of the private half", line, theirs)
}

func (s *keyPairState) publicToKMS(r *Run) {
	s.key = r.NewKey(material.RSA2048, nil)
	p := r.Fetch(s.key, experiment.Quick(material.RSA2048))
	if r.Err() != nil {
		return
	}
	wrappingKey, err := wrap.ParsePublicKey(p.PublicKey)
	r.Must(err)
	if r.Err() != nil {
		return
	}
	encrypted, err := wrap.Wrap(wrappingKey, p.Algorithm, material.NewSecret(s.pair.PublicKeyDER()))
	r.Must(err)
	// With which code it is refused was never recorded, so any will do.
	_, err = r.KMS.ImportKeyMaterial(r.ctx, &kms.ImportKeyMaterialInput{
		KeyId: aws.String(s.key.ARN), ImportToken: p.ImportToken, EncryptedKeyMaterial: encrypted,
		ExpirationModel: types.ExpirationModelTypeKeyMaterialDoesNotExpire,
	})
	var refusal smithy.APIError
	if errors.As(err, &refusal) {
		r.show("KMS answered", "%s", refusal.ErrorCode())
	} else {
		r.Must(err)
	}
	r.Check("KMS took the public half", "no", yesNo(err == nil))
	r.reaches(s.key, types.KeyStatePendingImport)
}

func (s *keyPairState) privateToKMS(r *Run) {
	r.Bring(s.key, s.pair)
	r.reaches(s.key, types.KeyStateEnabled)
	out := ask(r, "get its public key", experiment.Success, r.KMS.GetPublicKey, &kms.GetPublicKeyInput{KeyId: aws.String(s.key.ARN)})
	r.Same("KMS's public half and yours", s.pair.PublicKeyDER(), out.PublicKey)
}

func (s *keyPairState) sign(r *Run) {
	out := ask(r, "have KMS sign the letter", experiment.Success, r.KMS.Sign, &kms.SignInput{
		KeyId: aws.String(s.key.ARN), Message: []byte(letter), MessageType: types.MessageTypeRaw, SigningAlgorithm: types.SigningAlgorithmSpecRsassaPkcs1V15Sha256,
	})
	r.show("the signature", "%d bytes", len(out.Signature))
	r.opensslVerifies(s.pair.PublicKeyDER(), out.Signature)
}
