// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/internal/browser"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
)

// printing is what is asked for of a page as PDF.
type printing struct {
	pdf     string // file; "" for none
	browser string // path; "" for the first found
}

func (p *printing) register(c *cobra.Command) {
	c.Flags().StringVar(&p.pdf, "pdf", "", "new `file` for the page as PDF, printed by Chromium, Chrome or Edge")
	c.Flags().StringVar(&p.browser, "browser", "", "`program` that prints, in place of the one found")
}

// checkPrinting says what can be said before there is a page: about the file, and whether there is a browser.
func (a *app) checkPrinting(p printing, o files.Overwrite) error {
	if p.pdf == "" {
		if p.browser != "" {
			return cli.Usagef("--browser prints nothing without --pdf")
		}
		return nil
	}
	if err := files.Check(p.pdf, o); err != nil {
		return err
	}
	_, err := a.browser(p)
	return err
}

func (a *app) browser(p printing) (path string, err error) {
	if p.browser != "" {
		return browser.Find([]string{p.browser})
	}
	return browser.Find(browser.Candidates(runtime.GOOS, a.Getenv))
}

// longestPrint is for a page that takes seconds.
const longestPrint = 2 * time.Minute

var errTooLong = errors.New("it took longer than two minutes")

// printPage returns a page as PDF, nil if none is asked for.
func (a *app) printPage(ctx context.Context, p printing, page []byte) ([]byte, error) {
	if p.pdf == "" {
		return nil, nil
	}
	path, err := a.browser(p)
	if err != nil {
		return nil, err
	}
	a.Say("printing with %s", path)
	ctx, cancel := context.WithTimeoutCause(ctx, longestPrint, errTooLong)
	defer cancel()
	return browser.Print(ctx, path, page)
}

// explainPrint covers browsers.
func explainPrint(err error) (cli.Advice, bool) {
	const elsewhere = "leave out --pdf, and print the page from a browser, on any machine"
	if _, ok := errors.AsType[*browser.MissingError](err); ok {
		return cli.Advice{Hints: []string{"name a Chromium, Chrome or Edge with --browser", elsewhere}, Exit: cli.ExitFailed}, true
	}
	if _, ok := errors.AsType[*browser.PrintError](err); ok {
		return cli.Advice{Hints: []string{"try another Chromium, Chrome or Edge with --browser", elsewhere}, Exit: cli.ExitFailed}, true
	}
	return cli.Advice{}, false
}
