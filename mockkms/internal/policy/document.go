// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// A Kind is what a policy is attached to.
type Kind int

// The kinds of policies. A key policy names its principals; an identity policy
// belongs to one and names none.
const (
	Identity Kind = iota + 1
	Key
)

// A Document is a policy that was read. It does not change.
type Document struct {
	kind       Kind
	variables  bool // the version has policy variables
	statements []*statement
}

// A statement is one of the document's. Each of the three lists is what the
// element names, or with not set, all but that.
type statement struct {
	sid        string
	deny       bool
	principals principals // of key policies only
	actions    set
	resources  set
	conditions []condition
}

// A set is Action or NotAction, Resource or NotResource.
type set struct {
	not      bool
	patterns []string
}

// Versions of the policy language. Only the newer one has variables (IAM User
// Guide, policy elements: Version).
const (
	version2008 = "2008-10-17"
	version2012 = "2012-10-17"
)

// A SyntaxError says where a document does not follow the policy grammar.
type SyntaxError struct {
	Statement int    // counted from 1; 0 is the document itself
	Element   string // such as "Effect"; "" where no element is to blame
	Problem   string
}

func (e *SyntaxError) Error() string {
	where := "policy"
	if e.Statement > 0 {
		where = fmt.Sprintf("statement %d", e.Statement)
	}
	if e.Element != "" {
		where += ": " + e.Element
	}
	return where + ": " + e.Problem
}

// NoStatements reports whether what is wrong is an empty list of statements.
func (e *SyntaxError) NoStatements() bool {
	return e.Statement == 0 && e.Element == "Statement" && e.Problem == problemEmpty
}

// problemEmpty is what is wrong with an empty list.
const problemEmpty = "is empty"

// Parse reads a policy document of a kind. It is as strict as IAM: unknown and
// repeated elements are errors, of type [*SyntaxError], and so are operators and
// values that could not be evaluated.
func Parse(kind Kind, source string) (*Document, error) {
	if !utf8.ValidString(source) {
		return nil, &SyntaxError{Problem: "is not valid UTF-8"}
	}
	members, err := object([]byte(source))
	if err != nil {
		return nil, &SyntaxError{Problem: err.Error()}
	}
	d := &Document{kind: kind}
	var list []json.RawMessage
	for _, m := range members {
		switch m.name {
		case "Version":
			err = d.readVersion(m.value)
		case "Id":
			_, err = text(m.value)
		case "Statement":
			list, err = oneOrMore(m.value)
		default:
			err = errors.New("is not an element of policies")
		}
		if err != nil {
			return nil, &SyntaxError{Element: m.name, Problem: err.Error()}
		}
	}
	if len(list) == 0 {
		return nil, &SyntaxError{Element: "Statement", Problem: "is missing"}
	}
	for i, raw := range list {
		s, element, err := readStatement(kind, raw)
		if err != nil {
			return nil, &SyntaxError{Statement: i + 1, Element: element, Problem: err.Error()}
		}
		d.statements = append(d.statements, s)
	}
	return d, nil
}

func (d *Document) readVersion(raw json.RawMessage) error {
	version, err := text(raw)
	if err == nil && version != version2008 && version != version2012 {
		err = fmt.Errorf("is neither %s nor %s", version2012, version2008)
	}
	d.variables = version == version2012
	return err
}

// readStatement reads one statement. With an error comes the element to blame.
func readStatement(kind Kind, raw json.RawMessage) (*statement, string, error) {
	members, err := object(raw)
	if err != nil {
		return nil, "", err
	}
	s := &statement{}
	has := make(map[string]bool)
	for _, m := range members {
		has[m.name] = true
		if err := s.readElement(m); err != nil {
			return nil, m.name, err
		}
	}
	for _, pair := range [][2]string{{"Action", "NotAction"}, {"Resource", "NotResource"}} {
		if kind == Key && !has[pair[0]] && !has[pair[1]] {
			continue // KMS takes such a statement, which then has no effect (PutKeyPolicy in the API reference)
		}
		if has[pair[0]] == has[pair[1]] {
			return nil, pair[0], fmt.Errorf("must be there, or else %s", pair[1])
		}
	}
	switch named := has["Principal"] || has["NotPrincipal"]; {
	case !has["Effect"]:
		return nil, "Effect", errors.New("is missing")
	case has["Principal"] && has["NotPrincipal"]:
		return nil, "Principal", errors.New("must not stand beside NotPrincipal")
	case kind == Key && !named:
		return nil, "Principal", errors.New("is missing")
	case kind == Identity && named:
		return nil, "Principal", errors.New("does not belong into an identity-based policy")
	}
	return s, "", nil
}

func (s *statement) readElement(m member) (err error) {
	switch m.name {
	case "Sid":
		s.sid, err = text(m.value)
	case "Effect":
		err = s.readEffect(m.value)
	case "Principal", "NotPrincipal":
		s.principals, err = readPrincipals(m.value)
		s.principals.not = m.name == "NotPrincipal"
	case "Action", "NotAction":
		s.actions, err = readSet(m)
	case "Resource", "NotResource":
		s.resources, err = readSet(m)
	case "Condition":
		s.conditions, err = readConditions(m.value)
	default:
		err = errors.New("is not an element of statements")
	}
	return err
}

func (s *statement) readEffect(raw json.RawMessage) error {
	effect, err := text(raw)
	if err == nil && effect != "Allow" && effect != "Deny" {
		err = errors.New("is neither Allow nor Deny")
	}
	s.deny = effect == "Deny"
	return err
}

func readSet(m member) (set, error) {
	patterns, err := texts(m.value)
	return set{m.name[:3] == "Not", patterns}, err
}

// A member is one of a JSON object's.
type member struct {
	name  string
	value json.RawMessage
}

// object takes a JSON object apart. A repeated name is an error, where a map
// would silently keep one of the two.
func object(raw []byte) ([]member, error) {
	if !json.Valid(raw) { // the tokens alone would not tell
		return nil, errors.New("is not valid JSON")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return nil, errors.New("is not a JSON object")
	}
	var members []member
	seen := make(map[string]bool)
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, errors.New("is not valid JSON")
		}
		m := member{name: name.(string)} // what else could it be, in valid JSON
		if err := d.Decode(&m.value); err != nil {
			return nil, errors.New("is not valid JSON")
		}
		if seen[m.name] {
			return nil, fmt.Errorf("has %q twice", m.name)
		}
		seen[m.name] = true
		members = append(members, m)
	}
	return members, nil
}

func text(raw json.RawMessage) (string, error) {
	var s *string
	if err := json.Unmarshal(raw, &s); err != nil || s == nil {
		return "", errors.New("is not a string")
	}
	return *s, nil
}

// oneOrMore is a list's items, or what stands there in place of a list.
func oneOrMore(raw json.RawMessage) ([]json.RawMessage, error) {
	if len(raw) == 0 || raw[0] != '[' {
		return []json.RawMessage{raw}, nil
	}
	var list []json.RawMessage
	err := json.Unmarshal(raw, &list)
	if err == nil && len(list) == 0 {
		err = errors.New(problemEmpty)
	}
	return list, err
}

// texts is one string or a list of them.
func texts(raw json.RawMessage) ([]string, error) {
	list, err := oneOrMore(raw)
	if err != nil {
		return nil, err
	}
	strings := make([]string, len(list))
	for i, item := range list {
		if strings[i], err = text(item); err != nil {
			return nil, err
		}
	}
	return strings, nil
}
