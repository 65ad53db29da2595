// SPDX-License-Identifier: Apache-2.0

package wrap_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

const all = "4096 3072 2048"

// matrix is what KMS accepts, written down a second time: wrapping key sizes, the same for both hashes.
var matrix = []struct {
	spec           material.Spec
	direct, hybrid string
	longest        int // bytes of the longest material of this spec that KMS is known to take
}{
	{"SYMMETRIC_DEFAULT", all, "", 32},
	{"HMAC_224", all, "", 128},
	{"HMAC_256", all, "", 128},
	{"HMAC_384", all, "", 128},
	{"HMAC_512", all, "", 128},
	{"RSA_2048", "", all, 1219},
	{"RSA_3072", "", all, 1796},
	{"RSA_4096", "", all, 2376},
	{"ECC_NIST_P256", all, all, 138},
	{"ECC_NIST_P384", all, all, 185},
	{"ECC_NIST_P521", "4096 3072", all, 241},
	{"ECC_SECG_P256K1", all, all, 135},
	{"ECC_NIST_EDWARDS25519", "4096 3072", all, 48},
}

func TestAllowed(t *testing.T) {
	var specs []material.Spec
	for _, tt := range matrix {
		specs = append(specs, tt.spec)
		var want []wrap.Pair
		for _, hash := range []string{"SHA_256", "SHA_1"} {
			for _, size := range strings.Fields(all) {
				key := wrap.KeySpec("RSA_" + size)
				if strings.Contains(tt.direct, size) {
					want = append(want, wrap.Pair{Algorithm: wrap.Algorithm("RSAES_OAEP_" + hash), KeySpec: key})
				}
				if strings.Contains(tt.hybrid, size) {
					want = append(want, wrap.Pair{Algorithm: wrap.Algorithm("RSA_AES_KEY_WRAP_" + hash), KeySpec: key})
				}
			}
		}
		if got := wrap.Allowed(tt.spec); !slices.Equal(got, want) {
			t.Errorf("Allowed(%s) = %v, want %v", tt.spec, got, want)
		}
		if got := wrap.Strongest(tt.spec); got != want[0] {
			t.Errorf("Strongest(%s) = %v, want %v", tt.spec, got, want[0])
		}
		for _, algorithm := range wrap.Algorithms() {
			for _, key := range wrap.KeySpecs() {
				p := wrap.Pair{Algorithm: algorithm, KeySpec: key}
				err := wrap.Check(tt.spec, p)
				if !slices.Contains(want, p) {
					if refused, ok := errors.AsType[*wrap.RefusedError](err); !ok || refused.Spec != tt.spec ||
						refused.Pair != p || refused.Why == "" || !slices.Equal(refused.Allowed, want) {
						t.Errorf("Check(%s, %s) = %#v, want a whole RefusedError", tt.spec, p, err)
					}
					continue
				}
				if err != nil {
					t.Errorf("Check(%s, %s) = %v", tt.spec, p, err)
				}
				if room := wrap.MaxPlaintext(key.Bits(), algorithm); room < tt.longest {
					t.Errorf("%s of %d bytes is allowed %s, which takes %d", tt.spec, tt.longest, p, room)
				}
			}
		}
	}
	all := material.Specs()
	slices.Sort(specs)
	slices.Sort(all)
	if !slices.Equal(specs, all) {
		t.Errorf("the matrix has %v, material has %v", specs, all)
	}
}

func TestUnknownSpec(t *testing.T) {
	if got := wrap.Allowed("ML_DSA_44"); got != nil {
		t.Errorf("Allowed(ML_DSA_44) = %v, want none", got)
	}
	if got := wrap.Strongest(""); got != (wrap.Pair{}) {
		t.Errorf(`Strongest("") = %v, want none`, got)
	}
	err := wrap.Check("ML_DSA_44", wrap.Pair{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA4096})
	if _, ok := errors.AsType[*material.UnsupportedSpecError](err); !ok {
		t.Errorf("Check(ML_DSA_44) = %v, want material's error", err)
	}
}

