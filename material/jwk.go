// SPDX-License-Identifier: Apache-2.0

package material

import (
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"regexp"
)

// jwk holds the members of a JSON Web Key that matter here (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).
type jwk struct {
	Kty string `json:"kty"`
	Alg string `json:"alg"`
	Crv string `json:"crv"`
	K   string `json:"k"`
	X   string `json:"x"`
	Y   string `json:"y"`
	N   string `json:"n"`
	E   string `json:"e"`
	D   string `json:"d"`
	P   string `json:"p"`
	Q   string `json:"q"`
	DP  string `json:"dp"`
	DQ  string `json:"dq"`
	QI  string `json:"qi"`

	Oth []json.RawMessage `json:"oth"` // further primes
}

// otherJSON holds what tells other JSON files with keys in them apart.
type otherJSON struct {
	Kind    string            `json:"kind"` // keymat's own files
	Keys    []json.RawMessage `json:"keys"` // RFC 7517 section 5
	Type    string            `json:"type"` // Google
	Version any               `json:"version"`
	Crypto  json.RawMessage   `json:"crypto"` // Ethereum
}

// recogniseJSON reports false for text that only looks like JSON.
func recogniseJSON(data []byte) (finding, bool) {
	if !json.Valid(data) {
		return finding{}, false
	}
	var key jwk
	if err := json.Unmarshal(data, &key); err == nil && key.Kty != "" {
		return key.finding(), true
	}
	var other otherJSON
	if err := json.Unmarshal(data, &other); err != nil {
		return foreign("", "JSON of an unknown kind"), true
	}
	switch {
	case regexp.MustCompile(`^keymat/[a-z-]{1,32}$`).MatchString(other.Kind):
		return foreign("", other.Kind+" file"), true
	case len(other.Keys) == 1:
		return recogniseJSON(other.Keys[0])
	case other.Keys != nil:
		return foreign("", fmt.Sprintf("JWK set of %d keys", len(other.Keys))), true
	case other.Type == "service_account":
		return foreign("", "Google service account file"), true
	case other.Crypto != nil && other.Version == 3.0:
		return foreign("", "Ethereum key store"), true
	default:
		return foreign("", "JSON of an unknown kind"), true
	}
}

func (k jwk) finding() finding {
	switch k.Kty {
	case "oct":
		return k.octFinding()
	case "RSA", "EC", "OKP":
	default:
		return foreign(JWK, "JWK of an unknown type")
	}
	if k.D == "" {
		return publicKey(JWK, "JWK with the public key only", nil)
	}
	read := map[string]func() (*keyPair, error){"RSA": k.rsa, "EC": k.ec, "OKP": k.okp}[k.Kty]
	return finding{encoding: JWK, what: "private key", pair: read}
}

// octFinding takes a symmetric key. The algorithm, where there is one, tells what for (RFC 7518 sections 3.1, 4.1 and 5.1).
func (k jwk) octFinding() finding {
	b, ok := decodeMember(k.K)
	if !ok {
		return foreign(JWK, "JWK of type oct with a damaged or missing k")
	}
	f := finding{encoding: JWK, what: "JWK with a secret key", oct: b}
	switch k.Alg {
	case "HS256":
		f.octSpec = HMAC256
	case "HS384":
		f.octSpec = HMAC384
	case "HS512":
		f.octSpec = HMAC512
	case "A256GCM", "A256KW", "A256GCMKW":
		f.octSpec = SymmetricDefault
	}
	if f.octSpec != "" {
		f.what = fmt.Sprintf("JWK with a secret key for %s (%s)", k.Alg, f.octSpec)
	}
	return f
}

// decodeMember decodes base64url without padding (RFC 7515 section 2); padding, which some writers add, does no harm.
func decodeMember(s string) ([]byte, bool) {
	for len(s) > 0 && s[len(s)-1] == '=' {
		s = s[:len(s)-1]
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	return b, err == nil && len(b) > 0
}

func damagedMember(kty, name string) error {
	return &FormatError{Found: fmt.Sprintf("JWK of type %s with a damaged or missing %s", kty, name), Want: "an intact key"}
}

// rsa needs the primes, which RFC 7518 section 6.3.2 lets a writer leave out.
func (k jwk) rsa() (*keyPair, error) {
	numbers := map[string]*big.Int{}
	for name, value := range map[string]string{"n": k.N, "e": k.E, "d": k.D, "p": k.P, "q": k.Q, "dp": k.DP, "dq": k.DQ, "qi": k.QI} {
		optional := name == "dp" || name == "dq" || name == "qi"
		b, ok := decodeMember(value)
		if !ok && !(optional && value == "") {
			return nil, damagedMember("RSA", name)
		}
		if ok {
			numbers[name] = new(big.Int).SetBytes(b)
		}
	}
	spec, err := rsaSpecOf(numbers["n"].BitLen())
	if err != nil {
		return nil, err
	}
	if len(k.Oth) > 0 {
		return nil, &MultiPrimeError{Spec: spec, Primes: 2 + len(k.Oth)}
	}
	if e := numbers["e"]; !e.IsInt64() || e.Int64() > math.MaxInt32 {
		return nil, &InconsistentKeyError{Spec: spec, Reason: "the public exponent is larger than 2147483647"}
	}
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: numbers["n"], E: int(numbers["e"].Int64())},
		D:         numbers["d"],
		Primes:    []*big.Int{numbers["p"], numbers["q"]},
	}
	key.Precomputed.Dp, key.Precomputed.Dq, key.Precomputed.Qinv = numbers["dp"], numbers["dq"], numbers["qi"]
	key.Precompute()
	if err := key.Validate(); err != nil {
		return nil, &InconsistentKeyError{Spec: spec, Reason: rsaReason(err)}
	}
	return newRSA(spec, key)
}

// ec checks x and y, which RFC 7518 section 6.2.1 demands.
func (k jwk) ec() (*keyPair, error) {
	for _, c := range curves() {
		if c.jwk != k.Crv {
			continue
		}
		point := []byte{4}
		for name, value := range map[string]string{"x": k.X, "y": k.Y} {
			if _, ok := decodeMember(value); !ok {
				return nil, damagedMember("EC", name)
			}
		}
		for _, value := range []string{k.X, k.Y} {
			b, _ := decodeMember(value)
			coordinate, ok := fitScalar(b, c.size)
			if !ok {
				return nil, &InconsistentKeyError{Spec: c.spec, Reason: "a coordinate is longer than the field"}
			}
			point = append(point, coordinate...)
		}
		scalar, ok := decodeMember(k.D)
		if !ok {
			return nil, damagedMember("EC", "d")
		}
		return newECC(c, scalar, point)
	}
	return nil, unsupportedCurve("EC private key on a curve that JWK " + knownCurve(k.Crv))
}

// okp takes Ed25519 only (RFC 8037).
func (k jwk) okp() (*keyPair, error) {
	if k.Crv != "Ed25519" {
		return nil, unsupportedCurve("OKP private key on a curve that JWK " + knownCurve(k.Crv))
	}
	seed, ok := decodeMember(k.D)
	if !ok {
		return nil, damagedMember("OKP", "d")
	}
	public, ok := decodeMember(k.X)
	if !ok || len(public) != ed25519.PublicKeySize {
		return nil, damagedMember("OKP", "x")
	}
	return newEd25519(seed, public)
}

// knownCurve repeats the name of a registered curve only: anything may stand in a file.
func knownCurve(name string) string {
	switch name {
	case "P-224", "Ed448", "X25519", "X448", "BP-256", "BP-384", "BP-512", "SM2":
		return "calls " + name
	default:
		return "does not register"
	}
}
