// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/keymat/keymat/escrow/shamir"
	"github.com/keymat/keymat/internal/term/termtest"
	"github.com/keymat/keymat/material"
)

// foreign runs one of the scripts of testdata/shares, which use nothing of ours.
// Tests that call it take turns, since npm may have to fetch what they need.
func (d *desk) foreign(script, input string, args ...string) []byte {
	d.t.Helper()
	folder, err := filepath.Abs(filepath.Join("testdata", "shares"))
	if err != nil {
		d.t.Fatal(err)
	}
	installModules(d.t, folder)
	d.write("foreign.in", []byte(input))
	line := append([]string{tool(d.t, "node", "nodejs"), filepath.Join(folder, script)}, args...)
	return d.sh(`'` + strings.Join(line, `' '`) + `' < foreign.in`)
}

// A printed card is what a custodian has years later.
type printedCard struct{ text string }

func (d *desk) card(name string) printedCard { return printedCard{string(d.read(name))} }

// words reads the numbered list.
func (c printedCard) words() (all []string) {
	for _, item := range regexp.MustCompile(`<li class="id"><b>([a-z]+)</b>([a-z]*)</li>`).FindAllStringSubmatch(c.text, -1) {
		all = append(all, item[1]+item[2])
	}
	return all
}

// withoutKeymat reads the command that opens an escrow with stock tools.
func (c printedCard) withoutKeymat(t *testing.T, escrow, out string) string {
	t.Helper()
	command := regexp.MustCompile(`<pre>(jq [^<]*)</pre>`).FindStringSubmatch(c.text)
	if command == nil {
		t.Fatal("the card has no command that begins with jq")
	}
	return strings.NewReplacer("FILE.escrow", escrow, "FILE.key", out).Replace(html.UnescapeString(command[1]))
}

// typeInto runs a command of the shell on a terminal, and types when age asks.
func (d *desk) typeInto(command, passphrase string) {
	d.t.Helper()
	tool(d.t, "age", "age")
	tool(d.t, "jq", "jq")
	sh := exec.Command("sh", "-c", command)
	sh.Dir = d.dir
	var stderr bytes.Buffer
	sh.Stderr = &stderr
	console := termtest.Open(d.t)
	console.Start(sh)
	console.Expect("assphrase")
	console.Type(passphrase + "\r")
	if err := console.Wait(); err != nil {
		d.t.Fatalf("%s: %v\n%s%s", command, err, &stderr, console.Screen())
	}
}

// TestCardsWithoutKeymat opens an escrow years later: two printed cards, the
// file, a package of the npm registry and Debian's age; nothing of ours.
func TestCardsWithoutKeymat(t *testing.T) {
	for _, spec := range []material.Spec{material.SymmetricDefault, material.RSA4096} {
		t.Run(string(spec), func(t *testing.T) {
			d := newDesk(t)
			if err := os.Mkdir(d.path("cards"), 0o700); err != nil {
				t.Fatal(err)
			}
			d.keymat("generate", "--spec", string(spec), "--out", "app.key")
			d.keymat("escrow", "seal", "--material", "app.key", "--spec", string(spec), "--quorum", "2/3", "--shares-dir", "cards", "--out", "app.escrow")
			first, third := d.card("cards/share-1.html"), d.card("cards/share-3.html")
			if len(first.words()) != 33 {
				t.Fatalf("the card has %d words", len(first.words()))
			}
			digits := d.foreign("slip39.mjs", strings.Join(third.words(), " ")+"\n"+strings.Join(first.words(), " "))
			d.typeInto(first.withoutKeymat(t, "app.escrow", "back.key"), strings.TrimSpace(string(digits)))
			if !bytes.Equal(d.read("back.key"), d.read("app.key")) {
				t.Error("other material came back")
			}
		})
	}
}

// TestQRCodes prints cards with 150 dots to the inch, scans them with zbar, and
// opens the escrow with what it reads.
func TestQRCodes(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"slip39", "shamir"} {
		t.Run(scheme, func(t *testing.T) {
			d := newDesk(t)
			d.keymat("generate", "--spec", "HMAC_384", "--out", "app.key")
			d.keymat("escrow", "seal", "--material", "app.key", "--spec", "HMAC_384", "--quorum", "2/2", "--scheme", scheme, "--shares-dir", ".", "--out", "app.escrow")
			var shares [][]byte
			for _, name := range []string{"share-1", "share-2"} {
				drawing := regexp.MustCompile(`(?s)<svg.*</svg>`).FindString(d.card(name + ".html").text)
				d.write(name+".svg", []byte(drawing))
				d.run(tool(t, "rsvg-convert", "librsvg2-bin"), "--dpi-x", "150", "--dpi-y", "150", "--output", name+".png", name+".svg")
				shares = append(shares, d.run(tool(t, "zbarimg", "zbar-tools"), "--quiet", "--raw", name+".png"))
			}
			d.write("shares.txt", bytes.Join(shares, nil))
			d.keymat("escrow", "open", "app.escrow", "--share", "shares.txt", "--out", "back.key")
			if !bytes.Equal(d.read("back.key"), d.read("app.key")) {
				t.Error("other material came back")
			}
		})
	}
}

