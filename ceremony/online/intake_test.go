// SPDX-License-Identifier: Apache-2.0

package online_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/online"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/token"
)

// TestMediumRefused: what comes on a medium that is not what it should be does not
// get into the folder, and nothing is recorded.
func TestMediumRefused(t *testing.T) {
	t.Parallel()
	remove := func(t *testing.T, folder, name string) {
		if err := os.Remove(filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]struct {
		change func(t *testing.T, b *bench, medium string)
		want   string // MEDIUM and FOLDER stand for the paths
	}{
		"extra": {func(t *testing.T, _ *bench, medium string) { write(t, medium, "autorun.inf", nil) },
			"the medium is not what its manifest says: extra: autorun.inf"},
		"missing": {func(t *testing.T, _ *bench, medium string) { remove(t, medium, "wrapped-1-primary.json") },
			"the medium is not what its manifest says: missing: wrapped-1-primary.json"},
		"altered": {func(t *testing.T, _ *bench, medium string) { write(t, medium, "package-1.json", []byte("{}")) },
			"the medium is not what its manifest says: altered: package-1.json"},
		"unfinished": {func(t *testing.T, _ *bench, medium string) { remove(t, medium, gap.ManifestFile) },
			"reading MEDIUM/gap.manifest: no such file or directory"},
		"of another plan": {func(t *testing.T, b *bench, medium string) {
			b.desk.plan = read(t, strings.Replace(b.text, "Payments: the root key", "Another", 1))
			b.desk.lists(t, medium)
		}, `MEDIUM/gap.manifest: it is of the ceremony "payments-2026" by another plan than this`},
		"of a rehearsal": {func(t *testing.T, b *bench, medium string) {
			b.desk.plan = read(t, strings.Replace(b.text, "rehearsal: false", "rehearsal: true", 1))
			b.desk.lists(t, medium)
		}, `MEDIUM/gap.manifest: it comes of a rehearsal, and can never be used for a real key`},
		"that of the fetchers": {func(t *testing.T, b *bench, _ string) { b.people.media = []string{b.fetch(t)} },
			`direction is "in", want "out"`},
		"another file than the one known here": {func(t *testing.T, b *bench, _ string) { write(t, b.importing, "head.json", []byte("{}")) },
			"FOLDER/head.json: head.json is not the file that was recorded"},
		"a record that was cut": {func(t *testing.T, b *bench, medium string) {
			lines := bytes.SplitAfter(readFile(t, medium, "transcript.jsonl"), []byte("\n"))
			write(t, medium, "transcript.jsonl", bytes.Join(lines[:len(lines)-6], nil))
			b.desk.lists(t, medium)
		}, "the medium brings nothing new to import: by what is on it, the ceremony is at SEALED"},
		"other bytes than were packed": {func(t *testing.T, b *bench, medium string) {
			write(t, medium, "wrapped-1-primary.json", append(readFile(t, medium, "wrapped-1-primary.json"), ' '))
			b.desk.lists(t, medium)
		}, "MEDIUM/wrapped-1-primary.json: wrapped-1-primary.json is not the file that was recorded"},
		"another package than was recorded": {func(t *testing.T, b *bench, medium string) {
			write(t, medium, "package-1.json", bytes.Replace(readFile(t, medium, "package-1.json"), []byte(`"fingerprint": "cmac:`), []byte(`"fingerprint": "hmac:`), 1))
			b.desk.lists(t, medium)
		}, "there is no package with the SHA-256 DIGEST, which was wrapped for primary: file does not exist"},
		"signed by somebody else": {func(t *testing.T, b *bench, medium string) {
			write(t, medium, "package-1.json.lead.sig", readFile(t, medium, "package-1.json.witness.sig"))
			b.desk.lists(t, medium)
		}, "MEDIUM/package-1.json: lead signed with the key SHA256:"},
		"somebody is absent": {func(_ *testing.T, b *bench, _ string) { b.people.absent = []string{"witness"} },
			"begin is not done without witness"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := withKey(t)
				out := b.desk.session(t, b.fetch(t))
				b.people.media = []string{out}
				tt.change(t, b, out)
				before := list(t, b.importing)
				m := b.open(t)
				err := m.Perform(t.Context(), b.people, m.Agenda().Here[0])
				digest := gap.FileOf("", readFile(t, b.desk.folder, "package-1.json")).SHA256.String()
				got := strings.NewReplacer(out, "MEDIUM", b.importing, "FOLDER", digest, "DIGEST").Replace(text(err))
				if !strings.HasPrefix(got, tt.want) || tt.want == "" {
					t.Errorf("got  %s\nwant %s", got, tt.want)
				}
				if after := list(t, b.importing); after != before {
					t.Errorf("the folder had %s and has %s", before, after)
				}
			})
		})
	}
}

func read(t *testing.T, text string) *plan.Plan {
	t.Helper()
	p, err := plan.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func list(t *testing.T, folder string) string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return strings.Join(names, " ")
}

