// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/keymat/keymat/mockkms"
)

// The file in the documentation is one.
func TestDocumentedPrincipals(t *testing.T) {
	page, err := os.ReadFile("../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```json\n(.*?keymat/principals.*?)```").FindSubmatch(page)
	if block == nil {
		t.Fatal("there is none")
	}
	list, err := parsePrincipals(block[1])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mockkms.NewPrincipals(list...); err != nil {
		t.Error(err)
	}
}

// FuzzPrincipals: what is no file of principals is refused without a word of
// what is in it.
func FuzzPrincipals(f *testing.F) {
	f.Add([]byte(`{"kind": "keymat/principals", "version": 1, "principals": [{"arn": "a", "secret_access_key": "s3cr3t", "tags": {"a": "b"}, "policies": [{}]}]}`))
	f.Add([]byte(`{"kind": "keymat/principals", "version": 1, "principals": [{"arn": "a", "secret_access_key": 5}]}`))
	f.Add([]byte(`{"kind": "keymat/principals", "version": 1, "principals": [{"secret": "s3cr3t"}], "more": {}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, err := parsePrincipals(raw)
		if (err == nil) != (len(list) > 0) {
			t.Errorf("%d principals and %v", len(list), err)
		}
		if err != nil && strings.Contains(err.Error(), "s3cr3t") && !strings.Contains(string(raw), `s3cr3t":`) {
			t.Errorf("the error quotes a value: %v", err)
		}
	})
}
