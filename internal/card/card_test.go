// SPDX-License-Identifier: Apache-2.0

package card_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/internal/card"
)

func write(t *testing.T, c card.Card) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func newCard(text, line string) card.Card {
	return card.Card{
		Escrow: "00112233", KeySpec: "HMAC_256", Fingerprint: "hmac:0a0b0c0d0e", Created: time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC),
		Scheme: "SLIP-0039", Index: 2, Threshold: 3, Count: 5, Text: []byte(text), Line: []byte(line), By: "keymat test",
	}
}

func TestWords(t *testing.T) {
	page := write(t, newCard("academic acid acne", "KEYMAT-SHARE/1 00 ACADEMIC ACID ACNE"))
	for _, want := range []string{
		"<title>Share 2 of 5</title>", "Any 3 open the escrow", "<b>acad</b>emic</li>", "<b>acid</b></li>", "<b>acne</b></li>",
		"00112233", "hmac:0a0b0c0d0e", "2026-11-22T05:00:00Z", "age -d | jq -r .material | base64 -d &gt; FILE.key",
	} {
		if !strings.Contains(strings.ReplaceAll(page, "-d > FILE", "-d &gt; FILE"), want) {
			t.Errorf("the card has no %q", want)
		}
	}
	if outside := regexp.MustCompile(`(?i)<script|<img|<a |url\(http|@import`).FindString(page); outside != "" {
		t.Errorf("the card has %q", outside)
	}
	if strings.Contains(page, "HKDF") || strings.Contains(page, "Bech32m") {
		t.Error("the card tells how to open another escrow")
	}
}

func TestPlain(t *testing.T) {
	c := newCard("keymat1qqqq5", "KEYMAT-SHARE/1 00 KEYMAT1QQQQ5")
	c.FIPS = true
	page := write(t, c)
	for _, want := range []string{"keym at1q qqq5 ", "Bech32m", "HKDF-SHA-256"} {
		if !strings.Contains(page, want) {
			t.Errorf("the card has no %q", want)
		}
	}
	if strings.Contains(page, "SLIP-39") || strings.Contains(page, "age -d") {
		t.Error("the card tells how to open another escrow")
	}
}

// TestQR holds the drawing against what can be known of it without decoding:
// integration reads one with zbar.
func TestQR(t *testing.T) {
	page := write(t, newCard("academic acid", "0"))
	const size = 21 + 2*4 // the smallest code, and the quiet zone
	svg := regexp.MustCompile(`<svg [^>]*width="([0-9.]+)mm"[^>]*viewBox="0 0 29 29"[^>]*>(.*)</svg>`).FindStringSubmatch(page)
	if svg == nil {
		t.Fatalf("there is no code of %d modules: %s", size, page)
	}
	if svg[1] != "19.64" { // 29 · 4 dots of 150 dpi
		t.Errorf("the code is %s mm wide", svg[1])
	}
	// The finder pattern in the upper left corner: a bar of 7, two sides, the eye.
	for _, run := range []string{"M4 4h7v1", "M4 5h1v1", "M10 5h1v1", "M4 6h1v1", "M6 6h3v1", "M4 10h7v1"} {
		if !strings.Contains(svg[2], run) {
			t.Errorf("the code has no %s", run)
		}
	}
}

func TestTooLong(t *testing.T) {
	var b bytes.Buffer
	if err := newCard("academic acid", strings.Repeat("x", 5000)).Write(&b); err == nil || b.Len() > 0 {
		t.Errorf("error %v, %d bytes", err, b.Len())
	}
}

// TestRehearsal: nobody shall keep a card of a rehearsal for a real one.
func TestRehearsal(t *testing.T) {
	c := newCard("academic acid acne", "ACADEMIC ACID ACNE")
	c.Rehearsal = true
	if page := write(t, c); !strings.Contains(page, "<title>REHEARSAL: share 2 of 5</title>") {
		t.Error("the card does not say that it is of a rehearsal")
	}
}
