// SPDX-License-Identifier: Apache-2.0

package rehearsal_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/material"
)

const keyARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

var tool = transcript.Tool{Version: "v1.0.0", Go: "go1.26", Platform: "linux/amd64"}

// draft is a plan as somebody has filled it in, but for the keys of people. It
// works where FIPS 140-3 is enforced.
func draft(t *testing.T, sketch plan.Sketch, oldAndNew ...string) string {
	t.Helper()
	sketch.File, sketch.ID, sketch.Title = "plan.yaml", "payments-2026", "Payments: the root key"
	sketch.Date = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	if sketch.Spec == "" {
		sketch.Spec = material.SymmetricDefault
	}
	if sketch.Count == 0 {
		sketch.Threshold, sketch.Count = 2, 3
	}
	if sketch.Keys == nil {
		sketch.Keys = []string{keyARN}
	}
	drafted, err := plan.Draft(sketch)
	if err != nil {
		t.Fatal(err)
	}
	text := string(drafted)
	for _, pair := range [][2]string{{"profile: quorum ", "profile: fips-quorum "}, {"key_spec: RSA_4096", "key_spec: RSA_2048"}} {
		text = strings.ReplaceAll(text, pair[0], pair[1])
	}
	for i := 0; i < len(oldAndNew); i += 2 {
		changed := strings.ReplaceAll(text, oldAndNew[i], oldAndNew[i+1])
		if changed == text {
			t.Fatalf("the plan has no %q", oldAndNew[i])
		}
		text = changed
	}
	return text
}

func read(t *testing.T, text string) *plan.Plan {
	t.Helper()
	p, err := plan.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// publicKey is that of somebody, as a .pub file has it.
func publicKey(t *testing.T, who string) (ssh.PublicKey, string) {
	t.Helper()
	seed := sha256.Sum256([]byte(who))
	signer, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		t.Fatal(err)
	}
	return signer.PublicKey(), strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
}
