// SPDX-License-Identifier: Apache-2.0

package card_test

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/internal/card"
)

func newForm() card.Form {
	return card.Form{
		Ceremony: "payments-2026", Title: "Payments", PlanSHA256: strings.Repeat("0a", 32), Person: "custodian-2", Name: "Grace <Hopper>",
		Shares: []int{2, 4}, Threshold: 3, Count: 5, Places: 33, Of: "word", Made: time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC), By: "keymat test",
	}
}

func form(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if outside := regexp.MustCompile(`(?i)<script|<img|<a |url\(http|@import|<Hopper`).FindString(page); outside != "" {
		t.Errorf("the form has %q", outside)
	}
	if !strings.Contains(page, "<svg ") {
		t.Error("the form has no code")
	}
	return page
}

func TestAcknowledgement(t *testing.T) {
	f := newForm()
	page := form(t, f.WriteAcknowledgement)
	for _, want := range []string{
		"<title>Acknowledgement of a custodian</title>", "kept with the evidence of payments-2026", "Grace &lt;Hopper&gt; (custodian-2)", "2, 4 of 5; any 3 open the escrow",
		"SHA-256 " + f.PlanSHA256, "I know that 3 shares together", "Signature of the witness",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the form has no %q", want)
		}
	}
}

func TestBlank(t *testing.T) {
	f := newForm()
	f.Shares, f.Rehearsal = []int{2}, true
	page := form(t, f.WriteBlank)
	for _, want := range []string{"<title>REHEARSAL: Share 2 of 5</title>", "this page is secret", "Write each word as the screen shows it"} {
		if !strings.Contains(page, want) {
			t.Errorf("the form has no %q", want)
		}
	}
	if got := strings.Count(page, "<li>&nbsp;</li>"); got != 33 {
		t.Errorf("there are %d places, want 33", got)
	}
}
