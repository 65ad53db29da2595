// SPDX-License-Identifier: Apache-2.0

package rules_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/keymat/keymat/rules"
)

var (
	wellFormed = regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)*/[a-z0-9]+(-[a-z0-9]+)*$`)
	page       = regexp.MustCompile(`^https://docs\.aws\.amazon\.com/[A-Za-z0-9/_-]+\.html$`)
)

// What a rule says of itself is complete, and written alike everywhere.
func TestFormOfRules(t *testing.T) {
	seen := make(map[string]bool)
	group := ""
	for _, r := range rules.All() {
		if !wellFormed.MatchString(r.ID) || seen[r.ID] {
			t.Errorf("ID %q is not well-formed, or not the only one", r.ID)
		}
		seen[r.ID] = true
		if r.Group() != group && seen[r.Group()] {
			t.Errorf("%s: its group is not in one piece", r.ID)
		}
		group = r.Group()
		seen[group] = true
		if !isSentence(r.Statement) || strings.Contains(r.Statement, ". ") {
			t.Errorf("%s: not one sentence: %q", r.ID, r.Statement)
		}
		if !isSentence(r.Why) {
			t.Errorf("%s: why is no sentence: %q", r.ID, r.Why)
		}
		if r.Promise != rules.Documented && r.Promise != rules.Observed {
			t.Errorf("%s: promise %q", r.ID, r.Promise)
		}
		checkSources(t, r)
		if r.Keys < 0 || r.Experiment == nil || strings.HasSuffix(r.Effects, ".") {
			t.Errorf("%s: %d keys, effects %q", r.ID, r.Keys, r.Effects)
		}
		if r.MovesClock != strings.Contains(r.Effects, "moves the clock") {
			t.Errorf("%s: moves the clock: %t, effects %q", r.ID, r.MovesClock, r.Effects)
		}
	}
}

// checkSources demands a page for what is documented, and a recorded answer
// for what was merely observed.
func checkSources(t *testing.T, r rules.Rule) {
	t.Helper()
	pages, answers := 0, 0
	for _, s := range r.Sources {
		switch {
		case page.MatchString(s.URL) && s.Title != "":
			pages++
		case s.URL == "" && strings.HasPrefix(s.Title, "KMS recorded answer, September 2026: "):
			answers++
		default:
			t.Errorf("%s: source %+v", r.ID, s)
		}
	}
	if r.Promise == rules.Documented && pages == 0 || r.Promise == rules.Observed && answers == 0 {
		t.Errorf("%s is %s, by %d pages and %d answers", r.ID, r.Promise, pages, answers)
	}
}

func isSentence(s string) bool {
	return len(s) > 20 && s[:1] == strings.ToUpper(s[:1]) && strings.HasSuffix(s, ".") && !strings.Contains(s, "\n")
}
