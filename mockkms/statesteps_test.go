// SPDX-License-Identifier: Apache-2.0

package mockkms_test

// A step is one thing that happens, in bytes, so that any bytes are a life of
// an account: the operation, the key, how it is named, and up to four choices
// that mean something else for each operation. The first of all choices is the
// simplest, and its byte is 0.
type step [7]byte

// maxSteps bounds a life, below the number of rotations that a key can see.
const maxSteps = 48

// decode cuts bytes into steps.
func decode(life []byte) (steps []step) {
	for len(life) >= len(step{}) && len(steps) < maxSteps {
		steps = append(steps, step(life))
		life = life[len(step{}):]
	}
	return steps
}

// choose makes a choice by a byte.
func choose[T any](b byte, choices ...T) T { return choices[int(b)%len(choices)] }

// last picks one of a list by a byte: with 0 the last; -1 if there is none.
func last[T any](b byte, list []T) int {
	if len(list) == 0 {
		return -1
	}
	return len(list) - 1 - int(b)%len(list)
}

// A request is what a step sends; or what else happens, if there is no operation.
type request struct {
	operation string
	members   string // JSON without the outer braces, with names for values
	wrapping  *wrapping
	event     string // "restart", or that time passed
}

// A wrapping is material that the request brings, wrapped.
type wrapping struct{ name, algorithm, material string }

func (r request) String() string {
	if r.event != "" {
		return r.event
	}
	return r.operation + " {" + r.members + "}"
}

// An addressed step is one about a key, as far as the model finds it.
type addressed struct {
	ref   string    // what the request says
	key   *modelKey // nil: there is none
	fault string    // why not
}

// address finds the key that a step is about. Some operations take no alias,
// and tell so in words that are not known of all.
func (m *model) address(s step, aliases bool) addressed {
	if len(m.keys) == 0 {
		ref := choose(s[2], "{no key}", "{id of no key}")
		return addressed{ref, nil, "NotFoundException: Key '{no key}' does not exist"}
	}
	k := choose(s[1], m.keys...)
	switch how := choose(s[2], "arn", "arn", "arn", "arn", "arn", "id", "alias"); {
	case how == "alias" && !aliases:
		return addressed{choose(s[1], aliasNames...), nil, "InvalidArnException: " + anything}
	case how == "alias":
		name := choose(s[1], aliasNames...)
		return addressed{name, m.aliases[name], noAlias(m, name)}
	case how == "id":
		return addressed{"{id of " + k.name + "}", k, k.ifGone()}
	}
	return addressed{k.ref(), k, k.ifGone()}
}

// ifGone is how KMS answers about a key that is no more.
func (k *modelKey) ifGone() string {
	if !k.gone {
		return ""
	}
	return "NotFoundException: Key '" + k.ref() + "' does not exist"
}

var aliasNames = []string{"alias/a", "alias/b"}

func noAlias(m *model, name string) string {
	if m.aliases[name] != nil {
		return ""
	}
	return "NotFoundException: Alias arn:aws:kms:" + region + ":" + account + ":" + name + " is not found."
}

// about is an operation on one key with members of the request that are always
// the same.
func about(name string, aliases bool, members string, rule func(*model, *modelKey) want) func(*model, step) (request, want) {
	return func(m *model, s step) (request, want) {
		a := m.address(s, aliases)
		r := request{operation: name, members: `"KeyId": "` + a.ref + `"` + members}
		if a.fault != "" {
			return r, refuses(a.fault)
		}
		return r, rule(m, a.key)
	}
}
