// SPDX-License-Identifier: Apache-2.0

package material_test

import (
	"encoding/json"
	"errors"
	"flag"
	"io"
	"testing"

	"github.com/keymat/keymat/material"
)

func TestSpecs(t *testing.T) {
	for i, want := range []struct {
		spec               material.Spec
		kind               material.Kind
		pair               bool
		min, max, generate int
	}{
		{"RSA_2048", material.RSA, true, 0, 0, 0},
		{"RSA_3072", material.RSA, true, 0, 0, 0},
		{"RSA_4096", material.RSA, true, 0, 0, 0},
		{"ECC_NIST_P256", material.ECC, true, 0, 0, 0},
		{"ECC_NIST_P384", material.ECC, true, 0, 0, 0},
		{"ECC_NIST_P521", material.ECC, true, 0, 0, 0},
		{"ECC_SECG_P256K1", material.ECC, true, 0, 0, 0},
		{"SYMMETRIC_DEFAULT", material.Symmetric, false, 32, 32, 32},
		{"HMAC_224", material.HMAC, false, 28, 128, 28},
		{"HMAC_256", material.HMAC, false, 32, 128, 32},
		{"HMAC_384", material.HMAC, false, 48, 128, 48},
		{"HMAC_512", material.HMAC, false, 64, 128, 64},
		{"ECC_NIST_EDWARDS25519", material.ECC, true, 0, 0, 0},
	} {
		specs := material.Specs()
		if len(specs) != 13 || specs[i] != want.spec {
			t.Fatalf("Specs()[%d]: got %v, want %s", i, specs, want.spec)
		}
		s := specs[i]
		min, max := s.Lengths()
		if s.Kind() != want.kind || s.KeyPair() != want.pair || min != want.min || max != want.max || s.GenerateLength() != want.generate {
			t.Errorf("%s: got %s %v %d %d %d", s, s.Kind(), s.KeyPair(), min, max, s.GenerateLength())
		}
	}
	var zero material.Spec
	if min, max := zero.Lengths(); zero.Kind() != material.KindNone || zero.KeyPair() || min != 0 || max != 0 || zero.GenerateLength() != 0 {
		t.Error("the zero Spec has properties")
	}
}

func TestParseSpec(t *testing.T) {
	const list = "it is not one of RSA_2048, RSA_3072, RSA_4096, ECC_NIST_P256, ECC_NIST_P384, ECC_NIST_P521, ECC_SECG_P256K1, " +
		"SYMMETRIC_DEFAULT, HMAC_224, HMAC_256, HMAC_384, HMAC_512 and ECC_NIST_EDWARDS25519"
	const postQuantum = "KMS does not import post-quantum key material, CreateKey refuses the spec with Origin EXTERNAL"
	for _, tt := range []struct {
		in   string
		want material.Spec
		err  string
	}{
		{in: "RSA_2048", want: material.RSA2048},
		{in: "symmetric_default", want: material.SymmetricDefault},
		{in: "Ecc_Secg_p256k1", want: material.ECCSECGP256K1},
		{in: "SM2", err: `key spec "SM2" cannot be imported: KMS imports SM2 keys in the China Regions only`},
		{in: "ml_dsa_44", err: `key spec "ml_dsa_44" cannot be imported: ` + postQuantum},
		{in: "ML_DSA_87", err: `key spec "ML_DSA_87" cannot be imported: ` + postQuantum},
		{in: "ML_KEM_768", err: `key spec "ML_KEM_768" cannot be imported: ` + postQuantum},
		{in: "RSA_1024", err: `key spec "RSA_1024" cannot be imported: ` + list},
		{in: " RSA_2048", err: `key spec " RSA_2048" cannot be imported: ` + list},
		{in: "", err: "no key spec: " + list},
	} {
		got, err := material.ParseSpec(tt.in)
		if tt.err == "" {
			if err != nil || got != tt.want {
				t.Errorf("%q: got %q, %v, want %q", tt.in, got, err, tt.want)
			}
			continue
		}
		if _, ok := errors.AsType[*material.UnsupportedSpecError](err); !ok || err.Error() != tt.err || got != "" {
			t.Errorf("%q: got %q, %v\nwant %s", tt.in, got, err, tt.err)
		}
	}
}

func TestSpecText(t *testing.T) {
	var v struct{ Spec material.Spec }
	if err := json.Unmarshal([]byte(`{"Spec":"hmac_256"}`), &v); err != nil || v.Spec != material.HMAC256 {
		t.Errorf("JSON: got %q, %v", v.Spec, err)
	}
	if b, err := json.Marshal(v); err != nil || string(b) != `{"Spec":"HMAC_256"}` {
		t.Errorf("JSON: got %s, %v", b, err)
	}
	if err := json.Unmarshal([]byte(`{"Spec":"SM2"}`), &v); err == nil || v.Spec != material.HMAC256 {
		t.Errorf("JSON of SM2: got %q, %v, want an error and the old value", v.Spec, err)
	}
	if _, err := material.Spec("").MarshalText(); err == nil {
		t.Error("the zero Spec was marshalled")
	}
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	s := material.SymmetricDefault
	flags.TextVar(&s, "spec", s, "")
	if err := flags.Parse([]string{"--spec", "rsa_4096"}); err != nil || s != material.RSA4096 {
		t.Errorf("flag: got %q, %v", s, err)
	}
}
