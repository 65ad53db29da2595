// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

package integration_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/keymat/keymat/internal/term/termtest"
)

// TestSecretsReachOneFile traces every byte that keymat gives to the kernel:
// the material goes into the one file that was named, and the key of the
// escrow, the shares and the words go nowhere.
func TestSecretsReachOneFile(t *testing.T) {
	d := newDesk(t)
	d.keymat("generate", "--spec", "HMAC_256", "--out", "app.key")
	d.keymat("escrow", "seal", "--material", "app.key", "--spec", "HMAC_256", "--quorum", "2/2", "--shares-dir", "cards", "--out", "app.escrow")
	words := d.card("cards/share-1.html").words()
	d.write("shares.txt", []byte(strings.Join(words, " ")+"\n"+strings.Join(d.card("cards/share-2.html").words(), " ")))
	d.keymat("escrow", "combine", "--escrow", "app.escrow", "--share", "shares.txt", "--out", "key.txt")

	material := searchTerms([][]byte{d.read("app.key")})
	key := append(searchTerms([][]byte{unhex(t, d.read("key.txt"))}), term{"words", []byte(strings.Join(words[5:7], " "))})
	alias := "alias/trace-" + strings.ToLower(rand.Text())
	arn := d.bringTo(alias)
	opens := []string{"--share", "shares.txt"}
	file := d.path("#") // that has no name yet
	for _, tt := range []struct {
		args          []string
		material, key string // where they may go; "" for nowhere
	}{
		{[]string{"escrow", "open", "app.escrow", "--out", "back.key"}, file, ""},
		{[]string{"escrow", "combine", "--escrow", "app.escrow", "--out", "back.txt"}, "", file},
		{[]string{"escrow", "split", "app.escrow", "--seal-key", "app.key", "--out", "new.escrow"}, "", ""},
		{[]string{"escrow", "seal", "--material", "app.escrow", "--seal-key", "key.txt", "--out", "again.escrow"}, "", ""},
		{[]string{"escrow", "drill", "app.escrow", "--offline", "--out", "offline.drill"}, "", ""},
		{[]string{"escrow", "drill", "app.escrow", "--key", arn, "--out", "key.drill"}, "", ""},
		{[]string{"bring", "--material", "app.escrow", "--spec", "HMAC_256", "--never-expires", "--verbose"}, "", ""},
		{[]string{"confirm", arn, "--material", "app.escrow", "--verbose"}, "", ""},
		{[]string{"reimport", arn, "--material", "app.escrow", "--expires", "30d", "--verbose"}, "", ""},
		{[]string{"renew", arn, "--material", "app.escrow", "--expires", "60d", "--verbose"}, "", ""},
		{[]string{"rotate", arn, "--swap-alias", alias, "--material", "app.escrow", "--never-expires", "--verbose"}, "", ""},
		{[]string{"wrap", "--material", "app.escrow", "--params", "params.json", "--out", "wrapped.json", "--verbose"}, "", ""},
		{[]string{"inspect", "shares.txt"}, "", ""},
		{[]string{"inspect", "app.escrow", "--verbose"}, "", ""},
	} {
		t.Run(strings.Join(tt.args[:2], " "), func(t *testing.T) {
			d := d.at(t)
			if tt.args[0] == "wrap" {
				d.keymat("fetch", arn, "--out", "params.json")
			}
			if tt.args[0] != "inspect" {
				tt.args = append(tt.args, opens...)
			}
			written := d.traceWrites(append(tt.args, "--no-input")...)
			checkReach(t, written, "the key of the escrow", key, tt.key)
			checkReach(t, written, "the material", material, tt.material)
		})
	}
}

// checkReach demands that of all that was written a secret is only in what went
// there, and nowhere if that is "".
func checkReach(t *testing.T, written map[string][]byte, what string, secret []term, there string) {
	t.Helper()
	if written[""] != nil {
		t.Fatalf("a write to nowhere: %q", written[""])
	}
	reached := there == ""
	for to, data := range written {
		form := findAny(secret, data)
		allowed := there != "" && strings.HasPrefix(to, there)
		if form != "" && !allowed {
			t.Errorf("%s got %s as %s", to, what, form)
		}
		reached = reached || form != "" && allowed
	}
	if !reached {
		t.Errorf("the trace does not see %s go to %s", what, there)
	}
}

// bringTo brings app.key into a new key of that alias.
func (d *desk) bringTo(alias string) (arn string) {
	d.t.Helper()
	var brought struct {
		KeyARN string `json:"key_arn"`
	}
	d.keymatJSON(&brought, "bring", "--material", "app.key", "--spec", "HMAC_256", "--alias", alias, "--never-expires", "--wrapping-key", "RSA_2048")
	return brought.KeyARN
}

