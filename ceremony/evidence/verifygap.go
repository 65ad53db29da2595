// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"bytes"
	"crypto/sha256"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/token"
)

// number is that of a bundle or package, by its name: 0 for another name.
func number(kind, name string) int {
	match := regexp.MustCompile(`^` + kind + `-([1-9][0-9]{0,3})\.json$`).FindStringSubmatch(name)
	if match == nil {
		return 0
	}
	n, _ := strconv.Atoi(match[1]) // of digits
	return n
}

// checkBundle holds what was fetched against its line and the plan.
func (v *verification) checkBundle(e transcript.Bundled, at naming, m *made) error {
	n := number("bundle", e.File.Name)
	content, err := v.named(e.File, BundleFile(n), "bundle", at)
	if err != nil || content == nil {
		return err
	}
	if err := v.signed(gap.NamespaceBundle, content); err != nil {
		return err
	}
	b, err := gap.ReadBundle(content)
	if err != nil {
		v.problem(e.File.Name, 0, "%v", err)
		return nil
	}
	if !slices.Equal(sorted(b.Targets()), sorted(e.Targets)) {
		v.problem(e.File.Name, 0, "for other targets than its line says")
	}
	came := fetched{}
	m.bundles[e.File.SHA256] = came
	var end time.Time // the earliest deadline
	for _, f := range b.Fetched {
		content, err := v.part(f.File, ParametersFile(n, f.Target), "import parameters", at)
		if err != nil || content == nil {
			return err
		}
		params, err := b.Parameters(v.Plan, f.Target, content)
		if err != nil {
			v.problem(f.File.Name, 0, "%v", err)
			return nil
		}
		came[f.Target] = params
		if end.IsZero() || params.ValidTo.Before(end) {
			end = params.ValidTo
		}
	}
	if at, err := time.Parse(time.RFC3339, e.ValidTo); err != nil || !at.Equal(end.Truncate(time.Second)) {
		v.problem(e.File.Name, 0, "its import tokens end at %s, and its line says %s", end.Format(time.RFC3339), e.ValidTo)
	}
	return nil
}

// checkPackage holds what was wrapped against its line, the plan, the bundle it
// was wrapped with, and the seal of the escrow that keeps the material.
func (v *verification) checkPackage(e transcript.Wrapped, at naming, m *made) error {
	name := e.Package.Name
	n := number("package", name)
	content, err := v.named(e.Package, PackageFile(n), "package", at)
	if err != nil || content == nil {
		return err
	}
	if err := v.signed(gap.NamespacePackage, content); err != nil {
		return err
	}
	k, err := gap.ReadPackage(content)
	if err != nil {
		v.problem(name, 0, "%v", err)
		return nil
	}
	if problem := against(k, e, at, m); problem != "" {
		v.problem(name, 0, "%s", problem)
	}
	if seal, ok := m.seals[k.Escrow.String()]; ok && seal != transcript.Digest(k.Seal) {
		v.problem(name, 0, "it binds another seal record than that of its escrow")
	} else if !ok {
		if err := v.earlier(k, at, name); err != nil {
			return err
		}
	}
	wrapped := map[string]*token.Wrapped{}
	m.packages[e.Package.SHA256] = wrapped
	for _, w := range k.Wrapped {
		content, err := v.part(w.File, WrappedFile(n, w.Target), "wrapped material", at)
		if err != nil || content == nil {
			return err
		}
		if wrapped[w.Target], err = k.Material(v.Plan, w.Target, content); err != nil {
			v.problem(w.File.Name, 0, "%v", err)
			return nil
		}
		if params := m.bundles[e.Bundle][w.Target]; params != nil && !pair(params, wrapped[w.Target]) {
			v.problem(w.File.Name, 0, "not wrapped with what the bundle brought for %s", w.Target)
		}
	}
	return nil
}

// against says how a package differs from its line, "" for not at all.
func against(k *gap.Package, e transcript.Wrapped, at naming, m *made) string {
	var targets []string
	for _, w := range k.Wrapped {
		targets = append(targets, w.Target)
	}
	switch {
	case transcript.Digest(k.Bundle) != e.Bundle:
		return "it binds another bundle than its line"
	case k.Escrow.String() != e.Escrow:
		return "it names another escrow than its line"
	case !slices.Equal(sorted(targets), sorted(e.Targets)):
		return "for other targets than its line says"
	case k.Fingerprint != m.prints[e.Escrow]:
		return "it names other material than the record"
	case !at.before[transcript.Digest(k.Transcript)]:
		return "it binds no line of the record before its own"
	}
	return ""
}

// pair reports whether material was wrapped with these parameters: the token and
// the wrapping key belong together.
func pair(p *token.Parameters, w *token.Wrapped) bool {
	return bytes.Equal(p.ImportToken, w.ImportToken) && sha256.Sum256(p.PublicKey) == w.PublicKeySHA256 && p.KeyARN == w.KeyARN
}

func sorted(ids []string) []string { return slices.Sorted(slices.Values(ids)) }
