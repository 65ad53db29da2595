// SPDX-License-Identifier: Apache-2.0

package gap_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/token"
)

const rehearsed = "rehearsal: false"

// TestGolden reads what the first version wrote, and finds that it would be
// written the same today.
func TestGolden(t *testing.T) {
	for _, folder := range []struct {
		prefix string
		plan   []string
	}{{"", nil}, {"rehearsal-", []string{rehearsed, "rehearsal: true"}}} {
		for name, content := range encoded(t, agreed(t, folder.plan...)) {
			t.Run(folder.prefix+name, func(t *testing.T) {
				want := golden(t, folder.prefix+name)
				if !bytes.Equal(content, want) {
					t.Errorf("it would be written differently:\n%s", content)
				}
				if again, err := reread(name, want); err != nil || !bytes.Equal(again, want) {
					t.Errorf("reading it: %v", err)
				}
			})
		}
	}
}

// TestOneSpelling changes each file in ways that JSON would not mind.
func TestOneSpelling(t *testing.T) {
	changes := map[string]func(string) string{
		"cut short":        func(s string) string { return s[:len(s)-2] },
		"something behind": func(s string) string { return s + "{}" },
		"a space":          func(s string) string { return strings.Replace(s, `"kind": `, `"kind":  `, 1) },
		"no newline":       func(s string) string { return strings.TrimSuffix(s, "\n") },
		"an unknown field": func(s string) string { return strings.Replace(s, "{\n", "{\n  \"more\": 1,\n", 1) },
		"a field twice": func(s string) string {
			return strings.Replace(s, "  \"version\": 1,\n", "  \"version\": 1,\n  \"version\": 1,\n", 1)
		},
		"a field missing":     func(s string) string { return strings.Replace(s, "  \"rehearsal\": false,\n", "", 1) },
		"a field's case":      func(s string) string { return strings.Replace(s, `"ceremony"`, `"Ceremony"`, 1) },
		"a later version":     func(s string) string { return strings.Replace(s, `"version": 1`, `"version": 2`, 1) },
		"another kind":        func(s string) string { return strings.Replace(s, `"keymat/`, `"keymat/x`, 1) },
		"another type":        func(s string) string { return strings.Replace(s, `"rehearsal": false`, `"rehearsal": 0`, 1) },
		"the kind alone":      func(s string) string { return strings.Replace(s, `"keymat/`, `"keymat/rehearsal-`, 1) },
		"the field alone":     func(s string) string { return strings.Replace(s, `"rehearsal": false`, `"rehearsal": true`, 1) },
		"a list without end":  func(s string) string { return s + strings.Repeat(" ", gap.MaxArtefact) },
		"upper-case digits":   func(s string) string { return strings.Replace(s, `"plan_sha256": "`, `"plan_sha256": "F`, 1) },
		"escaped punctuation": func(s string) string { return strings.Replace(s, "keymat/", `keymat\/`, 1) },
	}
	for name, content := range encoded(t, agreed(t)) {
		for change, how := range changes {
			t.Run(name+"/"+change, func(t *testing.T) {
				changed := how(string(content))
				if changed == string(content) {
					t.Fatal("it changes nothing")
				}
				if _, err := reread(name, []byte(changed)); err == nil {
					t.Error("it was read")
				}
			})
		}
	}
}

func TestLargest(t *testing.T) {
	for size, want := range map[int]string{gap.MaxArtefact: "keymat/seal: not JSON", gap.MaxArtefact + 1: "keymat/seal: larger than 262144 bytes"} {
		if _, err := gap.ReadSeal(bytes.Repeat([]byte(" "), size)); err == nil || err.Error() != want {
			t.Errorf("%d bytes: got %v, want %s", size, err, want)
		}
	}
}

// TestKindsDiffer gives each reader the files of the others.
func TestKindsDiffer(t *testing.T) {
	all := encoded(t, agreed(t))
	for name := range all {
		for other, content := range all {
			_, err := reread(name, content)
			if (err == nil) != (name == other) {
				t.Errorf("%s read as %s: %v", other, name, err)
			}
		}
	}
}

// TestRehearsal tries to use what comes of a rehearsal for real, and the other
// way round.
func TestRehearsal(t *testing.T) {
	real, practice := agreed(t), agreed(t, rehearsed, "rehearsal: true")
	params, wrapped, sealed := paramsFile(t, practice), wrappedFile(t, practice), escrowFile(t, true)
	if _, err := token.ReadParameters(bytes.NewReader(params)); err == nil {
		t.Error("import parameters of a rehearsal were read as real ones")
	}
	if _, err := token.ReadWrapped(bytes.NewReader(wrapped)); err == nil {
		t.Error("what was wrapped in a rehearsal was read as real")
	}
	if _, err := escrow.Read(bytes.NewReader(sealed)); err == nil {
		t.Error("an escrow of a rehearsal was read as a real one")
	}
	// A forger may call it real in the file that names it, but not in the file itself.
	forged := pack(t, practice)
	forged.Origin = gap.OriginOf(real)
	if _, err := forged.Material(real, "primary", wrapped); !isRehearsal(err) {
		t.Errorf("forged: got %v", err)
	}
	if _, err := pack(t, practice).Material(real, "primary", wrapped); !isRehearsal(err) {
		t.Errorf("package: got %v", err)
	}
	if _, err := pack(t, real).Material(practice, "primary", wrappedFile(t, real)); !isRehearsal(err) {
		t.Errorf("a real package in a rehearsal: got %v", err)
	}
	if _, err := bundle(t, practice).Parameters(real, "primary", params); !isRehearsal(err) {
		t.Errorf("bundle: got %v", err)
	}
	if _, err := seal(t, practice).CheckEscrow(real, "x.escrow", sealed); !isRehearsal(err) {
		t.Errorf("seal: got %v", err)
	}
	if err := gap.OriginOf(practice).CheckReal(); !isRehearsal(err) {
		t.Errorf("got %v", err)
	}
	if err := gap.OriginOf(real).CheckReal(); err != nil {
		t.Error(err)
	}
	for what, err := range map[string]error{
		"bundle":  second(bundle(t, practice).Parameters(practice, "primary", params)),
		"package": second(pack(t, practice).Material(practice, "primary", wrapped)),
		"seal":    second(seal(t, practice).CheckEscrow(practice, "x.escrow", sealed)),
	} {
		if err != nil {
			t.Errorf("%s in its rehearsal: %v", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
