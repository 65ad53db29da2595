// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"github.com/goccy/go-yaml/ast"

	"github.com/keymat/keymat/internal/lazyregexp"
)

// fileFields are those of the file, in the order of the documentation.
func fileFields() []field[reader] {
	return []field[reader]{
		{"kind", func(r *reader, n ast.Node, _ *reader) {
			if r.kind = r.text(n); r.kind != "" && r.kind != Kind {
				r.wrong(n, "something else than %s", Kind)
			}
		}},
		{"version", func(r *reader, n ast.Node, _ *reader) { r.readVersion(n) }},
		{"name", func(r *reader, n ast.Node, _ *reader) {
			if r.manifest.Name = r.text(n); !fleetNames().MatchString(r.manifest.Name) && r.manifest.Name != "" {
				r.wrong(n, "a name has letters, digits and . _ - only, 64 at most")
			}
		}},
		{"places", func(r *reader, n ast.Node, _ *reader) { r.readPlaces(n) }},
		{"defaults", func(r *reader, n ast.Node, _ *reader) { readMapping(r, n, defaultFields, &r.defaults) }},
		{"keys", func(r *reader, n ast.Node, _ *reader) {}}, // comes last, whatever the order
	}
}

// FileFields, PlaceFields, KeyFields and DefaultFields name the keys that a
// manifest may have, in the order of the documentation.
func FileFields() []string { return namesOf(fileFields()) }

// PlaceFields are those of a place; see [FileFields].
func PlaceFields() []string { return namesOf(placeFields) }

// KeyFields are those of a key; see [FileFields].
func KeyFields() []string { return namesOf(keyFields) }

// DefaultFields are those of the defaults; see [FileFields].
func DefaultFields() []string { return namesOf(defaultFields) }

func namesOf[T any](fields []field[T]) (names []string) {
	for _, f := range fields {
		names = append(names, f.name)
	}
	return names
}

var (
	fleetNames = lazyregexp.New(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	regions    = lazyregexp.New(`^[a-z]{2,4}(-[a-z]+){1,3}-[0-9]{1,2}$`)
	roles      = lazyregexp.New(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,576}$`)
)

// readFile reads all but the list of keys, and that too unless it is cut.
func (r *reader) readFile(n ast.Node, cut bool) {
	if n == nil {
		if len(r.problems.found) == 0 {
			r.problems.add(Problem{Line: 1, Column: 1, Reason: "empty"})
		}
		return
	}
	pairs, ok := pairsOf(n)
	if !ok {
		r.wrong(n, "%s, where keys with values belong", kindOf(n))
		return
	}
	readMapping(r, n, fileFields(), r)
	have := map[string]ast.Node{}
	for _, pair := range pairs {
		have[keyOf(pair)] = pair.Value
	}
	for _, name := range []string{"kind", "version", "name", "places", "keys"} {
		if have[name] == nil {
			r.wrong(n, "%s is missing", name)
		}
	}
	if list := have["keys"]; list != nil && !cut {
		readKeys(r, list)
	}
}

func (r *reader) readVersion(n ast.Node) {
	number, ok := n.(*ast.IntegerNode)
	if !ok {
		r.wrong(n, "%s, where a number belongs", kindOf(n))
		return
	}
	switch value := number.Token.Value; {
	case value == "1":
		r.version = Version
	default:
		r.wrong(n, "not %d, which is what this program reads", Version)
	}
}

// placeFields are those of a place.
var placeFields = []field[Place]{
	{"region", func(r *reader, n ast.Node, p *Place) { p.Region = r.region(n) }},
	{"profile", func(r *reader, n ast.Node, p *Place) { p.Profile = r.text(n) }},
	{"role", func(r *reader, n ast.Node, p *Place) {
		if p.Role = r.text(n); p.Role != "" && !roles().MatchString(p.Role) {
			r.wrong(n, "not the ARN of an IAM role")
		}
	}},
}

func (r *reader) readPlaces(n ast.Node) {
	outside := r.at
	for _, pair := range r.pairs(n) {
		p := Place{Name: keyOf(pair)}
		if !fleetNames().MatchString(p.Name) {
			r.wrong(pair.Key, "the name of a place has letters, digits and . _ - only, 64 at most")
			continue
		}
		r.at = outside + " " + p.Name
		readMapping(r, pair.Value, placeFields, &p)
		if p.Region == "" {
			r.wrong(pair.Key, "region is missing")
		}
		r.manifest.Places = append(r.manifest.Places, p)
	}
	r.at = outside
	if len(r.manifest.Places) == 0 {
		r.wrong(n, "no place: name at least one account and Region")
	}
}

func (r *reader) region(n ast.Node) string {
	region := r.text(n)
	if region != "" && !regions().MatchString(region) {
		r.wrong(n, "not the name of a Region, such as eu-central-1")
	}
	return region
}

// place finds a place by its name; nil if there is none.
func (r *reader) place(name string) *Place {
	for i := range r.manifest.Places {
		if r.manifest.Places[i].Name == name {
			return &r.manifest.Places[i]
		}
	}
	return nil
}
