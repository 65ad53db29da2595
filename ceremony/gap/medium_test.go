// SPDX-License-Identifier: Apache-2.0

package gap_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/internal/spoken"
	"github.com/keymat/keymat/internal/sshsig"
)

func medium() fstest.MapFS {
	return fstest.MapFS{"b.json": {Data: []byte("b")}, "a.json": {Data: []byte("a")}, "c.sig": {Data: []byte("c")}}
}

func TestMedium(t *testing.T) {
	p := agreed(t)
	m, err := gap.Collect(medium(), gap.OriginOf(p), gap.In)
	if err != nil {
		t.Fatal(err)
	}
	if want := []gap.File{gap.FileOf("a.json", []byte("a")), gap.FileOf("b.json", []byte("b")), gap.FileOf("c.sig", []byte("c"))}; !slices.Equal(m.Files, want) {
		t.Fatalf("got %+v, want %+v", m.Files, want)
	}
	tests := []struct {
		name  string
		alter func(fstest.MapFS)
		want  string
	}{
		{"as it was", func(fstest.MapFS) {}, ""},
		{"with its manifest", func(m fstest.MapFS) { m[gap.ManifestFile] = &fstest.MapFile{} }, ""},
		{"altered", func(m fstest.MapFS) { m["a.json"].Data = []byte("A") }, "altered: a.json"},
		{"longer", func(m fstest.MapFS) { m["a.json"].Data = []byte("a\n") }, "altered: a.json"},
		{"missing", func(m fstest.MapFS) { delete(m, "c.sig") }, "missing: c.sig"},
		{"extra", func(m fstest.MapFS) { m["._a.json"] = &fstest.MapFile{} }, "extra: ._a.json"},
		{"renamed", func(m fstest.MapFS) { m["d.sig"] = m["c.sig"]; delete(m, "c.sig") }, "extra: d.sig; missing: c.sig"},
		{"a folder", func(m fstest.MapFS) { m["x/y"] = &fstest.MapFile{} }, "extra: x/"},
		{"an empty folder", func(m fstest.MapFS) { m["x"] = &fstest.MapFile{Mode: fs.ModeDir} }, "extra: x/"},
		{"a link", func(m fstest.MapFS) { m["a.json"] = &fstest.MapFile{Data: []byte("b.json"), Mode: fs.ModeSymlink} }, "altered: a.json"},
		{"a link for a manifest", func(m fstest.MapFS) {
			m[gap.ManifestFile] = &fstest.MapFile{Data: []byte("b.json"), Mode: fs.ModeSymlink}
		}, "extra: gap.manifest"},
		{"all at once", func(m fstest.MapFS) {
			m["a.json"].Data = nil
			delete(m, "b.json")
			m["z"] = &fstest.MapFile{}
		}, "extra: z; missing: b.json; altered: a.json"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			altered := medium()
			tt.alter(altered)
			err := m.Check(altered)
			if tt.want == "" {
				if err != nil {
					t.Errorf("got %v", err)
				}
				return
			}
			if want := "the medium is not what its manifest says: " + tt.want; err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

// TestCollectRefuses what a manifest has no place for.
func TestCollectRefuses(t *testing.T) {
	with := medium()
	with["x/y"] = &fstest.MapFile{}
	if _, err := gap.Collect(with, gap.OriginOf(agreed(t)), gap.Out); err == nil || err.Error() != "keymat/gap: files.name: not a plain name" {
		t.Errorf("got %v", err)
	}
}

func TestCheckSigners(t *testing.T) {
	p := agreed(t)
	content, err := bundle(t, p).Encode()
	if err != nil {
		t.Fatal(err)
	}
	signed := func(id, namespace string, what []byte) plan.Signature {
		s, err := sshsig.Sign(what, namespace, signerOf(t, id))
		if err != nil {
			t.Fatal(err)
		}
		return plan.Signature{Signer: id, Armoured: s}
	}
	one, two := signed("fetcher-1", gap.NamespaceBundle, content), signed("fetcher-2", gap.NamespaceBundle, content)
	for name, tt := range map[string]struct {
		signatures []plan.Signature
		good       bool
		people     []string
	}{
		"both":              {[]plan.Signature{two, one}, true, []string{"fetcher-1", "fetcher-2"}},
		"a witness as well": {[]plan.Signature{signed("witness", gap.NamespaceBundle, content), one, two}, true, []string{"fetcher-1", "fetcher-2", "witness"}},
		"one":               {[]plan.Signature{one}, false, []string{"fetcher-1", "fetcher-2"}},
		"one for both":      {[]plan.Signature{one, {Signer: "fetcher-2", Armoured: one.Armoured}}, false, []string{"fetcher-1", "fetcher-2"}},
		"other bytes":       {[]plan.Signature{one, signed("fetcher-2", gap.NamespaceBundle, append(content, '\n'))}, false, []string{"fetcher-1", "fetcher-2"}},
		"another namespace": {[]plan.Signature{one, signed("fetcher-2", gap.NamespacePackage, content)}, false, []string{"fetcher-1", "fetcher-2"}},
		"a stranger":        {[]plan.Signature{one, two, signed("mallory", gap.NamespaceBundle, content)}, false, []string{"fetcher-1", "fetcher-2", "mallory"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := gap.CheckSigners(p, gap.NamespaceBundle, content, tt.signatures)
			var people []string
			for _, a := range got {
				people = append(people, a.Person)
			}
			required := slices.DeleteFunc(slices.Clone(got), func(a plan.Approval) bool { return !a.Required })
			if len(required) != 2 {
				t.Errorf("%d signatures are required, want 2", len(required))
			}
			if plan.Approved(got) != tt.good || !slices.Equal(people, tt.people) {
				t.Errorf("got %+v", got)
			}
		})
	}
	for _, namespace := range []string{gap.NamespacePackage, gap.NamespaceSeal} {
		var all []plan.Signature
		for _, id := range p.Gates[plan.GateClose] {
			all = append(all, signed(id, namespace, content))
		}
		if got := gap.CheckSigners(p, namespace, content, all); !plan.Approved(got) {
			t.Errorf("%s: got %+v", namespace, got)
		}
	}
	if got, want := gap.Signers(p, gap.NamespacePackage), p.Gates[plan.GateClose]; !slices.Equal(got, want) {
		t.Errorf("a package is signed by %v, want %v", got, want)
	}
}

func TestCheckHeard(t *testing.T) {
	content := golden(t, "bundle.json")
	words := gap.Words(content)
	if len(words) != 32 {
		t.Fatalf("%d words, want all 32", len(words))
	}
	if err := gap.CheckHeard(content, strings.Join(words, " ")); err != nil {
		t.Error(err)
	}
	other := gap.Words(golden(t, "package.json"))
	said := slices.Concat(words[:31], other[31:])
	if e, ok := errors.AsType[*gap.HeardError](gap.CheckHeard(content, strings.Join(said, " "))); !ok || e.Position != 32 {
		t.Errorf("the last word differs: got %v", e)
	}
	if e, ok := errors.AsType[*spoken.LengthError](gap.CheckHeard(content, strings.Join(words[:16], " "))); !ok || e.Got != 16 {
		t.Errorf("half of the words: got %v", e)
	}
}
