// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Context answers for the condition keys of a request, however they are
// capitalised. No values mean that the request does not have the key; known is
// false where that cannot be told.
type Context func(key string) (values []string, known bool)

// A condition is one key below one operator. All of a statement's must hold.
type condition struct {
	operator operator
	set      quantifier
	ifExists bool
	key      string
	values   []string // as in the policy
}

// A quantifier says how a key with several values is compared.
type quantifier int

const (
	single quantifier = iota
	forAnyValue
	forAllValues
)

// A truth is the outcome of a condition; it may depend on what nobody knows.
type truth int

const (
	no truth = iota
	unknown
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func readConditions(raw json.RawMessage) ([]condition, error) {
	operators, err := object(raw)
	if err != nil {
		return nil, err
	}
	var list []condition
	for _, o := range operators {
		c, err := readOperator(o.name)
		if err != nil {
			return nil, err
		}
		keys, err := object(o.value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.name, err)
		}
		for _, k := range keys {
			c.key = k.name
			if c.values, err = scalars(k.value); err == nil {
				err = c.check()
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", o.name, k.name, err)
			}
			list = append(list, c)
		}
	}
	return list, nil
}

// readOperator takes the name of an operator apart: a set operator in front of
// it, IfExists behind it.
func readOperator(name string) (c condition, err error) {
	base, ok := strings.CutPrefix(name, "ForAnyValue:")
	if ok {
		c.set = forAnyValue
	} else if base, ok = strings.CutPrefix(name, "ForAllValues:"); ok {
		c.set = forAllValues
	}
	base, c.ifExists = strings.CutSuffix(base, "IfExists")
	if c.operator, ok = operators()[base]; !ok {
		return c, fmt.Errorf("there is no operator %q", name)
	}
	if c.operator.presence && (c.ifExists || c.set != single) {
		return c, fmt.Errorf("there is no operator %q", name)
	}
	return c, nil
}

// check refuses what could never be compared. An operator with variables is
// checked when these have values.
func (c *condition) check() error {
	if c.operator.valid == nil {
		return nil
	}
	for _, v := range c.values {
		if !c.operator.valid(v) {
			return fmt.Errorf("%q is no value for this operator", v)
		}
	}
	return nil
}

// scalars is one value or a list of them: strings, numbers or booleans.
func scalars(raw json.RawMessage) ([]string, error) {
	list, err := oneOrMore(raw)
	if err != nil {
		return nil, err
	}
	values := make([]string, len(list))
	for i, item := range list {
		switch {
		case string(item) == "null" || item[0] == '{' || item[0] == '[':
			return nil, errors.New("has a value that is no string, number or boolean")
		case item[0] != '"':
			values[i] = string(item)
		default:
			if values[i], err = text(item); err != nil {
				return nil, err
			}
		}
	}
	return values, nil
}

// holds judges the condition. A key that the request does not have fails a
// plain comparison, and meets a negated one, IfExists and ForAllValues (IAM
// User Guide, condition operators).
func (c *condition) holds(context Context, variables bool) truth {
	got, known := context(c.key)
	switch {
	case !known:
		return unknown
	case c.operator.presence:
		absent := len(got) == 0
		return truthOf(slices.ContainsFunc(c.values, func(v string) bool { return strings.EqualFold(v, "true") == absent }))
	case len(got) == 0:
		return truthOf(c.ifExists || c.set == forAllValues || c.set == single && c.operator.negated)
	}
	matches := c.matcher(context, variables)
	switch c.set {
	case forAllValues:
		return truthOf(!slices.ContainsFunc(got, func(v string) bool { return matches(v) == c.operator.negated }))
	case forAnyValue:
		return truthOf(slices.ContainsFunc(got, func(v string) bool { return matches(v) != c.operator.negated }))
	}
	return truthOf(slices.ContainsFunc(got, matches) != c.operator.negated)
}

// matcher reports whether a value of the request is like one of the policy's.
func (c *condition) matcher(context Context, variables bool) func(string) bool {
	return func(got string) bool {
		return slices.ContainsFunc(c.values, func(want string) bool {
			if c.operator.compare != nil {
				return c.operator.compare(want, got)
			}
			p, ok := patternOf(want, context, variables)
			return ok && c.operator.like(p, got)
		})
	}
}

func patternOf(s string, context Context, variables bool) (pattern, bool) {
	if !variables {
		return wildcards(s), true
	}
	return expand(s, context)
}

// A ConditionUse is a condition key as a document uses it.
type ConditionUse struct {
	Key          string // as it is spelt there
	ForAllValues bool   // below that set operator
}

// Conditions lists the condition keys that the document uses, those of its
// variables included, in their order.
func (d *Document) Conditions() []ConditionUse {
	var uses []ConditionUse
	add := func(patterns []string) {
		for _, s := range patterns {
			for _, name := range variableNames(s) {
				uses = append(uses, ConditionUse{Key: name})
			}
		}
	}
	for _, s := range d.statements {
		for _, c := range s.conditions {
			uses = append(uses, ConditionUse{c.key, c.set == forAllValues})
			if d.variables && c.operator.like != nil {
				add(c.values)
			}
		}
		if d.variables {
			add(s.resources.patterns)
		}
	}
	return uses
}
