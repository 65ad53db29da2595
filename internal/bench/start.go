// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// build makes a binary as a release is made, from the module in the folder
// source; "" is the current one.
func build(source, out, pkg string, flags ...string) error {
	cmd := exec.Command("go", slices.Concat([]string{"build", "-trimpath", "-ldflags=-s -w", "-o", out}, flags, []string{pkg})...)
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// measureStart compares processes that do nothing to speak of.
func measureStart(dir, keymat string, rounds int) error {
	var contenders []contender
	for _, c := range []struct{ name, pkg string }{
		{"Go hello world", "hello"},
		{"the same with net/http linked in", "hellohttp"},
		{"the same with the AWS SDK's KMS client linked in", "hellosdk"},
	} {
		program := filepath.Join(dir, c.pkg)
		if err := build("", program, "./internal/bench/"+c.pkg); err != nil {
			return err
		}
		contenders = append(contenders, contender{c.name, func() error { return exec.Command(program).Run() }})
	}
	version := func() error { return exec.Command(keymat, "version").Run() }
	return compare("process", rounds, append(contenders, contender{"`keymat version`", version})...)
}
