// SPDX-License-Identifier: Apache-2.0

package cmd_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// printPage is the browser of scripts. What it prints has the page in it as it is.
func printPage() {
	address, err := url.Parse(os.Args[len(os.Args)-1])
	if err != nil {
		fail(err)
	}
	page, err := os.ReadFile(filepath.FromSlash(address.Path))
	if err != nil {
		fail(err)
	}
	for _, arg := range os.Args[1:] {
		if name, ok := strings.CutPrefix(arg, "--print-to-pdf="); ok {
			if err := os.WriteFile(name, fmt.Appendf(nil, "%%PDF-1.4\n%s%%%%EOF\n", page), 0o600); err != nil {
				fail(err)
			}
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
