// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"bytes"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/internal/term/termtest"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// TestOpenSSLReadsWhatKeymatGenerates has openssl check each kind of key pair.
func TestOpenSSLReadsWhatKeymatGenerates(t *testing.T) {
	for _, spec := range material.Specs() {
		if !spec.KeyPair() {
			continue
		}
		t.Run(string(spec), func(t *testing.T) {
			d := newDesk(t)
			d.keymat("generate", "--spec", string(spec), "--out", "key.der", "--public-out", "key.pem")
			d.openssl("pkey", "-inform", "DER", "-in", "key.der", "-check", "-noout")
			got, want := d.read("key.pem"), d.openssl("pkey", "-inform", "DER", "-in", "key.der", "-pubout")
			if !bytes.Equal(got, want) {
				t.Errorf("public key\n%swant\n%s", got, want)
			}
		})
	}
}

const passphrase = "correct horse"

// TestReadsWhatOpenSSLWrites reads private keys in every form openssl has for
// them. The commands read key.pem, a key of the spec, and write to stdout.
func TestReadsWhatOpenSSLWrites(t *testing.T) {
	const encrypt = "openssl pkcs8 -topk8 -in key.pem -passout 'pass:" + passphrase + "' "
	for _, test := range []struct {
		spec material.Spec
		want material.Encoding
		line string
	}{
		{material.RSA2048, material.PKCS8PEM, "cat key.pem"},
		{material.RSA2048, material.PKCS8DER, "openssl pkcs8 -topk8 -nocrypt -in key.pem -outform DER"},
		{material.RSA2048, material.PKCS1PEM, "openssl rsa -in key.pem -traditional"},
		{material.RSA2048, material.PKCS1DER, "openssl rsa -in key.pem -traditional -outform DER"},
		{material.RSA2048, material.PKCS8PEM, "openssl pkey -in key.pem -text"},
		{material.RSA2048, material.EncryptedPKCS8PEM, encrypt},
		{material.RSA2048, material.EncryptedPKCS8DER, encrypt + "-outform DER"},
		{material.RSA2048, material.EncryptedPKCS8PEM, encrypt + "-v2 aes-128-cbc -iter 1"},
		{material.RSA2048, material.EncryptedPKCS8PEM, encrypt + "-v2 aes-192-cbc -v2prf hmacWithSHA1"},
		{material.RSA2048, material.EncryptedPKCS8PEM, encrypt + "-v2 aes-256-cbc -v2prf hmacWithSHA512 -iter 100000"},
		{material.RSA2048, material.EncryptedPKCS8PEM, encrypt + "-v2 des3"},
		{material.RSA2048, material.EncryptedPKCS8PEM, encrypt + "-scrypt"},
		{material.ECCNISTP256, material.PKCS8PEM, "cat key.pem"},
		{material.ECCNISTP256, material.SEC1PEM, "openssl ec -in key.pem"},
		{material.ECCNISTP256, material.SEC1DER, "openssl ec -in key.pem -outform DER"},
		{material.ECCNISTP256, material.SEC1PEM, "openssl ec -in key.pem -no_public"},
		{material.ECCNISTP256, material.SEC1PEM, "openssl ec -in key.pem -conv_form compressed"},
		{material.ECCNISTP256, material.SEC1PEM, "openssl ecparam -name prime256v1; openssl ec -in key.pem"},
		{material.ECCNISTP256, material.PKCS8PEM, "openssl ec -in key.pem -conv_form compressed | openssl pkcs8 -topk8 -nocrypt"},
		{material.ECCNISTP256, material.PKCS8PEM, "openssl ec -in key.pem -no_public | openssl pkcs8 -topk8 -nocrypt"},
		{material.ECCNISTP384, material.EncryptedPKCS8PEM, encrypt},
		{material.ECCNISTP384, material.SEC1PEM, "openssl ec -in key.pem"},
		{material.ECCNISTP521, material.PKCS8DER, "openssl pkcs8 -topk8 -nocrypt -in key.pem -outform DER"},
		{material.ECCNISTP521, material.SEC1DER, "openssl ec -in key.pem -outform DER"},
		{material.ECCSECGP256K1, material.PKCS8PEM, "cat key.pem"},
		{material.ECCSECGP256K1, material.SEC1PEM, "openssl ec -in key.pem -conv_form compressed"},
		{material.ECCSECGP256K1, material.EncryptedPKCS8DER, encrypt + "-outform DER"},
		{material.ECCNISTEdwards25519, material.PKCS8PEM, "cat key.pem"},
		{material.ECCNISTEdwards25519, material.PKCS8DER, "openssl pkcs8 -topk8 -nocrypt -in key.pem -outform DER"},
		{material.ECCNISTEdwards25519, material.EncryptedPKCS8PEM, encrypt},
	} {
		t.Run(string(test.spec)+": "+test.line, func(t *testing.T) {
			d := newDesk(t)
			d.opensslGenerate(test.spec, "key.der")
			d.openssl("pkey", "-inform", "DER", "-in", "key.der", "-out", "key.pem")
			m, encoding, err := material.Parse(d.sh(test.line), material.Options{Passphrase: answer(passphrase)})
			if err != nil {
				t.Fatal(err)
			}
			if encoding != test.want || m.Spec() != test.spec {
				t.Errorf("read as %s, %s; want %s, %s", m.Spec(), encoding, test.spec, test.want)
			}
			d.write("read.der", plaintext(m))
			d.openssl("pkey", "-inform", "DER", "-in", "read.der", "-check", "-noout")
			want := d.openssl("pkey", "-inform", "DER", "-in", "key.der", "-pubout", "-outform", "DER")
			if !bytes.Equal(m.PublicKeyDER(), want) {
				t.Error("the key that was read is another one")
			}
		})
	}
}

