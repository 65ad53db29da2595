// SPDX-License-Identifier: Apache-2.0

package entropy_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/material/entropy"
)

func TestThrows(t *testing.T) {
	for _, test := range []struct {
		kind  entropy.Kind
		text  string
		count int
		bits  int
		err   string
	}{
		{entropy.Dice, "1", 1, 2, ""},
		{entropy.Dice, " 1, 2\t3\r\n456 ", 6, 15, ""},
		{entropy.Dice, strings.Repeat("3", 50), 50, 129, ""},
		{entropy.Dice, strings.Repeat("3", 62), 62, 160, ""},
		{entropy.Dice, strings.Repeat("3", 100), 100, 258, ""},
		{entropy.Dice, "1230", 0, 0, "character 4 is no throw of dice: expected 1 to 6"},
		{entropy.Dice, "7", 0, 0, "character 1 is no throw of dice: expected 1 to 6"},
		{entropy.Dice, "1 H", 0, 0, "character 3 is no throw of dice: expected 1 to 6"},
		{entropy.Dice, " \n", 0, 0, "nothing to mix in: no throw of dice"},
		{entropy.Dice, strings.Repeat("1", entropy.MaxInput), entropy.MaxInput, 2710529, ""},
		{entropy.Dice, strings.Repeat("1", entropy.MaxInput+1), 0, 0, "found 1048577 bytes of dice to mix in, expected at most 1048576"},
		{entropy.Coins, "hHtT h", 5, 5, ""},
		{entropy.Coins, "heads", 0, 0, "character 2 is no throw of coins: expected h or t"},
		{entropy.Coins, "", 0, 0, "nothing to mix in: no throw of coins"},
	} {
		newThrows := entropy.NewDice
		if test.kind == entropy.Coins {
			newThrows = entropy.NewCoins
		}
		in, err := newThrows([]byte(test.text))
		if message := fmt.Sprint(err); err != nil && message != test.err || err == nil && test.err != "" {
			t.Errorf("%s %.20q: error %v, want %v", test.kind, test.text, err, test.err)
		}
		if in.Count != test.count || err == nil && in.BitsIfFair() != test.bits {
			t.Errorf("%s %.20q: %d throws, %d bits; want %d, %d", test.kind, test.text, in.Count, in.BitsIfFair(), test.count, test.bits)
		}
	}
}

func TestFile(t *testing.T) {
	if _, err := entropy.NewFile(nil); fmt.Sprint(err) != "nothing to mix in: no byte in the file" {
		t.Error(err)
	}
	if _, err := entropy.NewFile(make([]byte, entropy.MaxInput+1)); err == nil {
		t.Error("too large a file was taken")
	}
	in, err := entropy.NewFile(make([]byte, entropy.MaxInput))
	if err != nil || in.Count != entropy.MaxInput || in.BitsIfFair() != 0 || in.Hints() != nil {
		t.Errorf("%d bytes, %d bits, hints %v, error %v", in.Count, in.BitsIfFair(), in.Hints(), err)
	}
}

