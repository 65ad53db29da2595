// SPDX-License-Identifier: Apache-2.0

package escrow_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/escrow/shamir"
	"github.com/keymat/keymat/escrow/slip39"
	"github.com/keymat/keymat/material"
)

func parseShare(t testing.TB, text material.Secret) escrow.Share {
	t.Helper()
	s, err := escrow.ParseShare(reveal(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// forge changes the value of a share and gives it a right checksum.
func forge(t testing.TB, s escrow.Share) escrow.Share {
	t.Helper()
	change := func(value material.Secret) material.Secret {
		b := reveal(value)
		b[5] ^= 1
		return material.NewSecret(b)
	}
	if s.Scheme == escrow.Shamir {
		forged, err := shamir.Parse(reveal(s.Text()))
		if err != nil {
			t.Fatal(err)
		}
		forged.Value = change(forged.Value)
		return parseShare(t, forged.Text())
	}
	forged, err := slip39.Parse(reveal(s.Text()))
	if err != nil {
		t.Fatal(err)
	}
	forged.Value = change(forged.Value)
	return parseShare(t, forged.Mnemonic())
}

// TestBadShares: every kind of bad share is named before any are combined.
func TestBadShares(t *testing.T) {
	m := generate(t, material.SymmetricDefault)
	for _, scheme := range escrow.Schemes() {
		plan := escrow.Plan{Profile: escrow.FIPSQuorum, Scheme: scheme, Threshold: 3, Count: 5}
		f, dealt := sealQuorum(t, m, plan)
		_, foreign := sealQuorum(t, m, plan)
		var set []escrow.Share
		for _, s := range dealt {
			set = append(set, parseShare(t, s.Text()))
		}
		other := map[escrow.Scheme]escrow.Scheme{escrow.SLIP39: escrow.Shamir, escrow.Shamir: escrow.SLIP39}[scheme]
		_, otherScheme := sealQuorum(t, m, escrow.Plan{Profile: escrow.FIPSQuorum, Scheme: other, Threshold: 3, Count: 5})
		for _, tt := range []struct {
			name   string
			shares []escrow.Share
			want   string
		}{
			{"none", nil, "0 of the 2 shares needed"},
			{"too few", set[:2], "2 of the 3 shares needed"},
			{"one twice", []escrow.Share{set[0], set[4], set[4]}, "share 5 came twice"},
			{"altered", []escrow.Share{set[0], forge(t, set[3]), set[4]}, "share 4 is not the one that was dealt: it does not match its commitment in the escrow"},
			{"altered among enough", []escrow.Share{set[0], set[1], set[2], forge(t, set[3])}, "share 4 is not the one that was dealt: it does not match its commitment in the escrow"},
			{"foreign", []escrow.Share{set[0], parseShare(t, foreign[1].Text()), set[4]}, "share 2 is of another set: it differs in the identifier of its set"},
			{"foreign, with its ID", []escrow.Share{set[0], foreign[1], set[4]}, "share 2 is of another set: it differs in its ID, " + foreign[1].ID.String()},
			{"another scheme", []escrow.Share{set[0], otherScheme[2], set[4]}, "share 3 is of another set: it differs in its scheme, " + string(other)},
		} {
			t.Run(string(scheme)+" "+tt.name, func(t *testing.T) {
				key, err := f.Combine(tt.shares)
				if err == nil || err.Error() != tt.want {
					t.Errorf("error %v, want %s", err, tt.want)
				}
				if key.Len() != 0 {
					t.Error("there is a key beside the error")
				}
			})
		}
		var missing *escrow.MissingSharesError
		if _, err := f.Combine([]escrow.Share{set[3], set[1]}); !errors.As(err, &missing) || fmt.Sprint(missing.Have) != "[4 2]" {
			t.Errorf("error %v", err)
		}
		if _, err := escrow.Combine([]escrow.Share{set[0], set[1], parseShare(t, foreign[2].Text())}); err == nil {
			t.Error("shares of two sets are combined without the escrow")
		}
		if _, err := f.Combine(set); err != nil {
			t.Errorf("all: %v", err)
		}
	}
	var profile *escrow.ProfileError
	if err := sealKey(t, m).CheckShare(escrow.Share{}); !errors.As(err, &profile) {
		t.Errorf("an escrow without shares: %v", err)
	}
}

// TestLyingShares: shares with a right checksum that claim what cannot be.
func TestLyingShares(t *testing.T) {
	words := func(change func(*slip39.Share)) escrow.Share {
		s, err := slip39.Parse(bytes.Split(golden(t, "quorum-words.shares"), []byte("\n"))[0])
		if err != nil {
			t.Fatal(err)
		}
		change(&s)
		return parseShare(t, s.Mnemonic())
	}
	text := func(change func(*shamir.Share)) escrow.Share {
		s, err := shamir.Parse(bytes.Split(golden(t, "quorum-shamir.shares"), []byte("\n"))[0])
		if err != nil {
			t.Fatal(err)
		}
		change(&s)
		return parseShare(t, s.Text())
	}
	for _, tt := range []struct {
		escrow string
		share  escrow.Share
		want   string
	}{
		{"quorum-words", words(func(s *slip39.Share) { s.Index = 3 }), "share 4 is of another set: it differs in its index, which is none from 1 to 3"},
		{"quorum-words", words(func(s *slip39.Share) { s.Index = 1 }), "share 2 is not the one that was dealt: it does not match its commitment in the escrow"},
		{"quorum-words", words(func(s *slip39.Share) { s.Threshold = 3 }), "share 1 is of another set: it differs in how many it takes, 3"},
		{"quorum-words", words(func(s *slip39.Share) { s.Identifier ^= 1 }), "share 1 is of another set: it differs in the identifier of its set"},
		{"quorum-shamir", text(func(s *shamir.Share) { s.Count = 4 }), "share 1 is of another set: it differs in how many there are, 4"},
		{"quorum-shamir", text(func(s *shamir.Share) { s.Set[7] ^= 1 }), "share 1 is of another set: it differs in the identifier of its set"},
	} {
		if err := readGolden(t, tt.escrow+".escrow").CheckShare(tt.share); err == nil || err.Error() != tt.want {
			t.Errorf("error %v, want %s", err, tt.want)
		}
	}
}

// TestCommitment pins what a commitment is the digest of.
func TestCommitment(t *testing.T) {
	f := readGolden(t, "quorum-words.escrow")
	s, err := slip39.Parse(bytes.Split(golden(t, "quorum-words.shares"), []byte("\n"))[1])
	if err != nil {
		t.Fatal(err)
	}
	data := append([]byte("keymat/share/v1"), f.ID[:]...)
	data = append(append(data, 2), reveal(s.Value)...)
	if got, want := f.Shares.Commitments[1], escrow.Digest(sha256.Sum256(data)); got != want {
		t.Errorf("commitment %s, want %s", got, want)
	}
	if want := int(f.ID[0])<<7 | int(f.ID[1])>>1; s.Identifier != want {
		t.Errorf("identifier %d, want %d, the first 15 bits of the ID", s.Identifier, want)
	}
}

func TestLine(t *testing.T) {
	f, shares := sealQuorum(t, generate(t, material.SymmetricDefault), escrow.Plan{Profile: escrow.FIPSQuorum, Scheme: escrow.SLIP39, Threshold: 2, Count: 2})
	got := string(reveal(shares[0].Line()))
	want := strings.ToUpper("keymat-share/1 " + f.ID.String() + " " + string(reveal(shares[0].Text())))
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if s := parseShare(t, shares[0].Line()); s.ID == nil || *s.ID != f.ID {
		t.Errorf("ID %v, want %s", s.ID, f.ID)
	}
}

// TestGaps: plain shares may be typed as they stand on a card.
func TestGaps(t *testing.T) {
	for _, s := range goldenShares(t, "quorum-shamir.shares") {
		var gaps []byte
		for piece := range slices.Chunk(reveal(s.Text()), 4) {
			gaps = append(append(gaps, piece...), " \n"[len(gaps)%2])
		}
		if read := parseShare(t, material.NewSecret(gaps)); read.Index != s.Index || !read.Text().Equal(s.Text()) {
			t.Errorf("%q reads as share %d", gaps, read.Index)
		}
	}
}

func TestParseShareErrors(t *testing.T) {
	words := strings.Fields(string(golden(t, "quorum-words.shares")))[:33]
	grouped, err := slip39.Parse(golden(t, "quorum-words.shares")[:bytes.IndexByte(golden(t, "quorum-words.shares"), '\n')])
	if err != nil {
		t.Fatal(err)
	}
	short := grouped
	short.Value = material.NewSecret(make([]byte, 16))
	grouped.GroupCount = 2
	vector := "duckling enlarge academic academic agency result length solution fridge kidney coal piece deal husband erode duke ajar critical decision keyboard"
	for _, tt := range []struct{ text, want string }{
		{"", "not a share: 0 words, where a share of 256 bits has 33"},
		{strings.Repeat(" ", 1025), "not a share: 1025 bytes, more than any share has"},
		{"keymat-share/1 xyz " + strings.Join(words, " "), "not a share: the ID of its escrow is not 32 lower-case hexadecimal digits"},
		{"keymat-share/1", "not a share: the ID of its escrow is not 32 lower-case hexadecimal digits"},
		{"keymat1qqqq", "not a share: 11 characters, where a share has 84"},
		{"hello world", "not a share: word 1 is not in the word list"},
		{strings.Join(append(words[:31:31], words[32], words[31]), " "), "not a share: the checksum is wrong: a word is wrong or out of place"},
		{string(reveal(short.Mnemonic())), "not a share: a share in words, but not of a kind that an escrow has"},
		{string(reveal(grouped.Mnemonic())), "not a share: a share in words, but not of a kind that an escrow has"},
		{vector, "not a share: a share in words, but not of a kind that an escrow has"},
	} {
		_, err := escrow.ParseShare([]byte(tt.text))
		var share *escrow.ShareError
		if !errors.As(err, &share) || err.Error() != tt.want {
			t.Errorf("%.60q: error %v, want %s", tt.text, err, tt.want)
		}
	}
}

func TestSharesAreNotPrinted(t *testing.T) {
	for _, s := range append(goldenShares(t, "quorum-words.shares"), goldenShares(t, "quorum-shamir.shares")...) {
		printed := fmt.Sprintf("%v %+v %#v", s, s, s)
		for _, part := range bytes.Fields(reveal(s.Text())) {
			if len(part) > 20 && strings.Contains(printed, string(part)) {
				t.Errorf("%s", printed)
			}
		}
		if strings.Contains(printed, string(reveal(s.Text())[10:30])) {
			t.Errorf("%s", printed)
		}
	}
}

// FuzzParseShare: what can be read gives a line that reads as the same share.
func FuzzParseShare(f *testing.F) {
	for _, name := range []string{"quorum-words.shares", "quorum-shamir.shares", "fips-quorum.shares"} {
		for _, s := range goldenShares(f, name) {
			f.Add(reveal(s.Text()))
			s.ID = &escrow.ID{1, 2, 3}
			f.Add(reveal(s.Line()))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := escrow.ParseShare(data)
		if err != nil {
			return
		}
		again, err := escrow.ParseShare(reveal(s.Text()))
		if err != nil || again.Index != s.Index || !again.Text().Equal(s.Text()) {
			t.Errorf("text: %v", err)
		}
		line, err := escrow.ParseShare(reveal(s.Line()))
		if err != nil || !line.Text().Equal(s.Text()) || (line.ID == nil) != (s.ID == nil) || s.ID != nil && *line.ID != *s.ID {
			t.Errorf("line: %v", err)
		}
	})
}
