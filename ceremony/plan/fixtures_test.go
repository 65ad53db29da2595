// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/material"
)

const keyARN = "arn:aws:kms:eu-central-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"

var sketch = plan.Sketch{
	File: "plan.yaml", ID: "payments-2026", Title: "Payments: the root key", Date: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
	Spec: material.SymmetricDefault, Threshold: 3, Count: 5, Keys: []string{keyARN},
}

// keyOf is the ssh key of a person in tests.
func keyOf(id string) ssh.Signer {
	seed := sha256.Sum256([]byte(id))
	signer, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		panic(err)
	}
	return signer
}

// text is a plan in which nothing is wrong: the draft, with a key for each.
func text(t *testing.T) string {
	t.Helper()
	drafted, err := plan.Draft(sketch)
	if err != nil {
		t.Fatal(err)
	}
	return withKeys(string(drafted))
}

func withKeys(drafted string) string {
	var b strings.Builder
	id := ""
	for line := range strings.Lines(drafted) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "- id: "); ok {
			id = name
		}
		if strings.HasPrefix(line, "    # key: ") {
			line = "    key: " + string(ssh.MarshalAuthorizedKey(keyOf(id).PublicKey()))
		}
		b.WriteString(line)
	}
	return b.String()
}

func read(t *testing.T, text string) *plan.Plan {
	t.Helper()
	p, err := plan.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// with is the text with replacements, each of which has to change something.
func with(t *testing.T, text string, oldAndNew ...string) string {
	t.Helper()
	for i := 0; i < len(oldAndNew); i += 2 {
		changed := strings.ReplaceAll(text, oldAndNew[i], oldAndNew[i+1])
		if changed == text {
			t.Fatalf("the plan has no %q", oldAndNew[i])
		}
		text = changed
	}
	return text
}
