// SPDX-License-Identifier: Apache-2.0

// Package plantest gives the people of a drafted plan keys of their own, for tests.
package plantest

import (
	"crypto/ed25519"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
)

// FillKeys makes an ssh key for each person of a draft, in the file plan, and fills them in. The key of lead is in the file
// lead.key in the folder.
func FillKeys(plan, folder string) error {
	drafted, err := os.ReadFile(plan)
	if err != nil {
		return err
	}
	var filled strings.Builder
	person := ""
	for line := range strings.Lines(string(drafted)) {
		if id, ok := strings.CutPrefix(strings.TrimSpace(line), "- id: "); ok {
			person = id
		}
		if strings.HasPrefix(line, "    # key: ") {
			public, err := newSSHKey(filepath.Join(folder, person+".key"))
			if err != nil {
				return err
			}
			line = "    key: " + public
		}
		filled.WriteString(line)
	}
	return os.WriteFile(plan, []byte(filled.String()), 0o644)
}

// newSSHKey writes a private key, and returns the line of its .pub file.
func newSSHKey(file string) (string, error) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return "", err
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		return "", err
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return "", err
	}
	return string(ssh.MarshalAuthorizedKey(key)), os.WriteFile(file, pem.EncodeToMemory(block), 0o600)
}
