// SPDX-License-Identifier: Apache-2.0

package spoken_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/keymat/keymat/internal/spoken"
)

// all are the words for every byte at an even and at an odd position.
func all() (even, odd []string) {
	for b := range 256 {
		words := spoken.Words([]byte{byte(b), byte(b)})
		even, odd = append(even, words[0]), append(odd, words[1])
	}
	return even, odd
}

func TestList(t *testing.T) {
	even, odd := all()
	seen := map[string]bool{}
	for _, word := range slices.Concat(even, odd) {
		if seen[strings.ToLower(word)] {
			t.Errorf("%s comes twice", word)
		}
		seen[strings.ToLower(word)] = true
		if strings.Trim(strings.ToLower(word), "abcdefghijklmnopqrstuvwxyz") != "" {
			t.Errorf("%q has more than letters", word)
		}
	}
	if len(seen) != 512 {
		t.Errorf("%d words, want 512", len(seen))
	}
	for _, list := range [][]string{even, odd} {
		for i := range 255 {
			a, b := strings.ToLower(list[i]), strings.ToLower(list[i+1])
			if a > b && a != "applicant" { // it stands before Apollo in the published list, too
				t.Errorf("%s stands before %s", a, b)
			}
		}
	}
}

// TestSyllables counts groups of vowels, which is right for nearly all words,
// and names those for which it is not.
func TestSyllables(t *testing.T) {
	even, odd := all()
	odds := 0
	for _, word := range even {
		if n := vowelGroups(word); n > 3 {
			t.Errorf("%s has %d syllables, want 2", word, n)
		}
	}
	for _, word := range odd {
		if vowelGroups(word) >= 3 {
			odds++
		}
	}
	if odds < 240 {
		t.Errorf("only %d of the odd words have three syllables", odds)
	}
}

func vowelGroups(word string) (n int) {
	before := false
	for _, r := range strings.ToLower(word) {
		vowel := strings.ContainsRune("aeiouy", r)
		if vowel && !before {
			n++
		}
		before = vowel
	}
	return n
}

// TestPublished holds examples that others have published.
func TestPublished(t *testing.T) {
	for hex, want := range map[string]string{
		"e58294f2e9a227486e8b061b31cc528fd7fa3f19": "topmost Istanbul Pluto vagabond treadmill Pacific brackish dictator goldfish Medusa afflict bravado chatter revolver Dupont midsummer stopwatch whimsical cowbell bottomless", // the Wikipedia article
		"d1d464c004f00fb5c9a4c8d8e433e7fb7ff56256": "stairway souvenir flytrap recipe adrift upcoming artist positive spearhead Pandora spaniel stupendous tonic concurrent transit Wichita lockup visitor flagpole escapade",
	} {
		data, err := spoken.Parse(hex, 20)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(spoken.Words(data), " "); got != want {
			t.Errorf("%s: got %s, want %s", hex, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	digest := sha256.Sum256([]byte("keymat"))
	words := spoken.Words(digest[:])
	for name, text := range map[string]string{
		"words":       strings.Join(words, " "),
		"upper case":  strings.ToUpper(strings.Join(words, " ")),
		"with commas": strings.Join(words, ", "),
		"in lines":    strings.Join(words[:8], "\n") + "\r\n" + strings.Join(words[8:], "\t"),
	} {
		if got, err := spoken.Parse(text, 32); err != nil || !bytes.Equal(got, digest[:]) {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
	if got, err := spoken.Parse("DE:AD be-ef", 4); err != nil || !bytes.Equal(got, []byte{0xde, 0xad, 0xbe, 0xef}) {
		t.Errorf("%x, %v", got, err)
	}
}

func TestParseNotices(t *testing.T) {
	digest := sha256.Sum256([]byte("keymat"))
	words := spoken.Words(digest[:])
	for i := range len(words) - 1 {
		swapped := slices.Clone(words)
		swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
		wantWordError(t, swapped, i+1)
		wantWordError(t, slices.Delete(slices.Clone(words), i, i+1), i+1)
		wantWordError(t, slices.Insert(slices.Clone(words), i, words[i]), i+2)
	}
	for name, n := range map[string]int{"the last dropped": 31, "one more": 33} {
		text := strings.Join(append(slices.Clone(words), spoken.Words([]byte{1})...)[:n], " ")
		var length *spoken.LengthError
		if _, err := spoken.Parse(text, 32); !errors.As(err, &length) || length.Got != n || length.Want != 32 {
			t.Errorf("%s: %v", name, err)
		}
	}
	var word *spoken.WordError
	if _, err := spoken.Parse("aardvark nothing", 2); !errors.As(err, &word) || word.Listed || word.Position != 2 || word.Word != "nothing" {
		t.Errorf("an unknown word: %v", err)
	}
	if _, err := spoken.Parse("", 32); err == nil {
		t.Error("nothing was taken for a digest")
	}
}

// wantWordError demands that the word at this position is found to be of the
// other kind.
func wantWordError(t *testing.T, words []string, position int) {
	t.Helper()
	var e *spoken.WordError
	_, err := spoken.Parse(strings.Join(words, " "), 32)
	if !errors.As(err, &e) || !e.Listed || e.Position != position {
		t.Errorf("want word %d: %v", position, err)
	}
}

func TestLines(t *testing.T) {
	got := spoken.Lines([]byte{0, 1, 2, 3, 4, 5, 6, 7, 0xff, 0xff})
	want := []string{
		"0001020304050607  aardvark adviser accrue aggregate adrift almighty afflict amusement",
		"ffff              Zulu Yucatan",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