// TestTypedSecretsReachNothing types shares, word by word, and passphrases: none
// of it is written anywhere, and nothing of it is seen on the screen.
func TestTypedSecretsReachNothing(t *testing.T) {
	d := newDesk(t)
	d.keymat("escrow", "seal", "--generate", "--spec", "HMAC_256", "--quorum", "2/2", "--fips", "--shares-dir", "cards", "--out", "app.escrow")
	var words []string
	for _, card := range []string{"cards/share-1.html", "cards/share-2.html"} {
		words = append(words, d.card(card).words()...)
	}
	d.run(built.keymat, "escrow", "combine", "--share", "cards/share-1.html", "--share", "cards/share-2.html", "--out", "key.txt", "--no-input")
	key := append(searchTerms([][]byte{unhex(t, d.read("key.txt"))}), term{"words", []byte(strings.Join(words[5:7], " "))})
	const passphrase = "correct horse battery staple"

	for _, tt := range []struct {
		name   string
		args   []string
		answer []string
		asked  string
		secret []term
	}{
		{"shares", []string{"escrow", "drill", "app.escrow", "--offline"}, words, "of 33: ", key},
		{"passphrase", []string{"escrow", "seal", "--generate", "--spec", "HMAC_256", "--passphrase", "--out", "p.escrow"}, []string{passphrase, passphrase},
			": ", searchTerms([][]byte{[]byte(passphrase)})},
		{"passphrase again", []string{"escrow", "drill", "p.escrow", "--offline"}, []string{passphrase}, ": ", searchTerms([][]byte{[]byte(passphrase)})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := d.at(t)
			strace := d.strace(tt.args...)
			strace.Dir, strace.Env = d.dir, environment(d.dir, d.url)
			var stderr bytes.Buffer
			strace.Stderr = &stderr
			console := termtest.Open(t)
			console.Start(strace)
			for _, answer := range tt.answer {
				console.Expect(tt.asked)
				if console.Echoes() {
					t.Error("echo is on behind the prompt")
				}
				console.Type(answer + "\r")
			}
			if err := console.Wait(); err != nil {
				t.Fatalf("%v\n%s", err, &stderr)
			}
			checkReach(t, d.written(), "what opens the escrow", tt.secret, "")
			var typed []term
			for _, answer := range tt.answer {
				if len(answer) > 5 { // which no word of the questions has
					typed = append(typed, term{"typed", []byte(answer)})
				}
			}
			if form := findAny(typed, []byte(console.Screen())); form != "" {
				t.Errorf("the screen shows what was %s: %q", form, console.Screen())
			}
		})
	}
}

// TestGeneratedMaterialReachesNoFile brings material that is generated in memory
// into escrows, and then knows from those what to search the trace for.
func TestGeneratedMaterialReachesNoFile(t *testing.T) {
	quorum := []string{"--quorum", "2/2", "--custodian", crashRecipient, "--custodian", crashRecipient, "--shares-dir", "shares"}
	for name, tt := range map[string]struct{ to, opens []string }{
		"recipients": {[]string{"--escrow-to", crashRecipient}, nil},
		"identity":   {[]string{"--escrow-to", crashRecipient, "--identity", "id.txt"}, nil},
		"quorum":     {quorum, []string{"--share", "shares/share-1.age", "--share", "shares/share-2.age"}},
		"key":        {[]string{"--seal-key", "kek.key"}, []string{"--open-key", "kek.key"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newCopyDesk(t)
			written := d.traceWrites(append([]string{"bring", "--spec", "HMAC_256", "--never-expires", "--verbose", "--escrow-out", "app.escrow"}, tt.to...)...)
			d.keymat(append([]string{"escrow", "open", "app.escrow", "--identity", "id.txt", "--out", "app.key"}, tt.opens...)...)
			terms := searchTerms([][]byte{d.read("app.key")})
			imported := false
			for to, data := range written {
				if form := findAny(terms, data); form != "" {
					t.Errorf("%s got the material as %s", to, form)
				}
				imported = imported || strings.HasPrefix(to, "socket:") && bytes.Contains(data, []byte(`"EncryptedKeyMaterial":"`))
			}
			if !imported {
				t.Error("the trace does not see the import")
			}
		})
	}
}

func unhex(t *testing.T, line []byte) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.TrimSpace(string(line)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// strace is the command that runs keymat and notes all that it writes.
func (d *desk) strace(args ...string) *exec.Cmd {
	d.t.Helper()
	line := append([]string{"-f", "-q", "-y", "-xx", "-s", "1000000", "-o", "strace.log",
		"-e", "trace=write,pwrite64,writev,sendto,sendmsg,execve", built.keymat}, args...)
	return exec.Command(tool(d.t, "strace", "strace"), line...)
}

// traceWrites runs keymat and returns all that it wrote, by where that went: the
// path of a file, or what the kernel calls a pipe or a socket.
func (d *desk) traceWrites(args ...string) map[string][]byte {
	d.t.Helper()
	line := d.strace(args...).Args
	if o := d.try(line[0], line[1:]...); o.status != 0 {
		d.t.Fatalf("keymat %s: exit code %d\n%s", strings.Join(args, " "), o.status, o.stderr)
	}
	return d.written()
}

// written is what the last strace saw.
func (d *desk) written() map[string][]byte {
	d.t.Helper()
	call := regexp.MustCompile(`^\d+ +\w+\((?:\d+<([^>]*)>)?`)
	text := regexp.MustCompile(`"((?:\\x[0-9a-f]{2})*)"`)
	written := map[string][]byte{}
	for line := range strings.Lines(string(d.read("strace.log"))) {
		found := call.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		where := unescape(d.t, found[1])
		if strings.Contains(line, " execve(") {
			where = "argv and environment"
		}
		for _, s := range text.FindAllStringSubmatch(line, -1) {
			written[where] = append(append(written[where], unhex(d.t, []byte(strings.ReplaceAll(s[1], `\x`, "")))...), 0)
		}
	}
	if len(written) < 2 {
		d.t.Fatalf("the trace shows only %d places", len(written))
	}
	return written
}

// unescape reads a path that strace wrote in hexadecimal.
func unescape(t *testing.T, path string) string {
	t.Helper()
	if !strings.HasPrefix(path, `\x`) {
		return path
	}
	return string(unhex(t, []byte(strings.ReplaceAll(path, `\x`, ""))))
}
