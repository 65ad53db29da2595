// SPDX-License-Identifier: Apache-2.0

package rehearsal_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/rehearsal"
)

const practiceARN = "arn:aws:kms:eu-central-1:111122223333:key/practice"

// practice is what takes the place of the real thing in these tests.
func practice(t *testing.T) rehearsal.Practice {
	p := rehearsal.Practice{Keys: map[string]ssh.PublicKey{}, Targets: map[string]string{"primary": practiceARN}}
	for _, id := range []string{"lead", "operator-1", "witness", "fetcher-1", "fetcher-2"} {
		p.Keys[id], _ = publicKey(t, "simulated "+id)
	}
	return p
}

// TestPractice: nothing but what must not be real is another, to the letter.
func TestPractice(t *testing.T) {
	_, real := publicKey(t, "lead")
	for name, change := range map[string][]string{
		"no keys":                     nil,
		"a key":                       {"roles: [lead]", "roles: [lead]\n    key: " + real},
		"a key in quotation marks":    {"roles: [lead]", "roles: [lead]\n    key: '" + real + "' # that of March"},
		"letters beyond ASCII before": {"name: NAME OF THE LEAD\n    roles: [lead]", "name: Željko Ćosić\n    roles: [lead]\n    key: \"" + real + "\""},
		"people on one line":          {"  - id: lead\n    name: NAME OF THE LEAD\n    roles: [lead]\n", "  - {id: lead, name: \"Zoë, née Łoś\", roles: [lead], key: " + real + "}\n"},
		"people on one line, no key":  {"  - id: lead\n    name: NAME OF THE LEAD\n    roles: [lead]\n", "  - {id: lead, name: Zoë, roles: [lead]}\n"},
		"the key first":               {"  - id: lead\n", "  - key: " + real + "\n    id: lead\n"},
		"the target in quotes":        {"key: " + keyARN, "key: \"" + keyARN + "\"   # of the team"},
	} {
		t.Run(name, func(t *testing.T) {
			own := read(t, draft(t, plan.Sketch{}, change...))
			got, err := practice(t).Plan(own)
			if err != nil {
				t.Fatal(err)
			}
			if !got.Rehearsal || got.Targets[0].Key != practiceARN {
				t.Errorf("rehearsal %t, target %s", got.Rehearsal, got.Targets[0].Key)
			}
			for _, change := range plan.Diff(own, got) {
				if path := change.Path; path != "rehearsal" && path != "targets[primary].key" && !strings.HasPrefix(path, "people[") {
					t.Errorf("%s is another: %q, was %q", path, change.After, change.Before)
				}
			}
			if changed, most := changedLines(own, got), 2+2*len(practice(t).Keys); changed > most {
				t.Errorf("%d lines are others, want %d at most", changed, most)
			}
			if strings.Count(string(got.Message()), "#") < strings.Count(string(own.Message()), "#") {
				t.Error("comments are missing")
			}
		})
	}
}

// changedLines counts the lines of the second that the first has not.
func changedLines(a, b *plan.Plan) (n int) {
	for line := range strings.Lines(string(b.Message())) {
		if !strings.Contains(string(a.Message()), line) {
			n++
		}
	}
	return n
}

func TestPracticeOf(t *testing.T) {
	two, err := rehearsal.Practice{Session: plan.TwoDay}.Plan(read(t, draft(t, plan.Sketch{})))
	if e, ok := errors.AsType[*rehearsal.UnfitError](err); !ok || two != nil || !strings.Contains(e.Error(), ": people[lead], ") {
		t.Errorf("error %v, want one that people have no keys", err)
	}
	p := practice(t)
	p.Session = plan.TwoDay
	if got, err := p.Plan(read(t, draft(t, plan.Sketch{}))); err != nil || got.Session != plan.TwoDay {
		t.Errorf("got %+v, error %v", got, err)
	}
	token := read(t, draft(t, plan.Sketch{Token: "ceremony"}))
	if _, err := p.Plan(token); !errors.As(err, new(*rehearsal.TokenError)) {
		t.Errorf("a plan with a token: error %v, want a TokenError", err)
	}
	unfit := read(t, draft(t, plan.Sketch{}, "threshold: 2", "threshold: 9"))
	if _, err := p.Plan(unfit); fmt.Sprint(err) != "no ceremony can be held by this plan, nor rehearsed: shares.threshold" {
		t.Errorf("error %v", err)
	}
	folded := read(t, draft(t, plan.Sketch{}, "key: "+keyARN, "key:\n      "+keyARN))
	if got, err := p.Plan(folded); err != nil || got.Targets[0].Key != practiceARN {
		t.Errorf("error %v", err)
	}
}
