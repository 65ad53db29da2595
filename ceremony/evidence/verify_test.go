// SPDX-License-Identifier: Apache-2.0

package evidence_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/evidence/evidencetest"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

func verified(t *testing.T, f evidence.Folder) *evidence.Findings {
	t.Helper()
	v, err := f.Verify()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// texts are findings as they are told.
func texts(all []evidence.Finding) (told []string) {
	for _, f := range all {
		told = append(told, f.String())
	}
	return told
}

func wants(t *testing.T, what string, all []evidence.Finding, want ...string) {
	t.Helper()
	if got := texts(all); !slices.Equal(got, want) {
		t.Errorf("%s:\n\t%s\nwant\n\t%s", what, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func copyFolder(t *testing.T, f evidence.Folder) evidence.Folder {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, f.FS()); err != nil {
		t.Fatal(err)
	}
	return evidence.Folder(to)
}

func TestVerifyWhole(t *testing.T) {
	for name, replacements := range map[string][]string{"real": nil, "rehearsal": {"rehearsal: false", "rehearsal: true"}} {
		t.Run(name, func(t *testing.T) {
			c := evidencetest.Whole(t, t.TempDir(), replacements...)
			v := verified(t, c.Folder)
			wants(t, "problems", v.Problems)
			wants(t, "remarks", v.Remarks)
			if got := v.State.Progress(); got != "VERIFIED 2 of 2" {
				t.Errorf("the ceremony is at %s", got)
			}
			if len(v.Records) != 2 || !plan.Approved(v.Approvals) || !plan.Approved(v.Records[1].Signers) {
				t.Errorf("records %+v, approvals %+v", v.Records, v.Approvals)
			}
			var kinds []string
			for _, a := range v.Artefacts {
				kinds = append(kinds, a.What)
			}
			want := []string{"escrow", "seal record", "bundle", "import parameters", "import parameters", "package", "wrapped material", "wrapped material"}
			if !slices.Equal(kinds, want) {
				t.Errorf("artefacts %v, want %v", kinds, want)
			}
		})
	}
}

func TestVerifyEventful(t *testing.T) {
	f := evidencetest.Eventful(t, t.TempDir()).Folder
	v := verified(t, f)
	wants(t, "problems", v.Problems)
	wants(t, "remarks", v.Remarks, "left-at-home.txt: transcript.jsonl names it in line 27, and it is not in the folder")
	if got := v.State.Progress(); got != "IMPORTED 1 of 2" {
		t.Errorf("the ceremony is at %s", got)
	}
	void := v.State.Escrows()[0].ID
	if err := os.Remove(f.Path(void + ".escrow")); err != nil {
		t.Fatal(err)
	}
	v = verified(t, f)
	wants(t, "problems", v.Problems)
	wants(t, "remarks", v.Remarks[:1], void+".escrow: transcript.jsonl names it in line 5; the escrow was given up, and it is not in the folder")
}

// TestVerifyMutants changes one thing in the folder at a time. The integration
// tests ask the script that works without keymat about a thousand.
func TestVerifyMutants(t *testing.T) {
	whole := evidencetest.Whole(t, t.TempDir()).Folder
	other := evidencetest.Whole(t, t.TempDir(), "payments-2026", "payments-2027").Folder
	r := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		f := copyFolder(t, whole)
		what := evidencetest.Mutate(t, r, string(f), string(other))
		if v := verified(t, f); len(v.Problems) == 0 {
			t.Errorf("%s: nothing was found", what)
		}
	}
}

// TestEveryFileCounts takes each file away, and changes a letter of it.
func TestEveryFileCounts(t *testing.T) {
	whole := evidencetest.Whole(t, t.TempDir()).Folder
	entries, err := os.ReadDir(string(whole))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		content, err := whole.Read(name, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(whole.Path(name)); err != nil {
			t.Fatal(err)
		}
		if v := verified(t, whole); len(v.Problems) == 0 {
			t.Errorf("%s is not missed", name)
		}
		changed := bytes.Clone(content)
		changed[len(content)/2] ^= 1
		for _, put := range [][]byte{changed, content} {
			if err := os.WriteFile(whole.Path(name), put, 0o600); err != nil {
				t.Fatal(err)
			}
			if v := verified(t, whole); (len(v.Problems) > 0) != (&put[0] == &changed[0]) {
				t.Errorf("%s changed: %v", name, v.Problems)
			}
		}
	}
}

// TestVerifyOpen looks at a ceremony that is not over: after each line it
// verifies, and says so.
func TestVerifyOpen(t *testing.T) {
	c := evidencetest.New(t, t.TempDir())
	wants(t, "before it begins", verified(t, c.Folder).Problems, "transcript.jsonl: missing", "allowed_signers: missing")
	c.Open(transcript.OfflineMachine)
	c.Pass(plan.GateOpen)
	const open = "transcript.jsonl: the record is not closed: lines may be missing at its end"
	v := verified(t, c.Folder)
	wants(t, "open", v.Problems)
	wants(t, "open", v.Remarks, open, "transcript.jsonl: no machine has recorded a step: that is a record kept by hand, and there is nothing to hold against the rules")
	c.Make()
	c.Cut()
	c.Seal()
	v = verified(t, c.Folder)
	wants(t, "sealed", v.Problems)
	wants(t, "sealed", v.Remarks, open)
	if got := v.State.Phase(); got != phase.Sealed {
		t.Errorf("the ceremony is at %v", got)
	}
}

func TestVerifyTells(t *testing.T) {
	whole := evidencetest.Whole(t, t.TempDir())
	id := ""
	for _, e := range verified(t, whole.Folder).State.Escrows() {
		id = e.ID
	}
	write := func(t *testing.T, f evidence.Folder, name, content string) {
		t.Helper()
		if err := os.WriteFile(f.Path(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	remove := func(t *testing.T, f evidence.Folder, names ...string) {
		t.Helper()
		for _, name := range names {
			if err := os.Remove(f.Path(name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, test := range map[string]struct {
		change   func(*testing.T, evidence.Folder)
		problems []string
		remarks  []string
	}{
		"something else":        {func(t *testing.T, f evidence.Folder) { write(t, f, "holiday.jpg", "x") }, nil, []string{"holiday.jpg: nothing in the records vouches for it"}},
		"a bundle not accepted": {func(t *testing.T, f evidence.Folder) { write(t, f, "bundle-2.json", "x") }, nil, []string{"bundle-2.json: nothing in the records vouches for it"}},
		"a record after a gap":  {func(t *testing.T, f evidence.Folder) { write(t, f, "transcript-4.jsonl", "x") }, []string{"transcript-4.jsonl: the record before it is missing"}, nil},
		"a head too many":       {func(t *testing.T, f evidence.Folder) { write(t, f, "head-3.json", "x") }, []string{"head-3.json: its record is missing, or not closed"}, nil},
		"an approval gone":      {func(t *testing.T, f evidence.Folder) { remove(t, f, "plan.yaml.lead.sig") }, []string{"plan.yaml: lead has not signed"}, nil},
		"a fetcher's word gone": {func(t *testing.T, f evidence.Folder) { remove(t, f, "bundle-1.json.fetcher-2.sig") }, []string{"bundle-1.json: fetcher-2 has not signed"}, nil},
		"a seal not signed":     {func(t *testing.T, f evidence.Folder) { remove(t, f, "seal-"+id+".json.witness.sig") }, []string{"seal-" + id + ".json: witness has not signed"}, nil},
		"the escrow gone":       {func(t *testing.T, f evidence.Folder) { remove(t, f, id+".escrow") }, []string{id + ".escrow: missing"}, nil},
		"no plan":               {func(t *testing.T, f evidence.Folder) { remove(t, f, "plan.yaml") }, []string{"plan.yaml: missing"}, nil},
		"a plan that is none":   {func(t *testing.T, f evidence.Folder) { write(t, f, "plan.yaml", "x\n") }, []string{"plan.yaml: 1:1: not a mapping"}, nil},
		"signers of records": {func(t *testing.T, f evidence.Folder) {
			p, err := f.Plan()
			if err != nil {
				t.Fatal(err)
			}
			write(t, f, "allowed_signers", string(p.AllowedSigners(plan.Namespace, transcript.Namespace)))
		}, []string{"allowed_signers: not the people and keys of the plan"}, nil},
		"signers of another": {func(t *testing.T, f evidence.Folder) { write(t, f, "allowed_signers", "x\n") }, []string{"allowed_signers: not the people and keys of the plan"}, nil},
		"a stranger's signature": {func(t *testing.T, f evidence.Folder) { write(t, f, "head.json.mallory.sig", "x\n") },
			[]string{"head.json: mallory is nobody of the plan"}, nil},
		"half a manifest": {func(t *testing.T, f evidence.Folder) { write(t, f, "gap.manifest", "{\n") }, []string{"gap.manifest: keymat/gap: not JSON"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := copyFolder(t, whole.Folder)
			test.change(t, f)
			v := verified(t, f)
			wants(t, "problems", v.Problems, test.problems...)
			wants(t, "remarks", v.Remarks, test.remarks...)
		})
	}
}

// TestVerifyFalse plays ceremonies whose files are whole and signed, and do not
// agree with one another or with the rules.
func TestVerifyFalse(t *testing.T) {
	begin := func(t *testing.T) *evidencetest.Ceremony {
		t.Helper()
		c := evidencetest.New(t, t.TempDir())
		c.Open(transcript.OfflineMachine)
		c.Pass(plan.GateOpen)
		c.Make()
		return c
	}
	for name, test := range map[string]struct {
		play func(*testing.T, *evidencetest.Ceremony)
		want string // the first problem
	}{
		"destroyed too early": {func(_ *testing.T, c *evidencetest.Ceremony) { c.Add("operator-1 witness", transcript.Destroyed{}) },
			"transcript.jsonl: line 6: destroy is against rule N1"},
		"a share in another bag": {func(_ *testing.T, c *evidencetest.Ceremony) { c.Bags = "X-"; c.Seal() },
			": share 1 was not read back into the bag that it names"},
		"an old line bound": {func(_ *testing.T, c *evidencetest.Ceremony) { c.Binds = transcript.Digest{1}; c.Seal() },
			": it binds no line of the record before its own"},
		"another deadline": {func(_ *testing.T, c *evidencetest.Ceremony) { c.Seal(); c.Deadline = "2026-12-24T00:00:00Z"; c.Fetch() },
			"bundle-1.json: its import tokens end at 2026-12-02T09:00:00Z, and its line says 2026-12-24T00:00:00Z"},
		"another token": {func(_ *testing.T, c *evidencetest.Ceremony) { c.Seal(); c.Fetch(); c.Token = "stolen"; c.Wrap() },
			"wrapped-1-primary.json: not wrapped with what the bundle brought for primary"},
		"another seal": {func(_ *testing.T, c *evidencetest.Ceremony) {
			c.Seal()
			c.Fetch()
			c.Sealed = transcript.Digest{1}
			c.Wrap()
		},
			"package-1.json: it binds another seal record than that of its escrow"},
		"other material": {func(_ *testing.T, c *evidencetest.Ceremony) {
			c.Seal()
			c.Fetch()
			c.Print = "cmac:0000000000"
			c.Wrap()
		},
			"package-1.json: it names other material than the record"},
		"other bytes sent": {func(_ *testing.T, c *evidencetest.Ceremony) {
			c.Seal()
			c.Fetch()
			c.Wrap()
			c.Leave()
			c.Open(transcript.ImportMachine)
			c.Pass(plan.GateImport)
			c.Bytes = "others"
			c.Submit("primary")
		}, "transcript-2.jsonl: line 3: what was sent to primary is not what was wrapped for it"},
	} {
		t.Run(name, func(t *testing.T) {
			c := begin(t)
			test.play(t, c)
			problems := texts(verified(t, c.Folder).Problems)
			if len(problems) == 0 || !strings.Contains(problems[0], test.want) {
				t.Errorf("got %v, want %q", problems, test.want)
			}
		})
	}
}

// TestVerifyUnreadable: what the operating system says is no finding.
func TestVerifyUnreadable(t *testing.T) {
	f := evidencetest.Whole(t, t.TempDir()).Folder
	if err := os.Remove(f.Path("head.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(string(f), "head.json"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Verify(); err == nil {
		t.Error("a folder was read as a file")
	}
}
