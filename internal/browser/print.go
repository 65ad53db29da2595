// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/keymat/keymat/internal/files"
)

// PrintError says that a browser did not print a page.
type PrintError struct {
	Browser string // path
	Said    string // the last line it wrote on standard error; "" for none
	Err     error
}

func (e *PrintError) Error() string {
	said := ""
	if e.Said != "" {
		said = ": " + e.Said
	}
	return fmt.Sprintf("printing with %s: %v%s", e.Browser, e.Err, said)
}

func (e *PrintError) Unwrap() error { return e.Err }

// errNoPDF is a browser's success without what it was asked for.
var errNoPDF = errors.New("it wrote no whole PDF")

const (
	maxPDF = 256 << 20 // bytes
	// afterlife is how long children of a browser may hold its output, and write to its profile, after its end.
	afterlife = 5 * time.Second
)

// Print returns a page of HTML that needs nothing but itself as PDF, as the browser at a path prints it. The browser has a
// profile of its own, which is gone afterwards. Errors of the browser are a *PrintError, which wraps ctx's when that has ended.
func Print(ctx context.Context, browser string, page []byte) (pdf []byte, err error) {
	folder, err := os.MkdirTemp("", "keymat-print-") // mode 0700
	if err != nil {
		return nil, fmt.Errorf("making a folder to print in: %w", err)
	}
	defer func() { err = errors.Join(err, remove(folder)) }()
	from, to := filepath.Join(folder, "page.html"), filepath.Join(folder, "page.pdf")
	if err := os.WriteFile(from, page, 0o600); err != nil {
		return nil, fmt.Errorf("writing the page to print: %w", err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, browser, arguments(filepath.Join(folder, "profile"), from, to, os.Geteuid() == 0)...)
	cmd.Stderr = &stderr
	cmd.WaitDelay = afterlife
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, &PrintError{Browser: browser, Said: lastLine(stderr.String()), Err: err}
	}
	pdf, err = files.ReadLimited(to, nil, maxPDF)
	if err != nil || !isPDF(pdf) {
		return nil, &PrintError{Browser: browser, Said: lastLine(stderr.String()), Err: errNoPDF}
	}
	return pdf, nil
}

// arguments are those of Chromium and its kin. A rule that finds no host keeps the browser's own errands from the network, too.
func arguments(profile, from, to string, root bool) []string {
	address := url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(filepath.ToSlash(from), "/")}
	all := []string{
		"--headless", "--user-data-dir=" + profile, "--no-first-run", "--no-default-browser-check", "--disable-extensions", "--disable-gpu",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-breakpad",
		"--host-resolver-rules=MAP * ~NOTFOUND", "--no-pdf-header-footer", "--print-to-pdf=" + to,
	}
	if root { // as which it refuses to start; the page has no script that a sandbox would have to hold
		all = append(all, "--no-sandbox")
	}
	return append(all, address.String())
}

// isPDF looks at both ends, the second of which a browser that was cut short does not write (ISO 32000-2, 7.5.2 and 7.5.5).
func isPDF(data []byte) bool {
	return bytes.HasPrefix(data, []byte("%PDF-")) && bytes.HasSuffix(bytes.TrimRight(data, "\r\n"), []byte("%%EOF"))
}

// remove removes a folder in which somebody may still be writing.
func remove(folder string) (err error) {
	const again = 100 * time.Millisecond
	for waited := time.Duration(0); waited < afterlife; waited += again {
		if err = os.RemoveAll(folder); err == nil {
			return nil
		}
		time.Sleep(again)
	}
	return fmt.Errorf("removing the profile of the browser: %w", err)
}

func lastLine(said string) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
