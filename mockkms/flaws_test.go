// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

// What the flaws do is for the rules' tests to tell: each breaks the rules that
// it is meant to break, and no other.

func TestFlawsHaveNames(t *testing.T) {
	spelling := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)
	seen := make(map[mockkms.Flaw]bool)
	for _, f := range mockkms.Flaws() {
		if seen[f] || !spelling.MatchString(string(f)) {
			t.Errorf("%q is there twice, or spelt differently", f)
		}
		seen[f] = true
		var read mockkms.Flaw
		if err := read.UnmarshalText([]byte(f)); err != nil || read != f {
			t.Errorf("reading %q: got %q, %v", f, read, err)
		}
	}
	var f mockkms.Flaw
	if err := json.Unmarshal([]byte(`"none-such"`), &f); err == nil || f != "" {
		t.Errorf("reading an unknown name: got %q, %v", f, err)
	}
}

// A flaw is met where it makes a difference, whether the mock has it or not,
// and nowhere else.
func TestWatchFlaws(t *testing.T) {
	var met []mockkms.Flaw
	s := newSession(t, mockkms.WatchFlaws(func(f mockkms.Flaw) { met = append(met, f) }))
	id := s.external(types.KeySpecSymmetricDefault)
	met = nil
	schedule := func(days int32) error {
		_, err := s.ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: aws.String(id), PendingWindowInDays: aws.Int32(days)})
		return err
	}
	if err := schedule(6); err == nil || len(met) != 1 || met[0] != mockkms.FlawAnyWindow {
		t.Errorf("a window of 6 days: %v, met %v", err, met)
	}
	s.mock.SetConditions(mockkms.Conditions{Flaws: []mockkms.Flaw{mockkms.FlawAnyWindow}})
	if err := schedule(6); err != nil || len(met) != 2 {
		t.Errorf("a window of 6 days with the flaw: %v, met %v", err, met)
	}
}