// TestHeardWrong: the gate stays shut until the digest is the one that was read out.
func TestHeardWrong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := withKey(t)
		out := b.desk.session(t, b.fetch(t))
		b.people.heard = func(string) string { return strings.Repeat("0", 64) }
		err := b.run(t, out)
		if e, ok := errors.AsType[*gap.HeardError](err); !ok || e.Position != 1 {
			t.Errorf("error %v", err)
		}
		wantEvents(t, b, 2, "open")
		m := b.open(t)
		err = m.Perform(t.Context(), b.people, phase.Task{Step: phase.Submit, Machine: transcript.ImportMachine, Targets: []string{"primary"}})
		if _, ok := errors.AsType[*phase.GateError](err); !ok {
			t.Errorf("error %v", err)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		b.people.heard = nil
		if err := b.run(t); err != nil {
			t.Error(err)
		}
		if n := count(b.calls(), "ImportKeyMaterial"); n != 1 {
			t.Errorf("it was submitted %d times", n)
		}
	})
}

// TestMirror: what is written to the folder is written to its mirror.
func TestMirror(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := withKey(t)
		mirror := quickFolder(t)
		b.people.media = []string{b.desk.session(t, b.fetch(t))}
		b.people.heard = func(what string) string { return b.readOut(t, what) }
		m, err := online.Open(b.importing, []string{mirror}, time.Now, transcript.Tool{}, b.service)
		if err != nil {
			t.Fatal(err)
		}
		for len(m.Agenda().Here) > 0 {
			if err := m.Perform(t.Context(), b.people, m.Agenda().Here[0]); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := list(t, mirror), list(t, b.importing); got != want {
			t.Errorf("the mirror has %s\nand the folder %s", got, want)
		}
		name := evidence.RecordFile(2)
		if !bytes.Equal(readFile(t, mirror, name), readFile(t, b.importing, name)) {
			t.Error("the records differ")
		}
	})
}

// TestOtherMaterialPacked: what was wrapped has to be the material that was sealed.
func TestOtherMaterialPacked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := withKey(t)
		b.desk.packs = func(p *gap.Package) { p.Fingerprint = "cmac:0a1b2c3d4e" }
		err := b.run(t, b.desk.session(t, b.fetch(t)))
		if e, ok := errors.AsType[*gap.MismatchError](err); !ok || e.Field != "fingerprint" {
			t.Errorf("error %v", err)
		}
	})
}

// TestTakenOverInPart: whatever broke off while files came from the medium, taking
// it once more goes on.
func TestTakenOverInPart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := withKey(t)
		out := b.desk.session(t, b.fetch(t))
		for _, name := range []string{"transcript.jsonl", "package-1.json"} {
			write(t, b.importing, name, readFile(t, out, name))
		}
		if err := b.run(t, out); err != nil {
			t.Fatal(err)
		}
	})
}

// TestTornLine: a line that a power cut left half written is told of, and where it
// left a closed record without its head, those who have not signed do.
func TestTornLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := withKey(t)
		b.people.media = []string{b.desk.session(t, b.fetch(t))}
		m := b.open(t)
		if err := errors.Join(m.Perform(t.Context(), b.people, m.Agenda().Here[0]), m.Close()); err != nil {
			t.Fatal(err)
		}
		name := evidence.RecordFile(2)
		write(t, b.importing, name, append(readFile(t, b.importing, name), `{"seq":1,"pr`...))
		if err := b.run(t); err != nil {
			t.Fatal(err)
		}
		wantEvents(t, b, 2, "open", "resume", "confirm", "submit", "import", "verify", "close")
		head := readFile(t, b.importing, "head-2.json")
		for _, name := range []string{"head-2.json", "head-2.json.witness.sig"} {
			if err := os.Remove(filepath.Join(b.importing, name)); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.run(t); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(readFile(t, b.importing, "head-2.json"), head) || !evidence.Folder(b.importing).Has("head-2.json.witness.sig") {
			t.Error("the head is another, or was not signed")
		}
	})
}

// TestRehearsal goes into the mock of this process, and what comes of it is nothing
// that anybody else takes.
func TestRehearsal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := withKey(t, "rehearsal: false ", "rehearsal: true ")
		b.service.Embedded, b.service.Mock, b.service.Endpoint = true, true, ""
		medium := b.fetch(t)
		if _, err := token.ReadParameters(bytes.NewReader(readFile(t, medium, "params-1-primary.json"))); err == nil {
			t.Error("what was fetched in a rehearsal reads as real")
		}
		if err := b.run(t, b.desk.session(t, medium)); err != nil {
			t.Fatal(err)
		}
	})
}

// TestUnsignedPackage: who signs later does not keep the import.
func TestUnsignedPackage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := withKey(t)
		b.desk.signs = false
		if err := b.run(t, b.desk.session(t, b.fetch(t))); err != nil {
			t.Fatal(err)
		}
		if !b.people.hears("lead has not signed package-1.json so far") {
			t.Errorf("people were told %q", b.people.told)
		}
	})
}

// TestOtherMachines: tasks of other machines, and such as nobody knows.
func TestOtherMachines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := withKey(t).open(t)
		for want, task := range map[string]phase.Task{
			"fetch is for the fetch machine, not for the import machine": {Step: phase.Fetch, Machine: transcript.FetchMachine},
			`the import machine knows no step "wrap"`:                    {Step: phase.Wrap, Machine: transcript.ImportMachine},
		} {
			if err := m.Perform(t.Context(), &people{}, task); text(err) != want {
				t.Errorf("got %v, want %s", err, want)
			}
		}
	})
}
