// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// textOf is the first of three shares of an escrow.
func textOf(t *testing.T) string {
	t.Helper()
	_, shares, err := sealed()
	if err != nil {
		t.Fatal(err)
	}
	var text string
	shares[0].Text().Expose(func(b []byte) error { text = string(b); return nil })
	return text
}

const alone = "0.1 Cai (custodian-1): type your ID once nobody else can see what you "

// TestShowShare: the share is on the screen for its custodian alone, and gone
// afterwards with what can be scrolled back to.
func TestShowShare(t *testing.T) {
	const wantBefore = `   Only Cai (custodian-1) may look. Everybody else: turn away from the screen.
0.1 Cai (custodian-1): type your ID once nobody else can see what you read: operator-1
   ! Ona (operator-1) is not the one who may look
0.1 Cai (custodian-1): type your ID once nobody else can see what you read: custodian-1
`
	for _, tt := range []struct{ name, keys, want, after string }{
		{"copied", "\r", "<nil> <nil>", "   Share 1 is off the screen.\n"},
		{"interrupted", "\x03", "<nil> interrupted", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, screen := play(t, "show", "", line{"Only Cai (custodian-1) may look. Everybody else: turn away", ""},
				line{alone + "read: ", "operator-1\r"}, line{"! Ona (operator-1) is not the one who may look", ""}, line{": ", "custodian-1\r"},
				line{"Press Enter to wipe the screen: ", tt.keys})
			text, outcome, _ := strings.Cut(got, "\n")
			if outcome != tt.want {
				t.Errorf("got %s, want %s", outcome, tt.want)
			}
			before, shown, found := strings.Cut(screen, "\x1b[?1049h")
			shown, after, left := strings.Cut(shown, "\x1b[2J\x1b[3J\x1b[H\x1b[?1049l")
			if !found || !left {
				t.Fatalf("the share is not on a screen of its own: %q", screen)
			}
			for i, word := range strings.Fields(text) {
				if !strings.Contains(shown, fmt.Sprintf("%3d %s", i+1, word)) {
					t.Errorf("word %d is not shown", i+1)
				}
			}
			if before != wantBefore || after != tt.after {
				t.Errorf("outside of it are %q and %q", before, after)
			}
		})
	}
	playAll(t, []part{{name: "in a file", scene: "in a file", want: "<nil> share 3 goes out in the mode file, which shows nothing at the terminal"}})
}

// TestPrintShare: the card is in memory, and gone once it was printed, or when
// that is broken off.
func TestPrintShare(t *testing.T) {
	const memory = "/dev/shm"
	folder, err := os.MkdirTemp(memory, "keymat-console-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	for _, tt := range []struct{ name, who, format, file, keys, want string }{
		{"PDF", "custodian-2", "1\r", "share-2.pdf", "\r", "<nil> <nil>"},
		{"HTML, for somebody absent", "witness", "2\r", "share-2.html", "\x03", "<nil> interrupted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join(folder, tt.file)
			got, screen := play(t, "print", "", line{"what you print: ", "custodian-1\r"}, line{"what you print: ", tt.who + "\r"},
				line{"0.2 Col (custodian-2): what do you print from?", tt.format},
				line{"0.3 Col (custodian-2): a folder in memory, such as /dev/shm: ", "/proc\r"}, line{"! /proc is on a disk", ""}, line{": ", folder + "\r"},
				line{"0.4 Col (custodian-2): print " + name + ", and look whether every word can be read.\r\n   Enter removes the file: ", tt.keys},
				line{name + " is removed.", ""})
			if got != tt.want {
				t.Errorf("got %s, want %s: %s", got, tt.want, screen)
			}
			if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
				t.Errorf("left are %v, error %v", left, err)
			}
		})
	}
}

func TestReadShare(t *testing.T) {
	text := textOf(t)
	var typed []line
	for i, word := range strings.Fields(text) {
		typed = append(typed, line{fmt.Sprintf("0.2 Share 1, word %d of 33: ", i+1), word[:4] + "\r"})
	}
	ready := line{alone + "type: ", "custodian-1\r"}
	const turnAway = "   Only Cai (custodian-1) may look. Everybody else: turn away from the screen.\n"
	asked := func(lines ...line) (screen string) {
		for _, l := range lines {
			screen += l.shown + "\n"
		}
		return turnAway + ready.shown + "custodian-1\n" + screen
	}
	playAll(t, []part{
		{name: "word by word", scene: "read", lines: append([]line{ready}, typed...), want: "1 <nil>", screen: asked(typed...)},
		{name: "scanned", scene: "read", lines: []line{ready, {typed[0].shown, text + "\r"}}, want: "1 <nil>", screen: asked(typed[0])},
		{name: "taken back", scene: "read", lines: append([]line{ready, typed[0], {"word 2 of 33: ", "qqqq\r"}, {"- takes the last word back", ""}, {"word 2 of 33: ", "-\r"}}, typed...), want: "1 <nil>"},
		{name: "no share", scene: "read", lines: append([]line{ready, {"word 1 of 33: ", text + " acid\r"}, {"; it was not taken", ""}}, typed...), want: "1 <nil>"},
		{name: "broken off", scene: "read", lines: []line{ready, typed[0], {"word 2 of 33: ", "\x04"}}, want: "0 the entry was broken off, and nothing was made"},
		{name: "interrupted", scene: "read", lines: []line{ready, typed[0], {"word 2 of 33: ", "\x03"}}, want: "0 interrupted"},
	})
}

func TestReadShareFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "share-3.age")
	if err := os.WriteFile(name, []byte("encrypted: "+textOf(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	ready := line{"(custodian-3): type your ID", "custodian-3\r"}
	const which, key = "0.2 Share 3, the file it is in (Enter alone to break off): ", "0.2 Share 3, the file with the key that opens it: "
	playAll(t, []part{
		{name: "opened", scene: "read file", lines: []line{ready, {which, name + "\r"}, {key, "mine\r"}}, want: "1 <nil>"},
		{name: "at the third attempt", scene: "read file", lines: []line{ready, {which, name + "x\r"}, {key, "mine\r"}, {"no such file", ""},
			{which, name + "\r"}, {key, "other\r"}, {"no identity matches; it was not taken", ""}, {which, name + "\r"}, {key, "mine\r"}}, want: "1 <nil>"},
		{name: "broken off", scene: "read file", lines: []line{ready, {which, "\r"}}, want: "0 the entry was broken off, and nothing was made"},
		{name: "interrupted", scene: "read file", lines: []line{ready, {which, name + "\r"}, {key, "\x03"}}, want: "0 interrupted"},
	})
}
