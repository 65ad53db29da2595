// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/mockkms"
)

// kindPrincipals is the "kind" of a file of principals.
const kindPrincipals = "keymat/principals"

// maxPrincipals bounds what is read of such a file, in bytes.
const maxPrincipals = 1 << 20

// readPrincipals reads the users and roles of a mock that enforces policies.
func readPrincipals(name string) (*mockkms.Principals, error) {
	raw, err := files.ReadLimited(name, nil, maxPrincipals)
	if err != nil {
		return nil, err
	}
	all, err := newPrincipals(raw)
	if err != nil {
		return nil, inFile(name, err)
	}
	return all, nil
}

// newPrincipals makes principals of what such a file says.
func newPrincipals(raw []byte) (*mockkms.Principals, error) {
	list, err := parsePrincipals(raw)
	if err != nil {
		return nil, err
	}
	return mockkms.NewPrincipals(list...)
}

// parsePrincipals reads the file's one object strictly. It never quotes values:
// any of them may be a secret.
func parsePrincipals(raw []byte) (list []mockkms.Principal, err error) {
	if !utf8.Valid(raw) {
		return nil, errors.New("not UTF-8 text")
	}
	var kind string
	var version int
	var principals []json.RawMessage
	err = readObject(raw, "", map[string]any{"kind": &kind, "version": &version, "principals": &principals})
	switch {
	case err != nil:
		return nil, err
	case kind != kindPrincipals:
		return nil, fmt.Errorf("kind: not %q", kindPrincipals)
	case version != 1:
		return nil, errors.New("version: not 1, which is what this program reads")
	case len(principals) == 0:
		return nil, errors.New("principals: there are none")
	}
	for i, raw := range principals {
		p, err := parsePrincipal(raw, fmt.Sprintf("principals[%d]", i))
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func parsePrincipal(raw []byte, where string) (p mockkms.Principal, err error) {
	var policies []json.RawMessage
	err = readObject(raw, where, map[string]any{
		"arn": &p.ARN, "session_name": &p.SessionName, "tags": &p.Tags, "policies": &policies,
		"access_key_id": &p.Credentials.AccessKeyID, "secret_access_key": &p.Credentials.SecretAccessKey,
		"session_token": &p.Credentials.SessionToken,
	})
	for _, policy := range policies {
		p.Policies = append(p.Policies, string(policy))
	}
	return p, err
}

// readObject reads the members of a JSON object into the variables of their
// names. Others, and a name that comes twice, are errors that say where.
func readObject(raw []byte, where string, members map[string]any) error {
	at := func(name, problem string) error {
		return errors.New(strings.Trim(strings.Trim(where+"."+name, ".")+": "+problem, ": "))
	}
	if !json.Valid(raw) {
		return at("", "not JSON")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return at("", "not a JSON object")
	}
	seen := make(map[string]bool)
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return at("", "not JSON")
		}
		name, _ := token.(string)
		target, known := members[name]
		switch {
		case !known:
			return at(fmt.Sprintf("%.40q", name), "unknown field")
		case seen[name]:
			return at(name, "given twice")
		}
		seen[name] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return at("", "not JSON")
		}
		if string(value) == "null" || json.Unmarshal(value, target) != nil {
			return at(name, "of another type")
		}
	}
	return nil
}
