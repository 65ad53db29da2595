// SPDX-License-Identifier: Apache-2.0

package material

import (
	"fmt"
	"strings"
)

// Spec is a KMS key spec, spelt as the KMS API spells KeySpec. The zero value is no spec at all.
type Spec string

// The key specs for which KMS accepts imported material in the standard Regions. ECC_NIST_EDWARDS25519 is missing in the KMS
// guide, yet was recorded being imported; the ML_DSA specs were recorded being refused.
const (
	SymmetricDefault    Spec = "SYMMETRIC_DEFAULT"
	HMAC224             Spec = "HMAC_224"
	HMAC256             Spec = "HMAC_256"
	HMAC384             Spec = "HMAC_384"
	HMAC512             Spec = "HMAC_512"
	RSA2048             Spec = "RSA_2048"
	RSA3072             Spec = "RSA_3072"
	RSA4096             Spec = "RSA_4096"
	ECCNISTP256         Spec = "ECC_NIST_P256"
	ECCNISTP384         Spec = "ECC_NIST_P384"
	ECCNISTP521         Spec = "ECC_NIST_P521"
	ECCSECGP256K1       Spec = "ECC_SECG_P256K1"
	ECCNISTEdwards25519 Spec = "ECC_NIST_EDWARDS25519"
)

// Kind groups the specs by the sort of key they name.
type Kind string

// The kinds of key. KindNone belongs to a Spec that is not in [Specs].
const (
	KindNone  Kind = ""
	Symmetric Kind = "symmetric"
	HMAC      Kind = "HMAC"
	RSA       Kind = "RSA"
	ECC       Kind = "ECC"
)

// specTable holds one row per importable spec, in the order in which the KMS API lists the values of KeySpec.
var specTable = []struct {
	spec     Spec
	kind     Kind
	min, max int // bytes of raw material, KMS guide "Requirements for imported key material"; 0 for key pairs
	generate int // bytes of raw material that Generate makes
	bits     int // RSA modulus
	room     int // bytes of PKCS #8 that fit the smallest wrapping KMS permits for the spec; 0 when there is no limit to meet
}{
	{spec: RSA2048, kind: RSA, bits: 2048},
	{spec: RSA3072, kind: RSA, bits: 3072},
	{spec: RSA4096, kind: RSA, bits: 4096},
	// 190 bytes go under RSA_2048 with RSAES_OAEP_SHA_256, 318 under RSA_3072, which P-521 and Ed25519 need at least (recorded).
	{spec: ECCNISTP256, kind: ECC, room: 190},
	{spec: ECCNISTP384, kind: ECC, room: 190},
	{spec: ECCNISTP521, kind: ECC, room: 318},
	{spec: ECCSECGP256K1, kind: ECC, room: 190},
	{spec: SymmetricDefault, kind: Symmetric, min: 32, max: 32, generate: 32},
	{spec: HMAC224, kind: HMAC, min: 28, max: 128, generate: 28},
	{spec: HMAC256, kind: HMAC, min: 32, max: 128, generate: 32},
	{spec: HMAC384, kind: HMAC, min: 48, max: 128, generate: 48},
	{spec: HMAC512, kind: HMAC, min: 64, max: 128, generate: 64},
	{spec: ECCNISTEdwards25519, kind: ECC, room: 318},
}

// Specs returns every importable spec, in the order in which the KMS API lists the values of KeySpec.
func Specs() []Spec {
	specs := make([]Spec, len(specTable))
	for i, row := range specTable {
		specs[i] = row.spec
	}
	return specs
}

// ParseSpec reads a spec as KMS spells it, in upper or lower case. The error is an [*UnsupportedSpecError], which says why KMS
// does not import keys of a spec that exists, and lists the importable ones for a name that does not.
func ParseSpec(name string) (Spec, error) {
	spec := Spec(strings.ToUpper(name))
	if spec.Kind() != KindNone {
		return spec, nil
	}
	return "", &UnsupportedSpecError{Spec: name, Reason: whyUnsupported(string(spec))}
}

func whyUnsupported(name string) string {
	switch {
	case name == "SM2":
		return "KMS imports SM2 keys in the China Regions only"
	case strings.HasPrefix(name, "ML_DSA_"), strings.HasPrefix(name, "ML_KEM_"):
		return "KMS does not import post-quantum key material, CreateKey refuses the spec with Origin EXTERNAL"
	default:
		return "it is not one of " + joinSpecs(Specs(), "and")
	}
}

// joinSpecs writes a list as people do: "A, B and C".
func joinSpecs(specs []Spec, conjunction string) string {
	names := make([]string, len(specs))
	for i, s := range specs {
		names[i] = string(s)
	}
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " " + conjunction + " " + names[last]
}

// An UnsupportedSpecError says that KMS does not import keys of a spec.
type UnsupportedSpecError struct {
	Spec   string // as it was given, or a description of the key that was found
	Reason string // a clause that follows a colon
}

func (e *UnsupportedSpecError) Error() string {
	if e.Spec == "" {
		return "no key spec: " + e.Reason
	}
	return fmt.Sprintf("key spec %q cannot be imported: %s", e.Spec, e.Reason)
}

// String returns the spec as KMS spells it.
func (s Spec) String() string { return string(s) }

// MarshalText returns the spec as KMS spells it; a Spec that is not in [Specs] is an error.
func (s Spec) MarshalText() ([]byte, error) {
	if s.Kind() == KindNone {
		return nil, &UnsupportedSpecError{Spec: string(s), Reason: whyUnsupported(string(s))}
	}
	return []byte(s), nil
}

// UnmarshalText is [ParseSpec] for flags and JSON. It leaves s alone on error.
func (s *Spec) UnmarshalText(text []byte) error {
	spec, err := ParseSpec(string(text))
	if err != nil {
		return err
	}
	*s = spec
	return nil
}

// Kind returns what sort of key the spec names, or [KindNone].
func (s Spec) Kind() Kind {
	for _, row := range specTable {
		if row.spec == s {
			return row.kind
		}
	}
	return KindNone
}

// KeyPair reports whether material of the spec is a private key in PKCS #8 rather than raw bytes.
func (s Spec) KeyPair() bool {
	return s.Kind() == RSA || s.Kind() == ECC
}

// Lengths returns the smallest and the largest number of bytes that KMS takes as raw material of the spec (KMS guide; only the
// smallest has been recorded). Both are 0 for key pairs.
func (s Spec) Lengths() (min, max int) {
	for _, row := range specTable {
		if row.spec == s {
			return row.min, row.max
		}
	}
	return 0, 0
}

// GenerateLength returns how many bytes [Generate] makes: 32 for SYMMETRIC_DEFAULT, the length of the digest for HMAC (which
// KMS itself uses), 0 for key pairs.
func (s Spec) GenerateLength() int {
	for _, row := range specTable {
		if row.spec == s {
			return row.generate
		}
	}
	return 0
}

// takesLength reports whether KMS takes n raw bytes for the spec.
func (s Spec) takesLength(n int) bool {
	min, max := s.Lengths()
	return n > 0 && min <= n && n <= max
}

// room returns how many bytes of PKCS #8 fit under the smallest wrapping, 0 if any number does.
func (s Spec) room() int {
	for _, row := range specTable {
		if row.spec == s {
			return row.room
		}
	}
	return 0
}

// rsaSpec returns the spec of an RSA key with a modulus of that many bits.
func rsaSpec(bits int) (Spec, bool) {
	for _, row := range specTable {
		if row.kind == RSA && row.bits == bits {
			return row.spec, true
		}
	}
	return "", false
}