func TestChoose(t *testing.T) {
	const symmetricAllowed = "; allowed: RSAES_OAEP_SHA_256, RSAES_OAEP_SHA_1 under RSA_4096, RSA_3072 or RSA_2048"
	tests := []struct {
		spec      material.Spec
		algorithm wrap.Algorithm
		key       wrap.KeySpec
		want      string
		err       string
	}{
		{spec: "SYMMETRIC_DEFAULT", want: "RSAES_OAEP_SHA_256 under RSA_4096"},
		{spec: "SYMMETRIC_DEFAULT", key: "RSA_2048", want: "RSAES_OAEP_SHA_256 under RSA_2048"},
		{spec: "SYMMETRIC_DEFAULT", algorithm: "RSAES_OAEP_SHA_1", want: "RSAES_OAEP_SHA_1 under RSA_4096"},
		{spec: "RSA_2048", want: "RSA_AES_KEY_WRAP_SHA_256 under RSA_4096"},
		{spec: "ECC_NIST_P256", want: "RSAES_OAEP_SHA_256 under RSA_4096"},
		{spec: "ECC_NIST_P521", key: "RSA_2048", want: "RSA_AES_KEY_WRAP_SHA_256 under RSA_2048"},
		{spec: "ECC_NIST_EDWARDS25519", key: "RSA_2048", want: "RSA_AES_KEY_WRAP_SHA_256 under RSA_2048"},
		{spec: "ECC_NIST_EDWARDS25519", algorithm: "RSAES_OAEP_SHA_256", want: "RSAES_OAEP_SHA_256 under RSA_4096"},
		{spec: "SYMMETRIC_DEFAULT", algorithm: "RSA_AES_KEY_WRAP_SHA_256",
			err: "KMS does not take SYMMETRIC_DEFAULT material wrapped with RSA_AES_KEY_WRAP_SHA_256: " +
				"symmetric and HMAC material goes under RSAES_OAEP only" + symmetricAllowed},
		{spec: "HMAC_512", algorithm: "RSA_AES_KEY_WRAP_SHA_1", key: "RSA_4096",
			err: "KMS does not take HMAC_512 material wrapped with RSA_AES_KEY_WRAP_SHA_1 under RSA_4096: " +
				"symmetric and HMAC material goes under RSAES_OAEP only" + symmetricAllowed},
		{spec: "RSA_4096", algorithm: "RSAES_OAEP_SHA_256", key: "RSA_4096",
			err: "KMS does not take RSA_4096 material wrapped with RSAES_OAEP_SHA_256 under RSA_4096: " +
				"RSA private keys are too long for RSAES_OAEP; allowed: " +
				"RSA_AES_KEY_WRAP_SHA_256, RSA_AES_KEY_WRAP_SHA_1 under RSA_4096, RSA_3072 or RSA_2048"},
		{spec: "ECC_NIST_P521", algorithm: "RSAES_OAEP_SHA_1", key: "RSA_2048",
			err: "KMS does not take ECC_NIST_P521 material wrapped with RSAES_OAEP_SHA_1 under RSA_2048: " +
				"its PKCS #8 is too long for RSAES_OAEP under RSA_2048; allowed: " +
				"RSAES_OAEP_SHA_256, RSAES_OAEP_SHA_1 under RSA_4096 or RSA_3072; " +
				"RSA_AES_KEY_WRAP_SHA_256, RSA_AES_KEY_WRAP_SHA_1 under RSA_4096, RSA_3072 or RSA_2048"},
		{spec: "RSA_2048", algorithm: "RSAES_PKCS1_V1_5",
			err: `wrapping algorithm "RSAES_PKCS1_V1_5" is not supported: KMS no longer accepts it since 2023-10-10`},
		{spec: "RSA_2048", key: "SM2",
			err: `wrapping key spec "SM2" is not supported: KMS offers it in China Regions only`},
	}
	for _, tt := range tests {
		got, err := wrap.Choose(tt.spec, tt.algorithm, tt.key)
		if got.String() != tt.want || message(err) != tt.err {
			t.Errorf("Choose(%s, %q, %q) = %q, %q\nwant %q, %q",
				tt.spec, tt.algorithm, tt.key, got, message(err), tt.want, tt.err)
		}
		if err != nil && got != (wrap.Pair{}) {
			t.Errorf("Choose(%s, %q, %q) = %v beside an error", tt.spec, tt.algorithm, tt.key, got)
		}
	}
}

func TestCheckWantsBothHalves(t *testing.T) {
	for _, p := range []wrap.Pair{{Algorithm: wrap.OAEPSHA256}, {KeySpec: wrap.RSA2048}, {}} {
		if err := wrap.Check(material.SymmetricDefault, p); err == nil {
			t.Errorf("Check(%+v) = nil, want an error", p)
		}
	}
}

func ExampleChoose() {
	// The user asked for a short wrapping key and left the algorithm open.
	pair, err := wrap.Choose(material.ECCNISTP521, "", wrap.RSA2048)
	fmt.Println(pair, err)
	// Output: RSA_AES_KEY_WRAP_SHA_256 under RSA_2048 <nil>
}

func ExampleCheck() {
	err := wrap.Check(material.RSA2048, wrap.Pair{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA4096})
	if refused, ok := errors.AsType[*wrap.RefusedError](err); ok {
		fmt.Println(refused.Why)
		fmt.Println("use", refused.Allowed[0])
	}
	// Output:
	// RSA private keys are too long for RSAES_OAEP
	// use RSA_AES_KEY_WRAP_SHA_256 under RSA_4096
}
