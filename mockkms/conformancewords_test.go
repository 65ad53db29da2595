// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/material"
)

// What stands for a value in a line: $name, or $(word arguments).
var placeholder = regexp.MustCompile(`\$\(([^()]*(?:\([^()]*\)[^()]*)*)\)|\$([A-Za-z]\w*(?:\.id\b)?)`)

// fill puts values in the place of what stands for them.
func (c *conformer) fill(line string) string {
	return placeholder.ReplaceAllStringFunc(line, func(s string) string {
		if word, ok := strings.CutPrefix(s, "$("); ok {
			word, arguments, _ := strings.Cut(c.fill(strings.TrimSuffix(word, ")")), " ")
			return c.word(word, arguments)
		}
		value, ok := c.names[s[1:]]
		if !ok {
			c.Fatalf("%s: nothing is called %s", c.where, s)
		}
		return value
	})
}

// word computes a value; bytes become base64, as the wire has them.
func (c *conformer) word(word, arguments string) string {
	b64 := base64.StdEncoding.EncodeToString
	f := strings.Fields(arguments)
	switch {
	case strings.HasPrefix(word, "now"): // seconds with milliseconds
		return strconv.FormatFloat(float64(c.offset(word[3:]).UnixMilli())/1000, 'f', 3, 64)
	case strings.HasPrefix(word, "second"): // whole seconds
		return strconv.FormatInt(c.offset(word[6:]).Unix(), 10)
	case word == "text":
		return b64([]byte(arguments))
	case word == "hex":
		return b64(must(hex.DecodeString(arguments)))
	case word == "bytes": // letter, count
		return b64(letters(f[0], must(strconv.Atoi(f[1]))))
	case word == "chars":
		return strings.Repeat(f[0], must(strconv.Atoi(f[1])))
	case word == "sha256":
		d := sha256.Sum256(unbase64(arguments))
		return b64(d[:])
	case word == "sha512":
		d := sha512.Sum512(unbase64(arguments))
		return b64(d[:])
	case word == "mu": // of an ML-DSA public key and a message, as FIPS 204 has it
		tr := sha3.SumSHAKE256(unbase64(f[0])[22:], 64)
		return b64(sha3.SumSHAKE256(append(append(tr, 0, 0), unbase64(f[1])...), 64))
	case word == "part": // bytes from, to, in hex
		return hex.EncodeToString(unbase64(f[0])[must(strconv.Atoi(f[1])):must(strconv.Atoi(f[2]))])
	case word == "length":
		return strconv.Itoa(len(unbase64(arguments)))
	case word == "damaged": // the last byte, changed
		b := unbase64(arguments)
		b[len(b)-1] ^= 1
		return b64(b)
	case word == "public":
		return b64(must(material.New(conformanceSpec(arguments), conformanceMaterial(arguments))).PublicKeyDER())
	}
	c.Fatalf("%s: no such word: %s", c.where, word)
	return ""
}

func (c *conformer) offset(s string) time.Time {
	if s == "" {
		return c.now
	}
	return c.now.Add(must(time.ParseDuration(s)))
}

// made keeps the key pairs of a run, by their names.
var made sync.Map

// conformanceMaterial is material by its name: A*32 is a letter repeated, as
// in the recordings, p256 a key pair of that kind, p256b another one, and
// ber:p256 the first with an outer SEQUENCE of indefinite length.
func conformanceMaterial(name string) []byte {
	if letter, n, ok := strings.Cut(name, "*"); ok {
		return letters(letter, must(strconv.Atoi(n)))
	}
	if name, ok := strings.CutPrefix(name, "ber:"); ok {
		return indefinite(conformanceMaterial(name))
	}
	once, _ := made.LoadOrStore(name, sync.OnceValue(func() (der []byte) {
		if b, err := os.ReadFile(filepath.Join("internal", "hsm", "testdata", name+".der")); err == nil {
			return b
		}
		must(material.Generate(conformanceSpec(name))).Secret().Expose(func(b []byte) error {
			der = bytes.Clone(b)
			return nil
		})
		return der
	}))
	return bytes.Clone(once.(func() []byte)())
}

