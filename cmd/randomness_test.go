// SPDX-License-Identifier: Apache-2.0

package cmd_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/keymat/keymat/material/entropy"
)

// record reads the record that a run kept.
func (d *desk) record(name string) entropy.Record {
	d.t.Helper()
	f, err := os.Open(d.path(name))
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	r, err := entropy.ReadRecord(f)
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

// TestThrowsEntry types throws in lines, with a slip, and has both kinds mixed in.
func TestThrowsEntry(t *testing.T) {
	d := newDesk(t)
	p := &person{answers: []string{"41635 24616", "2553213x42", "2553213542", "", "hhtht", " ", "unasked"}}
	d.run(p, 0, "generate", "--spec", "HMAC_256", "--dice", "--coins", "--out", d.path("mac.key"), "--randomness-out", d.path("record"))
	want := []string{
		"Throws of dice (1 to 6), 0 so far; Enter alone ends",
		"Throws of dice (1 to 6), 10 so far; Enter alone ends",
		"Throws of dice (1 to 6), 10 so far; Enter alone ends",
		"Throws of dice (1 to 6), 20 so far; Enter alone ends",
		"Throws of coins (h or t), 0 so far; Enter alone ends",
		"Throws of coins (h or t), 5 so far; Enter alone ends",
	}
	if got := strings.Join(p.asked, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("asked\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	d.wantTold("warning: character 8 is no throw of dice: expected 1 to 6; the line was not taken")
	dice, err := entropy.NewDice([]byte("4163524616" + "2553213542"))
	if err != nil {
		t.Fatal(err)
	}
	coins, err := entropy.NewCoins([]byte("hhtht"))
	if err != nil {
		t.Fatal(err)
	}
	mix, err := entropy.Commit(dice, coins)
	if err != nil {
		t.Fatal(err)
	}
	if got := d.record("record").Commitment; got != mix.Commitment() {
		t.Errorf("committed to %s, want %s: something else than what was typed", got, mix.Commitment())
	}
	for _, typed := range []string{"41635 24616", "4163524616", "2553213", "hhtht", "HHTHT"} {
		if strings.Contains(d.stderr.String(), typed) {
			t.Errorf("the story tells %q", typed)
		}
	}
}

// TestThrowsEntryEnds leaves the entry without a throw, and in the middle of one.
func TestThrowsEntryEnds(t *testing.T) {
	d := newDesk(t)
	d.run(&person{answers: []string{""}}, 1, "generate", "--spec", "HMAC_256", "--dice", "--out", d.path("mac.key"))
	d.wantTold("error: nothing to mix in: no throw of dice")
	d.run(&person{answers: []string{"123"}}, 1, "generate", "--spec", "HMAC_256", "--dice", "--out", d.path("mac.key"))
	d.wantTold("error: the entry was broken off, and nothing was made")
	if _, err := os.Stat(d.path("mac.key")); err == nil {
		t.Error("material was made")
	}
}

// TestComponentEntry types components in every way there is, with every slip.
func TestComponentEntry(t *testing.T) {
	d := newDesk(t)
	const rising = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	ones, twos := strings.Repeat("11", 32), strings.Repeat("22", 32)
	check := d.checkOf(twos)
	p := &person{answers: []string{
		ones[:63],               // too short
		ones, "hmac:0000000000", // a wrong check value
		ones, "", strings.Replace(ones, "1", "3", 1), // another one the second time
		ones, "", strings.ToUpper(ones), // right
		rising + d.checkOf(rising), // with its check value at once
		twos, strings.TrimPrefix(check, "hmac:"),
	}}
	d.run(p, 0, "generate", "--spec", "HMAC_256", "--components", "3", "--out", d.path("mac.key"), "--randomness-out", d.path("record"))
	if len(p.answers) > 0 {
		t.Errorf("%d answers are left", len(p.answers))
	}
	for _, told := range []string{
		"warning: not a component for HMAC_256: found 63 hexadecimal digits, expected 64; it was not taken",
		"warning: the component and its check value do not belong together; it was not taken",
		"warning: the two entries differ; it was not taken",
		"component 3 of 3 has the check value " + check,
	} {
		d.wantTold(told)
	}
	if got, want := p.asked[0], "Component 1 of 3 (64 hexadecimal digits, not shown)"; got != want {
		t.Errorf("asked %q, want %q", got, want)
	}
	want := make([]byte, 32) // 0x11 ^ 0x22 ^ i
	for i := range want {
		want[i] = 0x33 ^ byte(i)
	}
	if got, err := os.ReadFile(d.path("mac.key")); err != nil || !bytes.Equal(got, want) {
		t.Errorf("other material, error %v", err)
	}
	var entered []entropy.Entered
	for _, c := range d.record("record").Components {
		entered = append(entered, c.Entered)
	}
	if len(entered) != 3 || entered[0] != entropy.TypedTwice || entered[1] != entropy.TypedWithCheck || entered[2] != entropy.TypedWithCheck {
		t.Errorf("entered %q", entered)
	}
	said := strings.ToLower(d.stderr.String() + d.stdout.String() + strings.Join(p.asked, ""))
	for _, typed := range []string{ones, twos, rising} {
		if strings.Contains(said, typed[:16]) { // less may be in the name of a folder
			t.Errorf("a component was told: %s", said)
		}
	}
	d.run(&person{answers: []string{ones, ""}}, 1, "generate", "--spec", "HMAC_256", "--components", "2", "--out", d.path("other.key"))
	d.wantTold("error: the entry was broken off, and nothing was made")
}

// checkOf computes a check value as openssl dgst -mac hmac would.
func (d *desk) checkOf(digits string) string {
	d.t.Helper()
	key, err := hex.DecodeString(digits)
	if err != nil {
		d.t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("keymat/kcv/v1"))
	return "hmac:" + hex.EncodeToString(mac.Sum(nil))[:10]
}

// copier is a custodian who copies what is shown, and at first with slips.
type copier struct {
	person
}

func (c *copier) Secret(ctx context.Context, prompt string) ([]byte, error) {
	text := []byte(c.shown[len(c.shown)-1])
	_, text, _ = bytes.Cut(text, []byte("\n")) // less the title
	switch len(c.shown) {
	case 1:
		return nil, nil
	case 2:
		digits, _, _ := bytes.Cut(text, []byte("hmac:"))
		other := byte('0')
		if digits[0] == other {
			other = '1'
		}
		return append([]byte{other}, digits[1:]...), nil
	}
	return text, nil
}

// TestComponentShown shows a component until its copy is right.
func TestComponentShown(t *testing.T) {
	d := newDesk(t)
	p := &copier{}
	d.run(p, 0, "generate", "component", "--spec", "HMAC_224", "--show")
	if len(p.shown) != 3 {
		t.Fatalf("shown %d times, want 3", len(p.shown))
	}
	d.wantTold("warning: the copy is not right: the two entries differ")
	d.wantTold("warning: the copy is not right: not a component for HMAC_224: found 0 hexadecimal digits, expected 56")
	d.wantTold("the copy is right")
	check := strings.TrimSpace(d.stdout.String())
	if !strings.HasSuffix(p.shown[0], check+"\n") {
		t.Errorf("printed the check value %s", check)
	}
	for line := range strings.Lines(p.shown[0]) {
		if group, _, _ := strings.Cut(line, " "); len(group) == 4 && strings.Contains(d.stdout.String()+d.stderr.String(), group+" ") {
			t.Error("the component was told")
		}
	}
}