// TestCommitmentsDiffer holds the framing to its promise: no two lists of inputs give the same bytes.
func TestCommitmentsDiffer(t *testing.T) {
	dice, coins, file := must(entropy.NewDice([]byte("12"))), must(entropy.NewCoins([]byte("HT"))), must(entropy.NewFile([]byte("12")))
	one, two := must(entropy.NewDice([]byte("1"))), must(entropy.NewDice([]byte("2")))
	seen := map[string]int{}
	for i, inputs := range [][]entropy.Input{{dice}, {file}, {coins}, {one, two}, {two, one}, {one}, {two}, {dice, coins}, {coins, dice}} {
		mix := must(entropy.Commit(inputs...))
		if former, ok := seen[mix.Commitment()]; ok {
			t.Errorf("lists %d and %d have one commitment", former, i)
		}
		seen[mix.Commitment()] = i
	}
	if _, err := entropy.Commit(); err == nil {
		t.Error("committed to nothing")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestCheckMix(t *testing.T) {
	mix := must(entropy.Commit(must(entropy.NewDice([]byte("123456")))))
	for _, spec := range append(material.Specs(), "", "SM2") {
		for _, by := range []entropy.Method{entropy.Extract, entropy.XOR} {
			err := entropy.CheckMix(spec, by)
			m, made := mix.Generate(spec, by)
			if fmt.Sprint(err) != fmt.Sprint(made) {
				t.Errorf("%s by %s: CheckMix says %v, Generate %v", spec, by, err, made)
			}
			pair, isPair := errors.AsType[*entropy.KeyPairError](err)
			size, isSize := errors.AsType[*entropy.XORSizeError](err)
			switch {
			case spec.KeyPair():
				if !isPair || pair.Spec != spec {
					t.Errorf("%s by %s: %v", spec, by, err)
				}
			case spec.Kind() == material.KindNone:
				if _, ok := errors.AsType[*material.UnsupportedSpecError](err); !ok {
					t.Errorf("%q by %s: %v", spec, by, err)
				}
			case by == entropy.XOR && spec.GenerateLength() != sha256.Size:
				if !isSize || size.Spec != spec {
					t.Errorf("%s by %s: %v", spec, by, err)
				}
			case err != nil || m.Spec() != spec || m.Secret().Len() != spec.GenerateLength():
				t.Errorf("%s by %s: %v, error %v", spec, by, m, err)
			}
		}
	}
	for spec, want := range map[material.Spec]string{
		material.RSA2048:     "nothing can be mixed into RSA_2048 material: its primes are searched with the generator of the cryptographic module, which takes no other",
		material.ECCNISTP256: "nothing can be mixed into ECC_NIST_P256 material: its private key would not be generated inside the cryptographic module any more",
	} {
		if got := fmt.Sprint(entropy.CheckMix(spec, entropy.Extract)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestGeneratesAnew mixes the same input twice: the generator is always in it.
func TestGeneratesAnew(t *testing.T) {
	for _, by := range []entropy.Method{entropy.Extract, entropy.XOR} {
		mix := must(entropy.Commit(must(entropy.NewDice([]byte("123456")))))
		first, second := must(mix.Generate(material.HMAC256, by)), must(mix.Generate(material.HMAC256, by))
		if first.Secret().Equal(second.Secret()) {
			t.Errorf("%s gives the same material twice", by)
		}
		mix.Destroy()
		if destroyed := must(entropy.Commit(mix.Inputs()...)); destroyed.Commitment() == mix.Commitment() {
			t.Errorf("%s: the input is still there", by)
		}
	}
}

func TestHints(t *testing.T) {
	const thrown = "416352461625532136425163412563142536412536142563145266113524416" // by a die
	for _, test := range []struct {
		kind entropy.Kind
		text string
		want string
	}{
		{entropy.Dice, thrown, "[]"},
		{entropy.Dice, strings.Repeat("1", 29), "[]"}, // too few to say
		{entropy.Dice, strings.Repeat("1", 30), "[the faces come up unevenly a face follows itself too often, as where a die is not thrown high enough]"},
		{entropy.Dice, strings.Repeat("123456", 12), "[a face follows itself too rarely, as where somebody makes the throws up]"},
		{entropy.Dice, strings.Repeat("111222333444555666", 3), "[a face follows itself too often, as where a die is not thrown high enough]"},
		{entropy.Dice, strings.Repeat("1122334455", 12), "[the faces come up unevenly a face follows itself too often, as where a die is not thrown high enough]"},
		{entropy.Coins, "hththhtthtthhhtthtth", "[]"},
		{entropy.Coins, strings.Repeat("ht", 10), "[a face follows itself too rarely, as where somebody makes the throws up]"},
		{entropy.Coins, strings.Repeat("ht", 9) + "h", "[]"}, // 19
		{entropy.Coins, strings.Repeat("tht", 20), "[]"},
		{entropy.Coins, strings.Repeat("thttt", 8), "[the faces come up unevenly]"},
	} {
		newThrows := entropy.NewDice
		if test.kind == entropy.Coins {
			newThrows = entropy.NewCoins
		}
		if got := fmt.Sprint(must(newThrows([]byte(test.text))).Hints()); got != test.want {
			t.Errorf("%s %s: %s, want %s", test.kind, test.text, got, test.want)
		}
	}
}

func TestSampleOfTheGenerator(t *testing.T) {
	s, err := entropy.TakeSample()
	if err != nil || !s.Passed() || s.Bytes != 1<<20 {
		t.Errorf("%+v, error %v", s, err)
	}
}

// TestNothingIsPrinted prints what holds a secret in every way.
func TestNothingIsPrinted(t *testing.T) {
	const throws = "61524361524361524"
	c, _, err := entropy.ParseComponent(material.HMAC224, bytes.Repeat([]byte("5a"), 28))
	if err != nil {
		t.Fatal(err)
	}
	in := must(entropy.NewDice([]byte(throws)))
	for _, v := range []any{in, &in, must(entropy.Commit(in)), c, &c, []entropy.Component{c}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
			said := fmt.Sprintf(verb, v)
			for _, secret := range []string{throws, fmt.Sprintf("%x", throws[:8]), "5a5a5a", "90 90 90", "0x5a, 0x5a", "54 49 53"} {
				if strings.Contains(strings.ToLower(said), secret) {
					t.Errorf("%s of %T: %s", verb, v, said)
				}
			}
		}
	}
}
