// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// measureWrap compares wrapping with the RSA operation it consists of, and that
// with openssl's own measure of its own.
func measureWrap() error {
	for _, bits := range []int{2048, 3072, 4096} {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			return err
		}
		m, err := material.Generate(material.SymmetricDefault)
		if err != nil {
			return err
		}
		message := make([]byte, m.Secret().Len())
		if err := compare(fmt.Sprintf("32 bytes under RSA_%d", bits), 4000,
			contender{"`rsa.EncryptOAEP`", func() error {
				_, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &key.PublicKey, message, nil)
				return err
			}},
			contender{"`wrap.Wrap`", func() error {
				_, err := wrap.Wrap(&key.PublicKey, wrap.OAEPSHA256, m.Secret())
				return err
			}},
		); err != nil {
			return err
		}
		perSecond, err := opensslSpeed(bits)
		if err != nil {
			return err
		}
		fmt.Printf("| openssl, the public operation | %.1fµs | |\n", 1e6/perSecond)
	}
	return nil
}

// opensslSpeed returns the public key operations per second of one core.
func opensslSpeed(bits int) (float64, error) {
	out, err := exec.Command("openssl", "speed", "-seconds", "3", fmt.Sprintf("rsa%d", bits)).Output()
	if err != nil {
		return 0, fmt.Errorf("openssl speed: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	fields := strings.Fields(lines[len(lines)-1]) // rsa 2048 bits, seconds to sign, to verify, …, signed and verified per second, …
	names := strings.Fields(lines[len(lines)-2])
	for i, name := range names {
		if name == "verify/s" && len(fields) == len(names)+3 {
			return strconv.ParseFloat(fields[i+3], 64)
		}
	}
	return 0, fmt.Errorf("openssl speed says nothing of verify/s: %s", out)
}
