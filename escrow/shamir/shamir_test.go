// SPDX-License-Identifier: Apache-2.0

package shamir_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/keymat/keymat/escrow/internal/subset"
	"github.com/keymat/keymat/escrow/shamir"
	"github.com/keymat/keymat/material"
)

func newSecret() material.Secret {
	b := make([]byte, shamir.SecretLength)
	for i := range b {
		b[i] = byte(37*i + 11)
	}
	return material.NewSecret(b)
}

func reveal(s material.Secret) (plain []byte) {
	s.Expose(func(b []byte) error { plain = bytes.Clone(b); return nil })
	return plain
}

func text(s shamir.Share) string { return string(reveal(s.Text())) }

func split(t testing.TB, set string, k, n int) []shamir.Share {
	t.Helper()
	shares, err := shamir.Split(newSecret(), shamir.SetID([]byte(set)), k, n)
	if err != nil {
		t.Fatal(err)
	}
	return shares
}

// TestEverySubset combines every k of every n, and one fewer.
func TestEverySubset(t *testing.T) {
	secret := newSecret()
	for n := 2; n <= shamir.MaxShares; n++ {
		for k := 2; k <= n; k++ {
			shares := split(t, "8 bytes.", k, n)
			if len(shares) != n {
				t.Fatalf("%d of %d: %d shares", k, n, len(shares))
			}
			for chosen := range subset.All(shares, k) {
				got, err := shamir.Combine(chosen)
				if err != nil || !got.Equal(secret) {
					t.Fatalf("%d of %d: another secret, error %v", k, n, err)
				}
			}
			var few *shamir.TooFewError
			if _, err := shamir.Combine(shares[:k-1]); !errors.As(err, &few) || *few != (shamir.TooFewError{Have: k - 1, Need: k}) {
				t.Errorf("%d of %d with one missing: %v", k, n, err)
			}
		}
	}
}

