// SPDX-License-Identifier: Apache-2.0

// Package consoletest plays the people of a ceremony around its terminals, for
// tests of whole programs. They know nothing but what they see: custodians write
// their shares down and type them later, digests are read aloud from one screen and
// typed at another. Linux only.
package consoletest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/internal/card"
	"github.com/keymat/keymat/internal/term/termtest"
)

// People are all who take part in a ceremony.
type People struct {
	Keys   string                                      // folder with the ssh private key of each, <ID>.key
	Media  func(what string) string                    // the folder where a medium is mounted
	PINs   map[string]string                           // parts of the PIN of a token, by who knows them
	Memory string                                      // folder in memory, from which cards are printed
	Lead   func(question string, options []string) int // decides, from 0; nil for always the first option

	// Instead types other keys than usual at a question, by all that was shown since the last, where it says so; may be nil.
	Instead func(shown string) (keys string, ok bool)

	notes  map[string]string // shares by their numbers, as they were written down or printed
	heard  map[string]string // digests by the names of files, as they were read aloud
	alone  string            // ID of who is alone before the screen
	signer string            // ID of who signs next
}

// A question is what stands at the end of the screen while an answer is awaited.
type question struct {
	asked  *regexp.Regexp
	answer func(p *People, asked []string) string
}

func questions() []question {
	ask := func(pattern string, answer func(*People, []string) string) question {
		return question{regexp.MustCompile(`(?:` + pattern + `)\z`), answer}
	}
	always := func(text string) func(*People, []string) string {
		return func(*People, []string) string { return text }
	}
	return []question{
		ask(`Who of these is here\? Type their IDs, or all, or none: `, always("all")),
		ask(`by the clock on the wall, in UTC \(such as [^)]*\): `, func(*People, []string) string { return time.Now().UTC().Format("2006-01-02 15:04:05") }),
		ask(`\d+\.\d+ [^\n]*?\(([a-z0-9-]+)\)[^\n]*: your ID: `, func(_ *People, asked []string) string { return asked[1] }),
		ask(`\(([a-z0-9-]+)\): type your ID once nobody else can see what you \w+: `, func(p *People, asked []string) string {
			p.alone = asked[1]
			return asked[1]
		}),
		ask(`\(([a-z0-9-]+)\): how do you sign, with the key [^\n]*\n[^>]*> `, func(p *People, asked []string) string {
			p.signer = asked[1]
			return "2"
		}),
		ask(`: your part of the PIN of the token "[^"]*": `, func(p *People, _ []string) string { return p.PINs[p.alone] }),
		ask(`file with the private key: `, func(p *People, _ []string) string { return filepath.Join(p.Keys, p.signer+".key") }),
		ask(`: put in ([^\n]*)\. The folder where it is mounted: `, func(p *People, asked []string) string { return p.Media(asked[1]) }),
		ask(`Enter once it is (?:out|mounted): `, always("")),
		ask(`number of the bag of ([^\n]*) \(Enter alone for none\): `, (*People).bag),
		ask(`(?s)Share (\d+) of[^\n]*\n\n(.*)\n\nPress Enter to wipe the screen: `, (*People).writeDown),
		ask(`what do you print from\?\n[^>]*> `, always("1")),
		ask(`a folder in memory, such as /dev/shm: `, func(p *People, _ []string) string { return p.Memory }),
		ask(`: print (\S+/share-(\d+)\.pdf), and look whether every word can be read\.\n   Enter removes the file: `, (*People).print),
		ask(`Share (\d+), word (\d+) of \d+: `, (*People).word),
		ask(`Share (\d+), the file it is in \(Enter alone to break off\): `, (*People).file),
		ask(`Share \d+, the file with the key that opens it: `, func(p *People, _ []string) string { return filepath.Join(p.Keys, p.alone+".key") }),
		ask(`(?s)Type the SHA-256 of (\S+?),.* 0 of 32: `, func(p *People, asked []string) string { return p.heard[asked[1]] }),
		ask(`\d+\.\d+ ([^\n]*)\n((?:  \d+ +[^\n]*\n)+)> `, (*People).decide),
	}
}

