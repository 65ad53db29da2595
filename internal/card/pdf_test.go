// SPDX-License-Identifier: Apache-2.0

package card_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/keymat/keymat/internal/card"
)

func writePDF(t *testing.T, c card.Card) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := c.WritePDF(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// shown is the text on the page, in the order in which it is drawn.
func shown(page []byte) string {
	var all []string
	for _, text := range regexp.MustCompile(`\((.*)\) ?Tj`).FindAllSubmatch(page, -1) {
		all = append(all, strings.NewReplacer(`\(`, "(", `\)`, ")").Replace(string(text[1])))
	}
	return strings.Join(all, " ")
}

// TestPDF: the longest cards fit on a page and say what those in HTML say.
func TestPDF(t *testing.T) {
	words := strings.Repeat("academic ", 33)
	for _, c := range []card.Card{newCard(words, strings.ToUpper(words)), newCard("keymat1"+strings.Repeat("q", 77), "0")} {
		for _, c.FIPS = range []bool{false, true} {
			c.KeySpec, c.Fingerprint = "ECC_NIST_EDWARDS25519", "spki-sha256:"+strings.Repeat("01", 32)
			page := writePDF(t, c)
			if got := bytes.Count(page, []byte("/Type /Page\n")); got != 1 {
				t.Errorf("%d pages", got)
			}
			text := shown(page)
			want := []string{"Share 2 of 5", "Any 3 open the escrow. This page is secret.", "Do not photograph", "00112233", "ECC_NIST_EDWARDS25519 material", "Signature", "keymat test"}
			if c.FIPS {
				want = append(want, "HKDF-SHA-256", "jq -cj 'del(.ciphertext, .ciphertext_sha256)' FILE.escrow")
			} else {
				want = append(want, "jq -r .ciphertext FILE.escrow | base64 -d | age -d | jq -r .material | base64 -d > FILE.key")
			}
			for _, w := range want {
				if !strings.Contains(text, w) {
					t.Errorf("the card does not say %q, but %s", w, text)
				}
			}
			if strings.Contains(text, "Bech32m") == strings.Contains(text, "SLIP-39") {
				t.Error("the card tells how to open another escrow")
			}
		}
	}
}

// TestPDFQR: the first bar of the code, at its place and of its size. integration
// reads one with zbar.
func TestPDFQR(t *testing.T) {
	page := writePDF(t, newCard("academic acid", "0"))
	const module = 72.0 * 4 / 150 // points
	bar := regexp.MustCompile(`[0-9.]+ [0-9.]+ ([0-9.]+) -?([0-9.]+) re f`).FindSubmatch(page)
	if bar == nil {
		t.Fatal("the card has no code")
	}
	if got, want := fmt.Sprintf("%s x %s", bar[1], bar[2]), fmt.Sprintf("%.2f x %.2f", 7*module, module); got != want {
		t.Errorf("the first bar is %s, want %s", got, want)
	}
}

func TestPDFTooLong(t *testing.T) {
	var b bytes.Buffer
	if err := newCard("academic acid", strings.Repeat("x", 5000)).WritePDF(&b); err == nil || b.Len() > 0 {
		t.Errorf("error %v, %d bytes", err, b.Len())
	}
}
