// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// An operator compares a value of the policy with one of the request.
type operator struct {
	negated  bool
	presence bool                                // Null: asks whether the key is there
	valid    func(want string) bool              // nil: every string is a value
	compare  func(want, got string) bool         // nil: like
	like     func(want pattern, got string) bool // for operators that take variables
}

// operators are those of the IAM User Guide, by name, less BinaryEquals: no
// condition key of KMS is binary.
func operators() map[string]operator {
	isBool := func(s string) bool { return strings.EqualFold(s, "true") || strings.EqualFold(s, "false") }
	table := map[string]operator{"Null": {presence: true, valid: isBool}}
	both := func(name, negated string, o operator) {
		table[name] = o
		o.negated = true
		table[negated] = o
	}
	both("StringEquals", "StringNotEquals", operator{like: func(p pattern, s string) bool { return p.literal() == s }})
	both("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase",
		operator{like: func(p pattern, s string) bool { return strings.EqualFold(p.literal(), s) }})
	both("StringLike", "StringNotLike", operator{like: pattern.match})
	both("ArnEquals", "ArnNotEquals", operator{like: pattern.matchARN})
	both("ArnLike", "ArnNotLike", operator{like: pattern.matchARN})
	both("IpAddress", "NotIpAddress", operator{valid: isNetwork, compare: inNetwork})
	table["Bool"] = operator{like: func(p pattern, s string) bool { return strings.EqualFold(p.literal(), s) }}
	for _, kind := range []struct {
		name  string
		parse func(string) (float64, bool)
	}{{"Numeric", number}, {"Date", date}} {
		comparing := func(holds func(got, want float64) bool) operator {
			return operator{
				valid: func(want string) bool { _, ok := kind.parse(want); return ok },
				compare: func(want, got string) bool {
					w, _ := kind.parse(want)
					g, ok := kind.parse(got)
					return ok && holds(g, w)
				},
			}
		}
		both(kind.name+"Equals", kind.name+"NotEquals", comparing(func(got, want float64) bool { return got == want }))
		table[kind.name+"LessThan"] = comparing(func(got, want float64) bool { return got < want })
		table[kind.name+"LessThanEquals"] = comparing(func(got, want float64) bool { return got <= want })
		table[kind.name+"GreaterThan"] = comparing(func(got, want float64) bool { return got > want })
		table[kind.name+"GreaterThanEquals"] = comparing(func(got, want float64) bool { return got >= want })
	}
	return table
}

func number(s string) (float64, bool) {
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil && f-f == 0 // neither infinite nor not a number
}

// date reads the forms of ISO 8601 that W3C's note on dates allows, from the
// year on, or seconds since 1970.
func date(s string) (float64, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", time.DateOnly, "2006-01"} {
		if t, err := time.Parse(layout, s); err == nil {
			return float64(t.UnixMilli()) / 1000, true
		}
	}
	return number(s)
}

func isNetwork(s string) bool {
	_, ok := network(s)
	return ok
}

// network reads an address range; without a length it is one address.
func network(s string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(s)
	return p, err == nil
}

func inNetwork(want, got string) bool {
	p, ok := network(want)
	a, err := netip.ParseAddr(got)
	return ok && err == nil && p.Contains(a.Unmap())
}
