// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/mockkms"
)

// Where policies are enforced, that of an AWS-managed key refuses in the words
// that were recorded, and lets its metadata be read by whom IAM lets.
func TestServiceKeyForPrincipals(t *testing.T) {
	w := newWorld(t, rootUser(), person("able", may("*")), person("nobody"))
	told := must(w.as("able").DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: ptr("alias/aws/sqs")})).KeyMetadata
	if told.KeyManager != "AWS" {
		t.Errorf("the manager is %s", told.KeyManager)
	}
	refusedFor := func(who, operation, kind string) {
		t.Helper()
		got := w.as(who).sendAs(who, operation, `{"KeyId": "`+*told.KeyId+`"}`)
		want := "User: " + userARN(who) + " is not authorized to perform: kms:" + operation + " on resource: " + *told.Arn +
			" because no " + kind + "-based policy allows the kms:" + operation + " action"
		if got.Type != "AccessDeniedException" || got.message() != want {
			t.Errorf("%s of %s: %s %s\nwant %s", operation, who, got.Type, got.message(), want)
		}
	}
	for _, operation := range []string{"EnableKeyRotation", "DisableKeyRotation", "RotateKeyOnDemand"} {
		refusedFor("able", operation, "resource")
	}
	refusedFor("nobody", "DescribeKey", "identity")
	must(w.as("able").GetKeyRotationStatus(t.Context(), &kms.GetKeyRotationStatusInput{KeyId: told.KeyId}))
}

// However many ask for it at once, there is one key, which is there for good.
func TestServiceKeyIsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	describe := func(s *session) string { return s.sendAs(account, "DescribeKey", `{"KeyId": "alias/aws/s3"}`).body }
	s := newSession(t, mockkms.WithStore(must(mockkms.OpenStore(path))))
	told := make([]string, 8)
	var asking sync.WaitGroup
	for i := range told {
		asking.Go(func() { told[i] = describe(s) })
	}
	asking.Wait()
	must(0, s.mock.Close())
	want := describe(newSession(t, mockkms.WithStore(must(mockkms.OpenStore(path)))))
	for _, got := range told {
		if got != want || !strings.Contains(got, `"KeyManager":"AWS"`) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