func conformanceSpec(name string) material.Spec {
	specs := map[string]material.Spec{
		"p256": material.ECCNISTP256, "p384": material.ECCNISTP384, "p521": material.ECCNISTP521,
		"k1": material.ECCSECGP256K1, "ed25519": material.ECCNISTEdwards25519,
		"rsa2048": material.RSA2048, "rsa3072": material.RSA3072, "rsa4096": material.RSA4096,
	}
	spec, ok := specs[strings.TrimSuffix(strings.TrimPrefix(name, "ber:"), "b")]
	if !ok {
		panic("no such material: " + name)
	}
	return spec
}

// indefinite re-encodes the outer SEQUENCE: 30 80 … 00 00.
func indefinite(der []byte) []byte {
	header := 2
	if der[1] >= 0x80 {
		header += int(der[1] & 0x7f)
	}
	return append(append([]byte{0x30, 0x80}, der[header:]...), 0, 0)
}

// wrapFor wraps material as a user would, under a public key in base64.
func wrapFor(algorithm, public string, m []byte) string {
	return base64.StdEncoding.EncodeToString(wrapper(types.AlgorithmSpec(algorithm))(unbase64(public), m))
}

// proves verifies a signature outside of KMS, under a public key in SPKI form.
func proves(algorithm string, spki, message, signature []byte) bool {
	digest := sha256.Sum256(message)
	switch public := must(x509.ParsePKIXPublicKey(spki)).(type) {
	case *rsa.PublicKey:
		if algorithm == "RSASSA_PSS_SHA_256" {
			salt := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
			return rsa.VerifyPSS(public, crypto.SHA256, digest[:], signature, salt) == nil
		}
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(public, digest[:], signature)
	case ed25519.PublicKey:
		if algorithm == "ED25519_PH_SHA_512" { // of the message as given: KMS hashes the digest again
			again := sha512.Sum512(message)
			return ed25519.VerifyWithOptions(public, again[:], signature, &ed25519.Options{Hash: crypto.SHA512}) == nil
		}
		return ed25519.Verify(public, message, signature)
	default:
		panic(fmt.Sprintf("no verifying with %T", public))
	}
}

// matches compares, member by member; "*" stands for any value.
func matches(got, want any) bool {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for name, x := range w {
			if y, ok := g[name]; !ok || !matches(y, x) {
				return false
			}
		}
		return true
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for i := range w {
			if !matches(g[i], w[i]) {
				return false
			}
		}
		return true
	}
	return want == "*" || reflect.DeepEqual(got, want)
}

func unbase64(s string) []byte { return must(base64.StdEncoding.DecodeString(s)) }

// importInto fetches parameters, wraps and imports: for good unless members say otherwise.
func (c *conformer) importInto(scope, key, material, members string) {
	algorithm := "RSAES_OAEP_SHA_256"
	if strings.Contains(material, "rsa") {
		algorithm = "RSA_AES_KEY_WRAP_SHA_256"
	}
	c.call(scope, "GetParametersForImport", fmt.Sprintf(
		`{"KeyId": %q, "WrappingAlgorithm": %q, "WrappingKeySpec": "RSA_3072"}`, key, algorithm))
	if c.last.status != 200 {
		return
	}
	var request map[string]any
	if members == "" {
		members = `{"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}`
	}
	if err := json.Unmarshal([]byte(members), &request); err != nil {
		c.Fatalf("%s: members %s: %v", c.where, members, err)
	}
	if request["ValidTo"] == nil && request["ExpirationModel"] == nil {
		request["ExpirationModel"] = "KEY_MATERIAL_DOES_NOT_EXPIRE"
	}
	token, _ := c.at("ImportToken")
	public, _ := c.at("PublicKey")
	request["KeyId"], request["ImportToken"] = key, token
	request["EncryptedKeyMaterial"] = wrapFor(algorithm, public.(string), conformanceMaterial(material))
	c.call(scope, "ImportKeyMaterial", string(must(json.Marshal(request))))
	c.asked = "import " + key + " " + material + " " + members
}