func TestSplitRefuses(t *testing.T) {
	for _, tt := range []struct {
		bytes, threshold, count int
		ok                      bool
	}{
		{32, 2, 2, true}, {32, 16, 16, true},
		{31, 2, 2, false}, {33, 2, 2, false}, {32, 1, 2, false}, {32, 3, 2, false}, {32, 2, 17, false}, {32, 0, 0, false},
	} {
		_, err := shamir.Split(material.NewSecret(make([]byte, tt.bytes)), shamir.SetID{}, tt.threshold, tt.count)
		var parameter *shamir.ParameterError
		if (err == nil) != tt.ok || err != nil && !errors.As(err, &parameter) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

func TestCombineRefuses(t *testing.T) {
	set, other := split(t, "the one.", 3, 5), split(t, "another.", 3, 5)
	forged := set[2]
	value := reveal(forged.Value)
	value[31] ^= 1
	forged.Value = material.NewSecret(value)
	for _, tt := range []struct {
		name   string
		shares []shamir.Share
		want   string
	}{
		{"none", nil, "0 of the 1 shares needed"},
		{"two", set[:2], "2 of the 3 shares needed"},
		{"of two sets", []shamir.Share{set[0], set[1], other[2]}, "the shares are not of one set"},
		{"one twice", []shamir.Share{set[0], set[1], set[1]}, "share 2 came twice"},
		{"one forged of four", []shamir.Share{set[0], set[1], set[3], forged}, "the shares do not agree on a secret: at least one is wrong"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := shamir.Combine(tt.shares)
			if err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
			if got.Len() != 0 {
				t.Error("there is a secret beside the error")
			}
		})
	}
	if got, err := shamir.Combine(set); err != nil || !got.Equal(newSecret()) {
		t.Errorf("all five: %v", err)
	}
}

// TestOneShareSaysNothing: over many splits of one secret, the bytes of a share
// take every value, and about as often. The highest coefficient is a byte like
// any other: if it were never 0, a share of two would never equal the secret.
func TestOneShareSaysNothing(t *testing.T) {
	const rounds = 3000 // with 32 bytes each: 375 of each value on average, standard deviation below 20
	var seen [256]int
	secret := reveal(newSecret())
	for range rounds {
		for i, v := range reveal(split(t, "8 bytes.", 2, 2)[0].Value) {
			seen[v^secret[i]]++
		}
	}
	for difference, n := range seen {
		if n < 375-8*20 || n > 375+8*20 {
			t.Errorf("share and secret differ by %#02x in %d bytes, want about 375", difference, n)
		}
	}
}

// TestByHand combines shares worked by hand: 32 times the byte 0x42 with the line
// 0x42 + 0x53·x at x = 1 and x = 2, where 0x53·2 is 0xa6.
func TestByHand(t *testing.T) {
	share := func(x int, y byte) shamir.Share {
		return shamir.Share{Index: x, Threshold: 2, Count: 2, Value: material.NewSecret(bytes.Repeat([]byte{y}, 32))}
	}
	got, err := shamir.Combine([]shamir.Share{share(1, 0x42^0x53), share(2, 0x42^0xa6)})
	if err != nil || !bytes.Equal(reveal(got), bytes.Repeat([]byte{0x42}, 32)) {
		t.Errorf("got %x, %v", reveal(got), err)
	}
}

func TestText(t *testing.T) {
	for _, s := range split(t, "8 bytes.", 3, 5) {
		written := text(s)
		if len(written) != shamir.TextLength || shamir.TextLength != 84 {
			t.Errorf("%d characters, want %d", len(written), shamir.TextLength)
		}
		for _, form := range []string{written, strings.ToUpper(written), "\n " + written + "\r\n"} {
			read, err := shamir.Parse([]byte(form))
			if err != nil || read.Set != s.Set || read.Index != s.Index || read.Threshold != 3 || read.Count != 5 || !read.Value.Equal(s.Value) {
				t.Errorf("read back: %v, %v", read, err)
			}
		}
	}
}

// TestKnownText pins the form. The text was made with another
// implementation of BIP-350, in Python, which gives its first test vector.
func TestKnownText(t *testing.T) {
	value, _ := hex.DecodeString("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
	s := shamir.Share{Set: shamir.SetID([]byte("8 bytes.")), Index: 2, Threshold: 3, Count: 5, Value: material.NewSecret(value)}
	const want = "keymat1qyuzqcnew3jhxtszqvzsqqgzqvzq2ps8pqys5zcvp58q7yq3zgf3g9gkzuvpjxsmrsw3u8c8cnd47"
	if got := text(s); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestWrongCharacters: up to four wrong characters are always found.
func TestWrongCharacters(t *testing.T) {
	good := text(split(t, "8 bytes.", 2, 3)[0])
	random := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		wrong := []byte(good)
		for range 1 + random.IntN(4) {
			wrong[7+random.IntN(len(wrong)-7)] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"[random.IntN(32)]
		}
		if _, err := shamir.Parse(wrong); (err == nil) != (string(wrong) == good) {
			t.Fatalf("%s: %v", wrong, err)
		}
	}
}

func TestParseErrors(t *testing.T) {
	good := text(split(t, "8 bytes.", 2, 3)[0])
	for _, tt := range []struct{ text, want string }{
		{"", "it does not begin with keymat1"},
		{"keymat", "it does not begin with keymat1"},
		{"bc1" + good[3:], "it does not begin with keymat1"},
		{good[:83], "83 characters, where a share has 84"},
		{good + "q", "85 characters, where a share has 84"},
		{good[:9] + "b" + good[10:], "character 10 is none that a share has"},
		{good[:9] + "Q" + good[10:], "character 10 is an upper-case letter among lower-case ones"},
		{strings.ToUpper(good[:9]) + "q" + strings.ToUpper(good[10:]), "character 10 is a lower-case letter among upper-case ones"},
		{good[:12] + good[13:14] + good[12:13] + good[14:], "the checksum is wrong: a character is wrong or out of place"},
		{text(shamir.Share{Index: 1, Threshold: 1, Count: 2, Value: newSecret()}), "1 of 2 shares: it takes 2 to 16, and no more than there are"},
		{text(shamir.Share{Index: 3, Threshold: 2, Count: 2, Value: newSecret()}), "share 3 of 2"},
		{text(shamir.Share{Index: 0, Threshold: 2, Count: 2, Value: newSecret()}), "share 0 of 2"},
	} {
		if _, err := shamir.Parse([]byte(tt.text)); err == nil || err.Error() != tt.want {
			t.Errorf("%q: error %v, want %s", tt.text, err, tt.want)
		}
	}
}

func TestNothingPrinted(t *testing.T) {
	s := split(t, "8 bytes.", 2, 2)[0]
	value := hex.EncodeToString(reveal(s.Value))
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%s"} {
		if strings.Contains(fmt.Sprintf(verb, s), value[:16]) {
			t.Errorf("%s shows the value", verb)
		}
	}
}

// FuzzParse: what can be read is written the same again.
func FuzzParse(f *testing.F) {
	for _, s := range split(f, "8 bytes.", 2, 3) {
		f.Add([]byte(text(s)))
		f.Add([]byte(strings.ToUpper(text(s))))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := shamir.Parse(data)
		if err != nil {
			if s.Value.Len() != 0 {
				t.Error("a share beside an error")
			}
			return
		}
		if got, want := text(s), strings.ToLower(strings.TrimSpace(string(data))); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
