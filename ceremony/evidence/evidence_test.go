// SPDX-License-Identifier: Apache-2.0

package evidence_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
)

func TestNames(t *testing.T) {
	for got, want := range map[string]string{
		evidence.RecordFile(1):                               "transcript.jsonl",
		evidence.RecordFile(2):                               "transcript-2.jsonl",
		evidence.HeadFile(1):                                 "head.json",
		evidence.HeadFile(3):                                 "head-3.json",
		evidence.EscrowFile("0a1b"):                          "0a1b.escrow",
		evidence.SealFile("0a1b"):                            "seal-0a1b.json",
		evidence.ShareFile("0a1b", 3, 1):                     "share-3-0a1b.age",
		evidence.ShareFile("0a1b", 3, 2):                     "share-3-0a1b-2.age",
		evidence.RandomnessName(1):                           "randomness.json",
		evidence.RandomnessName(2):                           "randomness-2.json",
		evidence.BundleFile(1):                               "bundle-1.json",
		evidence.ParametersFile(2, "primary"):                "params-2-primary.json",
		evidence.PackageFile(1):                              "package-1.json",
		evidence.WrappedFile(2, "primary"):                   "wrapped-2-primary.json",
		evidence.SignatureFile(evidence.HeadFile(2), "lead"): "head-2.json.lead.sig",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// newFolder has files of these contents, by their names.
func newFolder(t *testing.T, contents map[string]string) evidence.Folder {
	t.Helper()
	folder := t.TempDir()
	for name, content := range contents {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return evidence.Folder(folder)
}

func golden(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "gap", "testdata", "v1", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestRead(t *testing.T) {
	f := newFolder(t, map[string]string{
		"plan.yaml": golden(t, "plan.yaml"), "plan.yaml.lead.sig": "one", "plan.yaml.witness.sig": "two", "plan.yaml.orig": "x", "head.json.lead.sig": "x",
		"bundle-10.json": golden(t, "bundle.json"), "bundle-2.json": "{}", "bundle-02.json": "x", "bundle-2.json.lead.sig": "x",
		"package-1.json": golden(t, "package.json"), "seal-0a.json": golden(t, "seal.json"), "gap.manifest": golden(t, "gap.manifest"),
		"transcript.jsonl": "damaged\n", "transcript-2.jsonl": "", "transcript-4.jsonl": "",
	})
	p, err := f.Plan()
	if err != nil || p.ID == "" {
		t.Fatalf("plan %v, error %v", p, err)
	}
	signatures, err := f.Signatures(evidence.PlanFile)
	if err != nil || len(signatures) != 2 || signatures[0].Signer != "lead" || string(signatures[1].Armoured) != "two" {
		t.Errorf("signatures %v, error %v", signatures, err)
	}
	if records, err := f.Records(); err != nil || len(records) != 2 || len(records[0].Faults) == 0 {
		t.Errorf("records %v, error %v; the third is missing", records, err)
	}
	if numbers, err := f.Bundles(); err != nil || !slices.Equal(numbers, []int{2, 10}) {
		t.Errorf("bundles %v, error %v", numbers, err)
	}
	if numbers, err := f.Packages(); err != nil || !slices.Equal(numbers, []int{1}) {
		t.Errorf("packages %v, error %v", numbers, err)
	}
	if _, content, err := f.Bundle(10); err != nil || string(content) != golden(t, "bundle.json") {
		t.Errorf("the bundle reads as %q, error %v", content, err)
	}
	if _, _, err := f.Package(1); err != nil {
		t.Error(err)
	}
	if _, _, err := f.Seal("0a"); err != nil {
		t.Error(err)
	}
	if _, err := f.Manifest(); err != nil {
		t.Error(err)
	}
}

func TestUnreadable(t *testing.T) {
	f := newFolder(t, map[string]string{"plan.yaml": "id: [", "bundle-1.json": "{}"})
	if _, err := f.Plan(); err == nil || !strings.HasPrefix(err.Error(), f.Path("plan.yaml")+": ") {
		t.Errorf("error %v", err)
	}
	_, _, err := f.Bundle(1)
	if e, ok := errors.AsType[*gap.FileError](err); !ok || e.Kind != gap.KindBundle {
		t.Errorf("error %v", err)
	}
	if _, _, err := f.Bundle(2); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if f.Has("bundle-2.json") || !f.Has("bundle-1.json") {
		t.Error("Has is wrong about what is there")
	}
	if _, err := evidence.Folder(f.Path("none")).Signatures(evidence.PlanFile); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}