// TestPDFCards prints cards with 150 dots to the inch, scans them with zbar, and
// reads the words as poppler does: both open the escrow.
func TestPDFCards(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"slip39", "shamir"} {
		t.Run(scheme, func(t *testing.T) {
			d := newDesk(t)
			d.keymat("escrow", "seal", "--generate", "--spec", "HMAC_384", "--quorum", "2/2", "--scheme", scheme, "--shares-dir", ".", "--card-format", "pdf", "--out", "app.escrow")
			var scanned, read [][]byte
			for _, name := range []string{"share-1", "share-2"} {
				d.run(tool(t, "pdftoppm", "poppler-utils"), "-r", "150", "-gray", "-png", "-singlefile", name+".pdf", name)
				scanned = append(scanned, d.run(tool(t, "zbarimg", "zbar-tools"), "--quiet", "--raw", name+".png"))
				text := d.run(tool(t, "pdftotext", "poppler-utils"), "-raw", name+".pdf", "-")
				_, share, _ := bytes.Cut(text, []byte("The share\n"))
				share, _, _ = bytes.Cut(share, []byte("The "))
				share = regexp.MustCompile(`(?m)\b[0-9]+\.`).ReplaceAll(share, nil)
				if scheme == "shamir" {
					share = bytes.Join(bytes.Fields(share), nil)
				}
				read = append(read, append(bytes.Join(bytes.Fields(share), []byte(" ")), '\n'))
			}
			d.write("scanned.txt", bytes.Join(scanned, nil))
			d.write("read.txt", bytes.Join(read, nil))
			for _, shares := range [][]string{{"scanned.txt"}, {"read.txt"}, {"share-1.pdf", "share-2.pdf"}} {
				args := []string{"escrow", "drill", "app.escrow", "--offline"}
				for _, share := range shares {
					args = append(args, "--share", share)
				}
				d.keymat(args...)
			}
		})
	}
}

// TestPlainShares combines shares of the textbook scheme with an audited
// package of the npm registry.
func TestPlainShares(t *testing.T) {
	d := newDesk(t)
	d.keymat("escrow", "seal", "--generate", "--spec", "HMAC_256", "--quorum", "3/5", "--scheme", "shamir", "--shares-dir", ".", "--out", "app.escrow")
	var lines []string
	for _, name := range []string{"share-5.html", "share-2.html", "share-1.html"} {
		text := regexp.MustCompile(`font-size: 1.2em">([^<]*)<`).FindStringSubmatch(d.card(name).text)
		if text == nil {
			t.Fatal("the card has no share")
		}
		s, err := shamir.Parse([]byte(strings.ReplaceAll(text[1], " ", "")))
		if err != nil {
			t.Fatal(err)
		}
		err = s.Value.Expose(func(y []byte) error {
			lines = append(lines, hex.EncodeToString(append(bytes.Clone(y), byte(s.Index))))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	digits := d.foreign("shamir.mjs", strings.Join(lines, "\n"))
	d.typeInto("jq -r .ciphertext app.escrow | base64 -d | age -d > payload", strings.TrimSpace(string(digits)))
	d.checkPayload("app.escrow", "payload")
}

// checkPayload holds what was sealed against the header, with jq and sha256sum.
func (d *desk) checkPayload(escrow, payload string) {
	d.t.Helper()
	var sealed struct {
		Header string `json:"header_sha256"`
	}
	if err := json.Unmarshal(d.read(payload), &sealed); err != nil {
		d.t.Fatal(err)
	}
	digest := d.sh(`jq -cj 'del(.ciphertext, .ciphertext_sha256)' ` + escrow + ` | sha256sum`)
	if got, _, _ := strings.Cut(string(digest), " "); got != sealed.Header || len(got) != 64 {
		d.t.Errorf("the header has the digest %s, sealed is %s", got, sealed.Header)
	}
	sum := d.sh(`jq -r .ciphertext ` + escrow + ` | base64 -d | sha256sum | cut -d' ' -f1`)
	if want := d.sh(`jq -r .ciphertext_sha256 ` + escrow); !bytes.Equal(sum, want) {
		d.t.Errorf("the ciphertext has the digest %s, the header says %s", sum, want)
	}
}

// TestRecipientsWithoutKeymat opens escrows for an age identity and for an ssh
// key with Debian's age.
func TestRecipientsWithoutKeymat(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	tool(t, "jq", "jq")
	age := tool(t, "age", "age")
	d.run(tool(t, "age-keygen", "age"), "-o", "age.txt")
	recipient := strings.TrimSpace(string(d.run("age-keygen", "-y", "age.txt")))
	d.sshKeygen("-t ed25519", "")
	d.keymat("generate", "--spec", "ECC_NIST_P384", "--out", "app.key")
	ssh := strings.TrimSpace(string(d.read("id.pub")))
	d.keymat("escrow", "seal", "--material", "app.key", "--recipient", recipient, "--recipient", ssh, "--out", "app.escrow")
	for _, identity := range []string{"age.txt", "id"} {
		d.sh(`jq -r .ciphertext app.escrow | base64 -d | ` + age + ` -d -i ` + identity + ` > payload`)
		d.sh(`jq -r .material payload | base64 -d > back.key`)
		if !bytes.Equal(d.read("back.key"), d.read("app.key")) {
			t.Errorf("%s: other material came back", identity)
		}
		d.checkPayload("app.escrow", "payload")
	}
}

// TestFIPSWithoutKeymat opens an escrow of AES-256-GCM with fifteen lines of
// JavaScript.
func TestFIPSWithoutKeymat(t *testing.T) {
	d := newDesk(t)
	d.env = append(d.env, "GODEBUG=fips140=only")
	d.keymat("generate", "--spec", "RSA_2048", "--out", "app.key")
	d.keymat("escrow", "seal", "--material", "app.key", "--quorum", "2/2", "--fips", "--shares-dir", ".", "--out", "app.escrow")
	var words []string
	for _, name := range []string{"share-1.html", "share-2.html"} {
		words = append(words, strings.Join(d.card(name).words(), " "))
	}
	digits := d.foreign("slip39.mjs", strings.Join(words, "\n"))
	if got := d.foreign("fips.mjs", string(digits), d.path("app.escrow")); !bytes.Equal(got, d.read("app.key")) {
		t.Error("other material came back")
	}
}
