// SPDX-License-Identifier: Apache-2.0

// Command gen writes the command reference (reference/*.md) and the man pages
// (man/*.1) from keymat's own command tree. Run it with go generate ./...
package main

import (
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra/doc"

	"github.com/keymat/keymat/cmd"
)

func main() {
	if err := generate("."); err != nil {
		log.Fatal(err)
	}
}

// generate replaces the generated folders below dir.
func generate(dir string) error {
	reference, man := filepath.Join(dir, "reference"), filepath.Join(dir, "man")
	for _, d := range []string{reference, man} {
		if err := os.RemoveAll(d); err != nil {
			return err
		}
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	root := cmd.Tree()
	root.DisableAutoGenTag = true
	if err := doc.GenMarkdownTree(root, reference); err != nil {
		return err
	}
	// A fixed date: the pages change when the commands do, and not otherwise.
	date := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	return doc.GenManTree(root, &doc.GenManHeader{Title: "KEYMAT", Section: "1", Source: "keymat", Manual: "keymat manual", Date: &date}, man)
}
