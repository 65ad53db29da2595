// SPDX-License-Identifier: Apache-2.0

// Command gen writes the command reference (reference/*.md) and the man pages
// (man/*.1) from the command trees of keymat, keymat-hsm and keymat-offline. Run it with
// go generate ./...
package main

import (
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/keymat/keymat/ceremonycmd"
	"github.com/keymat/keymat/cmd"
	"github.com/keymat/keymat/hsmcmd"
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
	for name, root := range map[string]*cobra.Command{"keymat": cmd.Tree(), "keymat-hsm": hsmcmd.Tree(), "keymat-offline": ceremonycmd.Tree()} {
		root.DisableAutoGenTag = true
		if err := doc.GenMarkdownTree(root, reference); err != nil {
			return err
		}
		// A fixed date: the pages change when the commands do, and not otherwise.
		date := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
		header := &doc.GenManHeader{Title: strings.ToUpper(name), Section: "1", Source: name, Manual: name + " manual", Date: &date}
		if err := doc.GenManTree(root, header, man); err != nil {
			return err
		}
	}
	return nil
}
