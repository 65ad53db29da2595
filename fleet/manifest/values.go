// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
)

func (r *reader) spec(n ast.Node) (s material.Spec) {
	if text := r.text(n); text != "" {
		if err := s.UnmarshalText([]byte(text)); err != nil {
			r.wrong(n, "%v", err)
		}
	}
	return s
}

func (r *reader) truth(n ast.Node) bool {
	b, ok := n.(*ast.BoolNode)
	if !ok {
		r.wrong(n, "%s, where true or false belongs", kindOf(n))
		return false
	}
	return b.Value
}

func (r *reader) want(n ast.Node) Want {
	want := Want(r.text(n))
	if want != "" && want != Imported && want != Deleted {
		r.wrong(n, "neither imported nor deleted")
	}
	return want
}

func (r *reader) replicas(n ast.Node) (all []string) {
	for _, item := range r.items(n) {
		region := r.region(item)
		if slices.Contains(all, region) {
			r.wrong(item, "the same Region again")
		}
		all = append(all, region)
	}
	return all
}

// lifetime reads never, a length of time, or a date.
func (r *reader) lifetime(n ast.Node) (l Lifetime) {
	text := r.text(n)
	if text == "" {
		return l
	}
	if text == "never" {
		l.Never = true
		return l
	}
	if at, ok := parseDate(text); ok {
		l.At = at
		return l
	}
	d, ok := importer.ParseSpan(text)
	switch {
	case !ok:
		r.wrong(n, "neither never, nor a time (365d, 12h), nor a date (2027-01-31, 2027-01-31T12:00:00Z)")
	case d <= 0 || d > importer.MaxLifetime:
		r.wrong(n, "not between 0 and 365 days, which is what KMS takes")
	default:
		l.Span = d
	}
	return l
}

func (r *reader) span(n ast.Node) time.Duration {
	text := r.text(n)
	d, ok := importer.ParseSpan(text)
	switch {
	case text == "":
	case !ok:
		r.wrong(n, "not a length of time, such as 30d or 12h")
	case d <= 0 || d > importer.MaxLifetime:
		r.wrong(n, "not between 0 and 365 days")
		return 0
	}
	return d
}

func (r *reader) date(n ast.Node) time.Time {
	text := r.text(n)
	at, ok := parseDate(text)
	if text != "" && !ok {
		r.wrong(n, "not a date, such as 2027-01-31 or 2027-01-31T12:00:00Z")
	}
	return at
}

// parseDate reads a date, meaning its first second in UTC, or an RFC 3339 time.
func parseDate(s string) (time.Time, bool) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC().Truncate(time.Second), true
		}
	}
	return time.Time{}, false
}

// path reads the path of an escrow, which may hold {name} and {place}.
func (r *reader) path(n ast.Node) string {
	path := r.text(n)
	if strings.ContainsAny(fill(path, Key{}), "{}\n\r\x00") {
		r.wrong(n, "a path may hold {name} and {place}, and no other braces or line breaks")
	}
	return path
}

func (r *reader) paths(n ast.Node) (all []string) {
	for _, item := range r.items(n) {
		all = append(all, r.path(item))
	}
	return all
}

// fill puts the key's names into a pattern.
func fill(pattern string, k Key) string {
	if !strings.Contains(pattern, "{") {
		return pattern
	}
	return strings.NewReplacer("{name}", k.Name, "{place}", k.Place).Replace(pattern)
}