// Play answers the questions of a command until it ends, and returns its error. A
// question that nobody has an answer to fails the test.
func (p *People) Play(t testing.TB, c *termtest.Console) error {
	t.Helper()
	if p.notes == nil {
		p.notes, p.heard = map[string]string{}, map[string]string{}
	}
	all := questions()
	for answers := 0; ; answers++ {
		if answers > mostAnswers {
			t.Fatalf("there is no end of questions: %s", c.Screen())
		}
		var keys string
		shown, ok := c.Until(func(shown string) bool {
			shown = strings.ReplaceAll(shown, "\r\n", "\n")
			if p.Instead != nil {
				if typed, ok := p.Instead(shown); ok {
					keys = typed
					return true
				}
			}
			for _, q := range all {
				if asked := q.asked.FindStringSubmatch(shown); asked != nil {
					p.listen(shown)
					keys = q.answer(p, asked) + "\r"
					return true
				}
			}
			return false
		})
		p.listen(strings.ReplaceAll(shown, "\r\n", "\n"))
		if !ok {
			return c.Wait()
		}
		c.Type(keys)
	}
}

// mostAnswers is more than any ceremony takes.
const mostAnswers = 2000

// listen keeps what is read aloud from the screen.
func (p *People) listen(shown string) {
	for _, aloud := range regexp.MustCompile(`read the digest of (\S+) aloud:\n((?:     [A-Za-z ]+\n){4})`).FindAllStringSubmatch(shown, -1) {
		p.heard[aloud[1]] = strings.Join(strings.Fields(aloud[2]), " ")
	}
	for _, aloud := range regexp.MustCompile(`(?s)(package-\d+\.json) was\s+wrapped.*?SHA-256 ([0-9a-f]{64})`).FindAllStringSubmatch(shown, -1) {
		p.heard[aloud[1]] = aloud[2]
	}
}

// bag gives everything that goes into one a bag with its own number.
func (p *People) bag(asked []string) string {
	return "TE-" + strings.Join(regexp.MustCompile(`\d+`).FindAllString(asked[1], 1), "")
}

// writeDown has a custodian copy the words of a share.
func (p *People) writeDown(asked []string) string {
	var words []string
	for _, field := range strings.Fields(asked[2]) {
		if strings.Trim(field, "0123456789") != "" {
			words = append(words, field)
		}
	}
	p.notes[asked[1]] = strings.Join(words, " ")
	return ""
}

// print takes a card from the printer.
func (p *People) print(asked []string) string {
	page, err := os.ReadFile(asked[1])
	if err == nil {
		p.notes[asked[2]] = string(card.Text(page))
	}
	return ""
}

// file is the share that was last written to the medium of whoever is alone.
func (p *People) file(asked []string) string {
	folder := p.Media("the medium for share " + asked[1] + ", of " + p.alone)
	all, _ := filepath.Glob(filepath.Join(folder, "share-"+asked[1]+"-*.age"))
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}

// word is one of those that were written down, as far as it has to be typed.
func (p *People) word(asked []string) string {
	var n int
	fmt.Sscan(asked[2], &n)
	words := strings.Fields(p.notes[asked[1]])
	if n < 1 || n > len(words) {
		return ""
	}
	return words[n-1][:min(4, len(words[n-1]))]
}

func (p *People) decide(asked []string) string {
	if p.Lead == nil {
		return "1"
	}
	var options []string
	for line := range strings.Lines(asked[2]) {
		_, label, _ := strings.Cut(strings.TrimSpace(line), " ")
		options = append(options, strings.TrimSpace(label))
	}
	return fmt.Sprint(p.Lead(asked[1], options) + 1)
}

// Stick gives a folder of its own to each medium, and to an empty one each time.
// What came from another machine is the last that was empty.
type Stick struct {
	Base string
	made int
}

// Mount is where a medium is.
func (s *Stick) Mount(what string) string {
	if strings.HasPrefix(what, "an empty medium") {
		s.made++
	}
	name := fmt.Sprintf("stick-%d", s.made)
	what, _, _ = strings.Cut(what, ", to ")
	if !strings.HasPrefix(what, "an empty medium") && !strings.HasPrefix(what, "the medium that came") {
		name = strings.Join(regexp.MustCompile(`[a-z0-9]+`).FindAllString(strings.ToLower(what), -1), "-")
	}
	folder := filepath.Join(s.Base, name)
	os.MkdirAll(folder, 0o700)
	return folder
}
