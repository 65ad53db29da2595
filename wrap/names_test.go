// SPDX-License-Identifier: Apache-2.0

package wrap_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/keymat/keymat/wrap"
)

func TestParseAlgorithm(t *testing.T) {
	const others = "KMS takes RSAES_OAEP_SHA_256, RSAES_OAEP_SHA_1, RSA_AES_KEY_WRAP_SHA_256 and RSA_AES_KEY_WRAP_SHA_1"
	tests := []struct {
		name string
		want wrap.Algorithm
		err  string
	}{
		{name: "RSAES_OAEP_SHA_256", want: wrap.OAEPSHA256},
		{name: "RSAES_OAEP_SHA_1", want: wrap.OAEPSHA1},
		{name: "RSA_AES_KEY_WRAP_SHA_256", want: wrap.RSAAESSHA256},
		{name: "RSA_AES_KEY_WRAP_SHA_1", want: wrap.RSAAESSHA1},
		{name: "rsaes_oaep_sha_256", want: wrap.OAEPSHA256},
		{name: "RSAES_PKCS1_V1_5",
			err: `wrapping algorithm "RSAES_PKCS1_V1_5" is not supported: KMS no longer accepts it since 2023-10-10`},
		{name: "sm2pke", err: `wrapping algorithm "sm2pke" is not supported: KMS offers it in China Regions only`},
		{name: "", err: `wrapping algorithm "" is not supported: ` + others},
		{name: "RSAES_OAEP_SHA_512", err: `wrapping algorithm "RSAES_OAEP_SHA_512" is not supported: ` + others},
		{name: " RSAES_OAEP_SHA_1", err: `wrapping algorithm " RSAES_OAEP_SHA_1" is not supported: ` + others},
	}
	for _, tt := range tests {
		got, err := wrap.ParseAlgorithm(tt.name)
		if got != tt.want || message(err) != tt.err {
			t.Errorf("ParseAlgorithm(%q) = %q, %q, want %q, %q", tt.name, got, message(err), tt.want, tt.err)
		}
		if _, ok := errors.AsType[*wrap.UnsupportedError](err); err != nil && !ok {
			t.Errorf("ParseAlgorithm(%q): a %T, want *wrap.UnsupportedError", tt.name, err)
		}
	}
}

func TestParseKeySpec(t *testing.T) {
	const others = "KMS takes RSA_2048, RSA_3072 and RSA_4096"
	tests := []struct {
		name string
		want wrap.KeySpec
		bits int
		err  string
	}{
		{name: "RSA_2048", want: wrap.RSA2048, bits: 2048},
		{name: "RSA_3072", want: wrap.RSA3072, bits: 3072},
		{name: "rsa_4096", want: wrap.RSA4096, bits: 4096},
		{name: "SM2", err: `wrapping key spec "SM2" is not supported: KMS offers it in China Regions only`},
		{name: "", err: `wrapping key spec "" is not supported: ` + others},
		{name: "RSA_1024", err: `wrapping key spec "RSA_1024" is not supported: ` + others},
	}
	for _, tt := range tests {
		got, err := wrap.ParseKeySpec(tt.name)
		if got != tt.want || got.Bits() != tt.bits || message(err) != tt.err {
			t.Errorf("ParseKeySpec(%q) = %q of %d bits, %q, want %q of %d bits, %q",
				tt.name, got, got.Bits(), message(err), tt.want, tt.bits, tt.err)
		}
	}
}

// TestText shows that both names survive JSON and that a refused one leaves the variable alone.
func TestText(t *testing.T) {
	for _, want := range wrap.Algorithms() {
		for _, key := range wrap.KeySpecs() {
			in := wrap.Pair{Algorithm: want, KeySpec: key}
			data, err := json.Marshal(in)
			if err != nil {
				t.Fatal(err)
			}
			var got wrap.Pair
			if err := json.Unmarshal(data, &got); err != nil || got != in {
				t.Errorf("%s came back as %v, %v", data, got, err)
			}
		}
	}
	for _, p := range []wrap.Pair{{}, {Algorithm: "SM2PKE", KeySpec: wrap.RSA2048}, {Algorithm: wrap.OAEPSHA1, KeySpec: "SM2"}} {
		if data, err := json.Marshal(p); err == nil {
			t.Errorf("%+v became %s, want an error", p, data)
		}
	}
	algorithm, key := wrap.OAEPSHA1, wrap.RSA3072
	if err := algorithm.UnmarshalText([]byte("SM2PKE")); err == nil || algorithm != wrap.OAEPSHA1 {
		t.Errorf("UnmarshalText: %v and %q, want an error and no change", err, algorithm)
	}
	if err := key.UnmarshalText([]byte("SM2")); err == nil || key != wrap.RSA3072 {
		t.Errorf("UnmarshalText: %v and %q, want an error and no change", err, key)
	}
}

func TestOrder(t *testing.T) {
	if got, want := wrap.KeySpecs(), []wrap.KeySpec{"RSA_4096", "RSA_3072", "RSA_2048"}; !slices.Equal(got, want) {
		t.Errorf("KeySpecs() = %v, want %v", got, want)
	}
	want := []wrap.Algorithm{"RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_256", "RSAES_OAEP_SHA_1", "RSA_AES_KEY_WRAP_SHA_1"}
	if got := wrap.Algorithms(); !slices.Equal(got, want) {
		t.Errorf("Algorithms() = %v, want %v", got, want)
	}
}

// message is what an error says, "" for none.
func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