// TestRefusesWhatKMSWould reads private keys that openssl can make and KMS does
// not take, or that nobody should use any more.
func TestRefusesWhatKMSWould(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"openssl ecparam -name prime256v1 -genkey -noout -param_enc explicit", "explicit"},
		{"openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-384 -pkeyopt ec_param_enc:explicit", "explicit"},
		{"openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:brainpoolP256r1", "curve"},
		{"openssl genpkey -quiet -algorithm rsa -pkeyopt rsa_keygen_bits:1024", "1024"},
		{"openssl genpkey -quiet -algorithm rsa -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_primes:3", "3 primes"},
		{"openssl genpkey -algorithm ed448", "Ed448"},
		{"openssl genpkey -algorithm x25519", "X25519"},
		{"openssl genpkey -quiet -algorithm rsa-pss -pkeyopt rsa_keygen_bits:2048", "RSASSA-PSS"},
		{"openssl genpkey -algorithm ed25519 | openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES -passout pass:x", "obsolete scheme"},
		{"openssl genpkey -quiet -algorithm rsa | openssl rsa -traditional -aes256 -passout pass:x", "traditional encrypted PEM"},
		{"openssl genpkey -algorithm ed25519 | openssl pkey -pubout", "public key"},
		{"openssl req -x509 -newkey ed25519 -nodes -keyout /dev/null -subj /CN=x", "certificate"},
	} {
		t.Run(test.line, func(t *testing.T) {
			m, encoding, err := material.Parse(newDesk(t).sh(test.line), material.Options{Passphrase: answer("x")})
			if err == nil {
				t.Fatalf("read as %s %s, want an error", encoding, m.Spec())
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %q does not speak of %q", err, test.want)
			}
		})
	}
}

