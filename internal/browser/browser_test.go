// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keymat/keymat/internal/browser"
)

// as names the behaviour of this test binary when it is started as a browser; reached is whom one that hangs calls first.
const as, reached = "KEYMAT_TEST_BROWSER", "KEYMAT_TEST_REACHED"

func TestMain(m *testing.M) {
	if how := os.Getenv(as); how != "" {
		os.Exit(pretend(how, os.Args[1:]))
	}
	os.Exit(m.Run())
}

// pretend does what a browser does, well or badly.
func pretend(how string, args []string) (status int) {
	address, err := url.Parse(args[len(args)-1])
	if err != nil {
		return 10
	}
	page, err := os.ReadFile(filepath.FromSlash(address.Path))
	if err != nil {
		return 11
	}
	profile, to := flag(args, "--user-data-dir="), flag(args, "--print-to-pdf=")
	if err := errors.Join(os.MkdirAll(filepath.Join(profile, "Default"), 0o700), os.WriteFile(filepath.Join(profile, "Default", "History"), page, 0o600)); err != nil {
		return 12
	}
	fmt.Fprint(os.Stderr, "starting\nit rains  \n")
	switch how {
	case "prints":
		page = fmt.Appendf(nil, "%%PDF-1.4\n%s%%%%EOF\n", page)
	case "cut short":
		page = []byte("%PDF-1.4\n")
	case "fails":
		return 3
	case "writes nothing":
		return 0
	case "hangs":
		conn, err := net.Dial("tcp", os.Getenv(reached))
		if err != nil {
			return 13
		}
		io.Copy(io.Discard, conn) // until this is killed
	}
	if os.WriteFile(to, page, 0o600) != nil {
		return 14
	}
	return 0
}

func flag(args []string, name string) string {
	i := slices.IndexFunc(args, func(arg string) bool { return strings.HasPrefix(arg, name) })
	return strings.TrimPrefix(args[i], name)
}

func TestPrint(t *testing.T) {
	const page = "<!doctype html><title>Ä</title>"
	for how, want := range map[string]string{
		"prints":         "",
		"cut short":      "it wrote no whole PDF: it rains",
		"writes HTML":    "it wrote no whole PDF: it rains",
		"writes nothing": "it wrote no whole PDF: it rains",
		"fails":          "exit status 3: it rains",
	} {
		t.Run(how, func(t *testing.T) {
			temporary := folder(t)
			t.Setenv(as, how)
			pdf, err := browser.Print(t.Context(), os.Args[0], []byte(page))
			if want != "" {
				want = "printing with " + os.Args[0] + ": " + want
				if e, ok := errors.AsType[*browser.PrintError](err); !ok || e.Error() != want || pdf != nil {
					t.Errorf("got %q, error %v, want %s", pdf, err, want)
				}
			} else if err != nil || string(pdf) != "%PDF-1.4\n"+page+"%%EOF\n" {
				t.Errorf("got %q, error %v", pdf, err)
			}
			wantEmpty(t, temporary)
		})
	}
}

// TestPrintEnds: a browser that hangs ends with the context, and leaves nothing.
func TestPrintEnds(t *testing.T) {
	temporary := folder(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	t.Setenv(as, "hangs")
	t.Setenv(reached, listener.Addr().String())
	late := errors.New("too late")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		listener.Accept()
		cancel(late)
	}()
	if _, err := browser.Print(ctx, os.Args[0], []byte("page")); !errors.Is(err, late) {
		t.Errorf("error %v, want %v", err, late)
	}
	wantEmpty(t, temporary)
}

// folder has temporary files made in a folder of the test's.
func folder(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"TMPDIR", "TMP", "TEMP"} {
		t.Setenv(name, folder)
	}
	return folder
}

func wantEmpty(t *testing.T, folder string) {
	t.Helper()
	if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
		t.Errorf("left %v, error %v", entries, err)
	}
}

func TestFind(t *testing.T) {
	none := filepath.Join(t.TempDir(), "chromium")
	if got, err := browser.Find([]string{none, os.Args[0]}); err != nil || got != os.Args[0] {
		t.Errorf("got %s, error %v", got, err)
	}
	_, err := browser.Find([]string{none, none + "-browser"})
	want := "found no browser that prints: none of " + none + ", " + none + "-browser"
	if e, ok := errors.AsType[*browser.MissingError](err); !ok || e.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestCandidates(t *testing.T) {
	env := map[string]string{"ProgramFiles": `C:\Program Files`}
	getenv := func(name string) string { return env[name] }
	for goos, want := range map[string]string{
		"linux":   "chromium",
		"freebsd": "chromium",
		"darwin":  "/Applications/Chromium.app/Contents/MacOS/Chromium",
		"windows": "C:/Program Files/Chromium/Application/chrome.exe",
	} {
		if got := browser.Candidates(goos, getenv); got[0] != want {
			t.Errorf("%s: first %s, want %s", goos, got[0], want)
		}
	}
	if got := browser.Candidates("windows", func(string) string { return "" }); got[0] != "chromium.exe" {
		t.Errorf("without an environment: first %s", got[0])
	}
}
