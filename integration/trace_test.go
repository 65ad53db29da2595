// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

package integration_test

import (
	"bytes"
	"encoding/hex"
	"regexp"
	"strings"
	"testing"
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
	for _, tt := range []struct {
		args []string
		to   string // where the material may go, a file that has no name yet; "" for nowhere
	}{
		{[]string{"escrow", "open", "app.escrow", "--share", "shares.txt", "--out", "back.key"}, d.path("#")},
		{[]string{"escrow", "split", "app.escrow", "--share", "shares.txt", "--seal-key", "app.key", "--out", "new.escrow"}, ""},
		{[]string{"bring", "--material", "app.escrow", "--share", "shares.txt", "--spec", "HMAC_256", "--never-expires", "--verbose"}, ""},
		{[]string{"inspect", "shares.txt"}, ""},
		{[]string{"inspect", "app.escrow", "--verbose"}, ""},
	} {
		t.Run(strings.Join(tt.args[:2], " "), func(t *testing.T) {
			d := d.at(t)
			written := d.traceWrites(tt.args...)
			if written[""] != nil {
				t.Fatalf("a write to nowhere: %q", written[""])
			}
			for to, data := range written {
				if form := findAny(key, data); form != "" {
					t.Errorf("%s got the key of the escrow as %s", to, form)
				}
				form := findAny(material, data)
				if form != "" && (tt.to == "" || !strings.HasPrefix(to, tt.to)) {
					t.Errorf("%s got the material as %s", to, form)
				}
				if form == "" && tt.to != "" && strings.HasPrefix(to, tt.to) {
					t.Errorf("the trace does not see the material go to %s", to)
				}
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

// traceWrites runs keymat and returns all that it wrote, by where that went: the
// path of a file, or what the kernel calls a pipe or a socket.
func (d *desk) traceWrites(args ...string) map[string][]byte {
	d.t.Helper()
	line := append([]string{"-f", "-q", "-y", "-xx", "-s", "1000000", "-o", "strace.log",
		"-e", "trace=write,pwrite64,writev,sendto,sendmsg,execve", built.keymat}, args...)
	if o := d.try(tool(d.t, "strace", "strace"), line...); o.status != 0 {
		d.t.Fatalf("keymat %s: exit code %d\n%s", strings.Join(args, " "), o.status, o.stderr)
	}
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
