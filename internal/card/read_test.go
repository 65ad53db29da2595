// SPDX-License-Identifier: Apache-2.0

package card_test

import (
	"strings"
	"testing"

	"github.com/keymat/keymat/internal/card"
)

// TestText reads from the page what was printed on it.
func TestText(t *testing.T) {
	for _, text := range []string{"academic acid acne", "keymat1qqqq5"} {
		page := []byte(write(t, newCard(text, "0")))
		for _, page := range [][]byte{page, writePDF(t, newCard(text, "0"))} {
			if !card.Is(page) {
				t.Errorf("%.100q is no card", page)
			}
			got := string(card.Text(page))
			if text == "keymat1qqqq5" {
				got = strings.ReplaceAll(got, " ", "")
			}
			if got != text {
				t.Errorf("got %q, want %q", got, text)
			}
		}
	}
	for _, other := range []string{"", "academic acid acne", "<!DOCTYPE html><p>The share</p>", "%PDF-1.3\nacademic", "%PDF-1.3\n%keymat share"} {
		if card.Is([]byte(other)) || len(card.Text([]byte(other))) != 0 {
			t.Errorf("%q is read as a card", other)
		}
	}
}