// TestReadsWhatSSHKeygenWrites reads OpenSSH private keys, and compares the
// public half with what ssh-keygen itself wrote.
func TestReadsWhatSSHKeygenWrites(t *testing.T) {
	for _, test := range []struct {
		spec  material.Spec
		want  material.Encoding
		flags string
	}{
		{material.ECCNISTEdwards25519, material.OpenSSH, "-t ed25519"},
		{material.ECCNISTP256, material.OpenSSH, "-t ecdsa -b 256"},
		{material.ECCNISTP384, material.OpenSSH, "-t ecdsa -b 384"},
		{material.ECCNISTP521, material.OpenSSH, "-t ecdsa -b 521"},
		{material.RSA2048, material.OpenSSH, "-t rsa -b 2048"},
		{material.RSA3072, material.OpenSSH, "-t rsa -b 3072"},
		{material.ECCNISTEdwards25519, material.EncryptedOpenSSH, "-t ed25519"},
		{material.ECCNISTP256, material.EncryptedOpenSSH, "-t ecdsa -b 256 -a 1"},
		{material.ECCNISTP384, material.EncryptedOpenSSH, "-t ecdsa -b 384 -Z aes256-cbc -a 1"},
		{material.RSA2048, material.EncryptedOpenSSH, "-t rsa -b 2048 -a 1"},
		{material.RSA2048, material.PKCS1PEM, "-t rsa -b 2048 -m PEM"},
		{material.RSA2048, material.PKCS8PEM, "-t rsa -b 2048 -m PKCS8"},
		{material.ECCNISTP256, material.SEC1PEM, "-t ecdsa -m PEM"},
		{material.ECCNISTP256, material.EncryptedPKCS8PEM, "-t ecdsa -m PKCS8"},
	} {
		t.Run(test.flags+" "+string(test.want), func(t *testing.T) {
			d := newDesk(t)
			secret := ""
			if strings.HasPrefix(string(test.want), "encrypted") {
				secret = passphrase
			}
			d.sshKeygen(test.flags, secret)
			m, encoding, err := material.Parse(d.read("id"), material.Options{Passphrase: answer(passphrase)})
			if err != nil {
				t.Fatal(err)
			}
			if encoding != test.want || m.Spec() != test.spec {
				t.Errorf("read as %s, %s; want %s, %s", m.Spec(), encoding, test.spec, test.want)
			}
			got, err := ssh.NewPublicKey(m.Public())
			if err != nil {
				t.Fatal(err)
			}
			want, _, _, _, err := ssh.ParseAuthorizedKey(d.read("id.pub"))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Marshal(), want.Marshal()) {
				t.Error("the key that was read is another one")
			}
			d.write("read.der", plaintext(m))
			d.openssl("pkey", "-inform", "DER", "-in", "read.der", "-check", "-noout")
		})
	}
}

// sshKeygen makes the key pair id and id.pub.
func (d *desk) sshKeygen(flags, passphrase string) {
	d.t.Helper()
	args := append([]string{"-q", "-f", "id", "-C", "a comment", "-N", passphrase}, strings.Fields(flags)...)
	d.run(tool(d.t, "ssh-keygen", "openssh-client"), args...)
}

// TestAsksForThePassphrase opens a protected OpenSSH key at a terminal, and has
// openssl look at what was wrapped.
func TestAsksForThePassphrase(t *testing.T) {
	const arn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	pair := wrap.Pair{Algorithm: wrap.RSAAESSHA256, KeySpec: wrap.RSA2048}
	d := newDesk(t)
	d.wrappingKey(pair.KeySpec)
	d.write("WrappingPublicKey.bin", d.read(string(pair.KeySpec)+".der"))
	d.write("ImportToken.bin", []byte("a token that only KMS could read"))
	d.keymat("fetch", arn, "--from-dir", ".", "--spec", "ECC_NIST_P256", "--algorithm", string(pair.Algorithm), "--out", "params.json")
	d.sshKeygen("-t ecdsa", passphrase)

	wrapIt := func(typed string) (story string, err error) {
		console := termtest.Open(t)
		cmd := exec.Command(built.keymat, "wrap", "--material", "id", "--params", "params.json", "--raw", "encrypted")
		cmd.Dir, cmd.Env = d.dir, environment(d.dir, "")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		console.Start(cmd)
		console.Expect("Passphrase of id")
		if console.Echoes() {
			t.Error("the terminal shows what is typed")
		}
		console.Type(typed + "\n")
		err = console.Wait()
		for _, shown := range []string{console.Screen(), stderr.String()} {
			if strings.Contains(shown, typed) {
				t.Error("the passphrase was shown")
			}
		}
		return stderr.String(), err
	}
	if story, err := wrapIt("wrong horse"); err == nil || !strings.Contains(story, "passphrase") {
		t.Errorf("a wrong passphrase: %v, %s", err, story)
	}
	if story, err := wrapIt(passphrase); err != nil {
		t.Fatalf("%v: %s", err, story)
	}

	d.write("unwrapped.der", d.opensslUnwrap(pair, string(pair.KeySpec)+".pem", d.read("encrypted")))
	got := d.openssl("pkey", "-inform", "DER", "-in", "unwrapped.der", "-pubout")
	want := d.run(tool(t, "ssh-keygen", "openssh-client"), "-e", "-m", "PKCS8", "-f", "id.pub")
	if !bytes.Equal(got, want) {
		t.Errorf("public key\n%swant\n%s", got, want)
	}
}

// answer is someone who knows the passphrase, and is asked once.
func answer(passphrase string) func(string) ([]byte, error) {
	asked := false
	return func(string) ([]byte, error) {
		if asked {
			return nil, errors.New("asked twice")
		}
		asked = true
		return []byte(passphrase), nil
	}
}
