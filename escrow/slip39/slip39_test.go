// SPDX-License-Identifier: Apache-2.0

package slip39_test

import (
	"bytes"
	"crypto/fips140"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keymat/keymat/escrow/slip39"
	"github.com/keymat/keymat/material"
)

// vector is an official test vector: a secret that the mnemonics give with the
// passphrase TREZOR, or "" where they must be refused.
type vector struct {
	name      string
	mnemonics []string
	secret    string
}

func vectors(t testing.TB) (all []vector) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]json.RawMessage
	if err := json.Unmarshal(content, &rows); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		var v vector
		for i, field := range []any{&v.name, &v.mnemonics, &v.secret} {
			if err := json.Unmarshal(row[i], field); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, v)
	}
	if len(all) != 45 {
		t.Fatalf("%d vectors, want 45", len(all))
	}
	return all
}

func parseAll(mnemonics []string) (shares []slip39.Share, err error) {
	for _, m := range mnemonics {
		s, err := slip39.Parse([]byte(m))
		if err != nil {
			return nil, err
		}
		shares = append(shares, s)
	}
	return shares, nil
}

func reveal(s material.Secret) (plain []byte) {
	s.Expose(func(b []byte) error { plain = bytes.Clone(b); return nil })
	return plain
}

func words(s slip39.Share) string { return string(reveal(s.Mnemonic())) }

// TestVectors: where FIPS 140-3 is enforced, those of 128 bits are refused.
func TestVectors(t *testing.T) {
	refused := map[string]int{}
	for _, v := range vectors(t) {
		t.Run(v.name, func(t *testing.T) {
			shares, err := parseAll(v.mnemonics)
			var secret material.Secret
			if err == nil {
				secret, err = slip39.Combine(shares, []byte("TREZOR"))
			}
			if e, short := errors.AsType[*slip39.FIPSError](err); short && fips140.Enforced() && e.Bits == 128 && shares[0].Value.Len() == 16 {
				refused["FIPS"]++
				return
			}
			if v.secret == "" {
				if err == nil {
					t.Error("not refused")
				}
				refused[fmt.Sprintf("%T", err)]++
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := hex.EncodeToString(reveal(secret)); got != v.secret {
				t.Errorf("secret %s, want %s", got, v.secret)
			}
			for i, s := range shares {
				if got := words(s); got != v.mnemonics[i] {
					t.Errorf("written again: %s, want %s", got, v.mnemonics[i])
				}
			}
		})
	}
	if fips140.Enforced() {
		if got := refused["FIPS"]; got != 10 {
			t.Errorf("%d of 128 bits refused", got)
		}
		return
	}
	for kind, want := range map[string]int{
		"*slip39.ChecksumError": 2, "*slip39.LengthError": 2, "*slip39.ParameterError": 4, "*slip39.DuplicateError": 2,
		"*slip39.MismatchError": 10, "*slip39.TooFewError": 8, "*errors.errorString": 2,
	} {
		if refused[kind] != want {
			t.Errorf("%d refused with %s, want %d", refused[kind], kind, want)
		}
	}
}

func newSecret(n int) material.Secret {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(37*i + 11)
	}
	return material.NewSecret(b)
}

// TestSplit makes every set there can be. Split itself tries every subset of
// each (see TestSplitChecks); decrypting takes a while, so here it is the last
// shares of each, in reverse.
func TestSplit(t *testing.T) {
	secret := newSecret(32)
	for n := 2; n <= slip39.MaxShares; n++ {
		for k := 2; k <= n; k++ {
			shares, err := slip39.Split(secret, 0x5a5a&0x7fff, k, n)
			if err != nil {
				t.Fatalf("%d of %d: %v", k, n, err)
			}
			if len(shares) != n {
				t.Fatalf("%d of %d: %d shares", k, n, len(shares))
			}
			var chosen []slip39.Share
			for i := range k {
				s, err := slip39.Parse([]byte(strings.ToUpper(words(shares[n-1-i]))))
				if err != nil {
					t.Fatal(err)
				}
				if got := len(strings.Fields(words(s))); got != slip39.Words256 {
					t.Errorf("%d words, want %d", got, slip39.Words256)
				}
				chosen = append(chosen, s)
			}
			if got, err := slip39.Combine(chosen, nil); err != nil || !got.Equal(secret) {
				t.Errorf("%d of %d: another secret, error %v", k, n, err)
			}
			var few *slip39.TooFewError
			if _, err := slip39.Combine(chosen[1:], nil); !errors.As(err, &few) || *few != (slip39.TooFewError{Have: k - 1, Need: k}) {
				t.Errorf("%d of %d with one missing: %v", k, n, err)
			}
		}
	}
}

