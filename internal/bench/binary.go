// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"crypto/sha256"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// measureBinary looks at the release binary, and builds it twice: here, and
// from a copy of the source elsewhere with an empty build cache.
func measureBinary(dir, keymat string) error {
	file, err := elf.Open(keymat)
	if err != nil {
		return err
	}
	defer file.Close()
	isInterpreter := func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }
	info, err := os.Stat(keymat)
	if err != nil {
		return err
	}
	here, err := digestOfBuild("", filepath.Join(dir, "here"))
	if err != nil {
		return err
	}
	elsewhere, err := buildElsewhere(dir)
	if err != nil {
		return err
	}
	fmt.Printf("\n| binary | |\n| --- | --- |\n| size, stripped | %.1f MB |\n| static | %t |\n", float64(info.Size())/1e6, !slices.ContainsFunc(file.Progs, isInterpreter))
	fmt.Printf("| built here | sha256:%x |\n| built from a copy, empty cache | sha256:%x |\n| reproducible | %t |\n", here, elsewhere, here == elsewhere)
	return nil
}

func buildElsewhere(dir string) (digest [sha256.Size]byte, err error) {
	module, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return digest, err
	}
	copied := filepath.Join(dir, "copy")
	if err := os.CopyFS(copied, os.DirFS(strings.TrimSpace(string(module)))); err != nil {
		return digest, err
	}
	if err := os.Setenv("GOCACHE", filepath.Join(dir, "cache")); err != nil {
		return digest, err
	}
	return digestOfBuild(copied, filepath.Join(dir, "elsewhere"))
}

// digestOfBuild builds without the stamp of the version control system, which
// the copy could not have.
func digestOfBuild(source, out string) (digest [sha256.Size]byte, err error) {
	if err := build(source, out, "./cmd/keymat", "-buildvcs=false"); err != nil {
		return digest, err
	}
	binary, err := os.ReadFile(out)
	return sha256.Sum256(binary), err
}
