// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"errors"
	"fmt"
	"strings"

	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/mockkms"
)

// maxCredentials bounds what is read of a credentials file, in bytes.
const maxCredentials = 64 << 10

// readCredentials reads the access keys of all profiles in a file that is
// written like AWS's shared credentials file.
func readCredentials(name string) ([]mockkms.Credentials, error) {
	raw, err := files.ReadLimited(name, nil, maxCredentials)
	if err != nil {
		return nil, err
	}
	known, err := parseCredentials(string(raw))
	if err != nil {
		return nil, inFile(name, err)
	}
	return known, nil
}

// parseCredentials never quotes what it read: any of it may be a secret.
func parseCredentials(text string) (known []mockkms.Credentials, err error) {
	var profile *mockkms.Credentials
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		name, value, assigns := strings.Cut(line, "=")
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case line[0] == '[' && strings.HasSuffix(line, "]"):
			known = append(known, mockkms.Credentials{})
			profile = &known[len(known)-1]
		case !assigns || profile == nil:
			return nil, fmt.Errorf("line %d is neither [profile] nor name = value within one", number)
		default:
			setCredential(profile, strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value))
		}
	}
	for i, c := range known {
		if c.AccessKeyID == "" || c.SecretAccessKey == "" {
			return nil, fmt.Errorf("profile %d has no aws_access_key_id or no aws_secret_access_key", i+1)
		}
	}
	if len(known) == 0 {
		return nil, errors.New("there is no profile with an access key")
	}
	return known, nil
}

func setCredential(c *mockkms.Credentials, name, value string) {
	switch name {
	case "aws_access_key_id":
		c.AccessKeyID = value
	case "aws_secret_access_key":
		c.SecretAccessKey = value
	case "aws_session_token":
		c.SessionToken = value
	case "aws_account_id":
		c.Account = value
	}
}