func TestSplitRefuses(t *testing.T) {
	tests := []struct {
		bytes, identifier, threshold, count int
		ok                                  bool
	}{
		{16, 0, 2, 2, true},
		{32, 1<<15 - 1, 2, 16, true},
		{14, 0, 2, 2, false},
		{33, 0, 2, 2, false},
		{32, 1 << 15, 2, 2, false},
		{32, -1, 2, 2, false},
		{32, 0, 1, 2, false},
		{32, 0, 3, 2, false},
		{32, 0, 2, 17, false},
	}
	for _, tt := range tests {
		_, err := slip39.Split(newSecret(tt.bytes), tt.identifier, tt.threshold, tt.count)
		if fips140.Enforced() && tt.ok && tt.bytes < 32 {
			var short *slip39.FIPSError
			if !errors.As(err, &short) || short.Bits != tt.bytes*8 {
				t.Errorf("%+v under FIPS 140-3: %v", tt, err)
			}
			continue
		}
		var parameter *slip39.ParameterError
		if (err == nil) != tt.ok || err != nil && !errors.As(err, &parameter) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

// TestCombineRefuses shows that bad shares never give a secret.
func TestCombineRefuses(t *testing.T) {
	secret := newSecret(32)
	split := func(id int) []slip39.Share {
		shares, err := slip39.Split(secret, id, 3, 5)
		if err != nil {
			t.Fatal(err)
		}
		return shares
	}
	set, other, again := split(1), split(2), split(1)
	forged := set[2]
	value := reveal(forged.Value)
	value[31] ^= 1
	forged.Value = material.NewSecret(value)
	tests := []struct {
		name   string
		shares []slip39.Share
		want   string
	}{
		{"none", nil, "0 of the 1 shares needed"},
		{"two", set[:2], "2 of the 3 shares needed"},
		{"of two sets", []slip39.Share{set[0], set[1], other[2]}, "the shares are not of one set: they differ in their identifier"},
		{"of two sets with one identifier", []slip39.Share{set[0], set[1], again[2]}, slip39.ErrDigest.Error()},
		{"one twice", []slip39.Share{set[0], set[1], set[1]}, "share 2 of group 1 came twice"},
		{"one forged", []slip39.Share{set[0], set[1], forged}, slip39.ErrDigest.Error()},
		{"one forged of four", []slip39.Share{set[0], set[1], set[3], forged}, "the shares do not agree on a secret: at least one is wrong"},
		{"all", set, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := slip39.Combine(tt.shares, nil)
			if tt.want == "" {
				if err != nil || !got.Equal(secret) {
					t.Errorf("error %v", err)
				}
			} else if err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
			if err != nil && got.Len() != 0 {
				t.Error("there is a secret beside the error")
			}
		})
	}
}

// TestWrongWords: up to three wrong words, and words that changed places, are
// always found.
func TestWrongWords(t *testing.T) {
	shares, err := slip39.Split(newSecret(32), 77, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	right := strings.Fields(words(shares[0]))
	list := wordList(t)
	random := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		wrong := strings.Fields(words(shares[0]))
		for range 1 + random.IntN(3) {
			wrong[random.IntN(len(wrong))] = list[random.IntN(len(list))]
		}
		if random.IntN(4) == 0 {
			i := random.IntN(len(wrong) - 1)
			wrong[i], wrong[i+1] = wrong[i+1], wrong[i]
		}
		_, err := slip39.Parse([]byte(strings.Join(wrong, " ")))
		if same := strings.Join(wrong, " ") == strings.Join(right, " "); (err == nil) != same {
			t.Fatalf("%v: %v", wrong, err)
		}
	}
}

func TestParseErrors(t *testing.T) {
	shares, err := slip39.Split(newSecret(32), 77, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	good := words(shares[0])
	for _, tt := range []struct{ mnemonic, want string }{
		{"", "0 words, where a share of 256 bits has 33"},
		{"academic\n\t acid", "2 words, where a share of 256 bits has 33"},
		{good + " academic", "34 words, where a share of 256 bits has 33"},
		{good[:strings.LastIndexByte(good, ' ')], "32 words, where a share of 256 bits has 33"},
		{strings.Replace(good, " ", " xyzzy ", 1), "word 2 is not in the word list"},
		{good[:4] + "é" + good[4:], "word 1 is not in the word list"},
	} {
		if _, err := slip39.Parse([]byte(tt.mnemonic)); err == nil || err.Error() != tt.want {
			t.Errorf("%q: error %v, want %s", tt.mnemonic, err, tt.want)
		}
	}
}

func TestComplete(t *testing.T) {
	list := wordList(t)
	if len(list) != 1024 {
		t.Fatalf("%d words, want 1024", len(list))
	}
	for _, word := range list {
		for length := slip39.PrefixLength; length <= len(word); length++ {
			if got, ok := slip39.Complete([]byte(word[:length])); !ok || got != word {
				t.Fatalf("%q is completed to %q, %t; want %q", word[:length], got, ok, word)
			}
		}
	}
	for _, prefix := range []string{"", "a", "aca", "academicx", "acae", "zzzz", "\xff\xff\xff\xff"} {
		if got, ok := slip39.Complete([]byte(prefix)); ok {
			t.Errorf("%q is completed to %q", prefix, got)
		}
	}
	if got, ok := slip39.Complete([]byte("ACADE")); !ok || got != "academic" {
		t.Errorf("ACADE is completed to %q, %t", got, ok)
	}
}

func wordList(t testing.TB) []string {
	t.Helper()
	content, err := os.ReadFile("wordlist.txt")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(content))
}

// TestNothingPrinted: no way of printing a share shows its value.
func TestNothingPrinted(t *testing.T) {
	shares, err := slip39.Split(newSecret(32), 77, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	value := hex.EncodeToString(reveal(shares[0].Value))
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%s", "%d"} {
		printed := fmt.Sprintf(verb, shares[0])
		if strings.Contains(printed, value[:16]) || strings.Contains(printed, fmt.Sprint(reveal(shares[0].Value)[:4])) {
			t.Errorf("%s shows the value", verb)
		}
	}
	if _, err := json.Marshal(shares[0]); !errors.Is(err, material.ErrSecret) {
		t.Errorf("marshalling: %v", err)
	}
}

// FuzzParse: what can be read is written the same again.
func FuzzParse(f *testing.F) {
	for _, v := range vectors(f) {
		for _, m := range v.mnemonics {
			f.Add([]byte(m))
		}
	}
	f.Fuzz(func(t *testing.T, mnemonic []byte) {
		s, err := slip39.Parse(mnemonic)
		if err != nil {
			if s.Value.Len() != 0 {
				t.Error("a share beside an error")
			}
			return
		}
		if got, want := words(s), strings.Join(strings.Fields(strings.ToLower(string(mnemonic))), " "); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
