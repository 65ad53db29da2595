// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/keymat/keymat/material"
)

// Tools are programs of the machine that lessons compare with. Its zero value
// has none.
type Tools struct {
	OpenSSL   string // path; "" where it is not installed
	SSHKeygen string // path; "" where it is not installed
}

// FindTools looks for the programs where a shell would.
func FindTools() Tools {
	find := func(name string) string {
		path, err := exec.LookPath(name)
		if err != nil {
			return ""
		}
		return path
	}
	return Tools{OpenSSL: find("openssl"), SSHKeygen: find("ssh-keygen")}
}

// public is a file of bytes that are no secret.
type public struct {
	name    string
	content []byte
}

// openssl runs openssl with files of public bytes in its folder, and gives it
// a secret, or anything else, as standard input. What it prints is returned.
func (r *Run) openssl(args string, stdin []byte, files ...public) ([]byte, error) {
	return runTool(r.ctx, r.stage.Tools.OpenSSL, strings.Fields(args), stdin, files)
}

// runTool runs a program in a folder of its own, which goes away at the end. A
// program that prints secrets prints them into this process's memory only.
func runTool(ctx context.Context, path string, args []string, stdin []byte, files []public) ([]byte, error) {
	dir, err := os.MkdirTemp("", "keymat-lab-") // mode 0700
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.name), f.content, 0o600); err != nil {
			return nil, err
		}
	}
	c := exec.CommandContext(ctx, path, args...)
	c.Dir, c.Stdin = dir, bytes.NewReader(stdin)
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("running %s %s: %w", filepath.Base(path), args[0], err)
	}
	return out, nil
}

// hasOpenSSL reports whether a step can be compared with openssl, and says so
// where it cannot.
func (r *Run) hasOpenSSL() bool {
	if r.stage.Tools.OpenSSL == "" {
		r.leaveOut("openssl is not installed here, so there is nothing to compare with")
		return false
	}
	return true
}

// opensslOAEP is how openssl is told to encrypt or decrypt as KMS does it.
const (
	opensslOAEP256 = "-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256"
	opensslOAEP1   = "-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha1"
)

// opensslWrap has openssl wrap material under a wrapping key, as a student
// would; the material goes through a pipe.
func (r *Run) opensslWrap(wrappingKey []byte, m *material.Material, oaep string) (wrapped []byte) {
	if r.Err() != nil {
		return nil
	}
	err := m.Secret().Expose(func(b []byte) (err error) {
		wrapped, err = r.openssl("pkeyutl -encrypt -pubin -keyform DER -inkey WrappingPublicKey.bin "+oaep, b, public{"WrappingPublicKey.bin", wrappingKey})
		return err
	})
	r.Must(err)
	return wrapped
}

// publicPEM is a public key, SubjectPublicKeyInfo in DER, as PEM.
func publicPEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}
