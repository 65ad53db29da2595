// SPDX-License-Identifier: Apache-2.0

package cmd_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"
	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/cmd"
	"github.com/keymat/keymat/internal/term"
)

// person answers questions from a list, keeps what was asked and shown, and
// has nothing more to say at its end.
type person struct {
	answers []string
	asked   []string
	shown   []string
}

func (p *person) Secret(_ context.Context, prompt string) ([]byte, error) {
	p.asked = append(p.asked, prompt)
	if len(p.answers) == 0 {
		return nil, io.EOF
	}
	answer := p.answers[0]
	p.answers = p.answers[1:]
	return []byte(answer), nil
}

func (p *person) Confirm(_ context.Context, question string) (bool, error) {
	p.asked = append(p.asked, question)
	return true, nil
}

func (p *person) Choose(_ context.Context, question string, _ []term.Option) (int, error) {
	p.asked = append(p.asked, question)
	return 0, nil
}

func (p *person) Line(ctx context.Context, prompt string) (string, error) {
	line, err := p.Secret(ctx, prompt)
	return string(line), err
}

func (p *person) Show(_ context.Context, title string, secret []byte) error {
	p.shown = append(p.shown, title+"\n"+string(secret))
	return nil
}

// desk runs keymat in a folder, in front of a person.
type desk struct {
	t      *testing.T
	dir    string
	stdout bytes.Buffer
	stderr bytes.Buffer
}

func newDesk(t *testing.T) *desk { return &desk{t: t, dir: t.TempDir()} }

func (d *desk) path(name string) string { return filepath.Join(d.dir, name) }

// golden copies a file that the escrow package keeps.
func (d *desk) golden(name string) string {
	d.t.Helper()
	return d.copied(filepath.Join("..", "escrow", "testdata", "v1", name), name)
}

// stockMock has the desk's mock begin with wrapping keys.
func (d *desk) stockMock() {
	d.t.Helper()
	d.copied(stockedMock, "mock.db")
}

func (d *desk) copied(from, name string) string {
	d.t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(d.path(name), content, 0o600)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return string(content)
}

func (d *desk) run(p term.Prompter, status int, args ...string) {
	d.t.Helper()
	d.stdout.Reset()
	d.stderr.Reset()
	env := cmd.Env{
		Stdin: strings.NewReader(""), Stdout: &d.stdout, Stderr: &d.stderr,
		Getenv: func(string) string { return "" }, Prompter: p,
	}
	if got := cmd.Run(d.t.Context(), env, args); got != status {
		d.t.Fatalf("keymat %s: exit code %d, want %d\n%s", strings.Join(args, " "), got, status, &d.stderr)
	}
}

func (d *desk) wantTold(text string) {
	d.t.Helper()
	if !strings.Contains(d.stderr.String(), text) {
		d.t.Errorf("not told %q:\n%s", text, &d.stderr)
	}
}

// TestShareEntry types shares word by word, with every slip there is.
func TestShareEntry(t *testing.T) {
	d := newDesk(t)
	d.golden("quorum-words.escrow")
	want := d.golden("symmetric.key")
	shares := strings.Split(strings.TrimSpace(d.golden("quorum-words.shares")), "\n")
	first, third := strings.Fields(shares[0]), strings.Fields(shares[2])
	var short []string // four letters do
	for _, w := range third {
		short = append(short, strings.ToUpper(w[:4]))
	}
	swapped := slices.Clone(first)
	swapped[7], swapped[8] = swapped[8], swapped[7]
	typed := slices.Concat(
		first[:5], []string{"xyz", "aca", "-", first[4]}, first[5:], // no word; too short; one word back
		swapped,             // a wrong order
		[]string{shares[0]}, // the first share again, as a scanner types it
		short,
	)
	p := &person{answers: typed}
	d.run(p, 0, "escrow", "open", d.path("quorum-words.escrow"), "--out", d.path("out.key"))
	if got, err := os.ReadFile(d.path("out.key")); err != nil || string(got) != want {
		t.Errorf("other material, error %v", err)
	}
	d.wantTold("no word of the list begins like that, or less than 4 letters were typed")
	d.wantTold("share 1 is right as far as can be seen; 1 of 2")
	d.wantTold("warning: not a share: the checksum is wrong: a word is wrong or out of place; it was not taken")
	d.wantTold("warning: share 1 came twice; it was not taken")
	d.wantTold("share 3 is right as far as can be seen; 2 of 2")
	if got, want := p.asked[0], "Share 1 of 2, word 1 of 33"; got != want {
		t.Errorf("asked %q, want %q", got, want)
	}
	if got, want := p.asked[len(p.asked)-1], "Share 2 of 2, word 33 of 33"; got != want {
		t.Errorf("asked %q, want %q", got, want)
	}
	for i, w := range first[1:] {
		if pair := first[i] + " " + w; strings.Contains(d.stderr.String(), pair) {
			t.Errorf("the story tells the words %q", pair)
		}
	}
}

// TestShareEntryEnds: who has no more shares can stop, and nothing is written.
func TestShareEntryEnds(t *testing.T) {
	d := newDesk(t)
	d.golden("quorum-words.escrow")
	shares := strings.Split(d.golden("quorum-words.shares"), "\n")
	d.run(&person{answers: []string{shares[1], ""}}, 1, "escrow", "open", d.path("quorum-words.escrow"), "--out", d.path("out.key"))
	d.wantTold("1 of the 2 shares needed")
	if _, err := os.Stat(d.path("out.key")); err == nil {
		t.Error("something was written")
	}
}

// TestMoreShares: what files do not give is asked for.
func TestMoreShares(t *testing.T) {
	d := newDesk(t)
	d.golden("quorum-words.escrow")
	shares := strings.Split(strings.TrimSpace(d.golden("quorum-words.shares")), "\n")
	d.write("one.txt", shares[0])
	p := &person{answers: []string{shares[0], shares[2]}}
	d.run(p, 0, "escrow", "combine", "--share", d.path("one.txt"), "--out", d.path("key.txt"))
	d.wantTold("share 1 came twice; it was not taken")
	if len(p.asked) != 2 || p.asked[0] != "Share 2 of 2, word 1 of 33" {
		t.Errorf("asked %q", p.asked)
	}
}

// TestPlainShareEntry types shares of the textbook scheme, one of them foreign.
func TestPlainShareEntry(t *testing.T) {
	d := newDesk(t)
	d.golden("quorum-shamir.escrow")
	want := d.golden("p256.der")
	shares := strings.Split(strings.TrimSpace(d.golden("quorum-shamir.shares")), "\n")
	p := &person{answers: []string{"keymat1", shares[1], shares[0][:83] + "q", strings.ToUpper(shares[2])}}
	d.run(p, 0, "escrow", "open", d.path("quorum-shamir.escrow"), "--out", d.path("out.key"))
	if got, err := os.ReadFile(d.path("out.key")); err != nil || string(got) != want {
		t.Errorf("other material, error %v", err)
	}
	d.wantTold("the checksum is wrong: a character is wrong or out of place; it was not taken")
	if len(p.asked) != 4 {
		t.Errorf("asked %q", p.asked)
	}
}

// TestShowShares copies shares from the screen, and opens the escrow with them.
func TestShowShares(t *testing.T) {
	d := newDesk(t)
	for _, scheme := range []string{"slip39", "shamir"} {
		out := d.path(scheme + ".escrow")
		p := &person{}
		d.run(p, 0, "escrow", "seal", "--generate", "--spec", "HMAC_256", "--quorum", "2/3", "--scheme", scheme, "--show-shares", "--out", out)
		if len(p.shown) != 3 || len(p.asked) != 3 || !strings.Contains(p.shown[1], "Share 2 of 3 of the escrow ") {
			t.Fatalf("asked %q, shown %q", p.asked, p.shown)
		}
		var typed []string
		for _, screen := range p.shown[1:] {
			_, share, _ := strings.Cut(screen, "\n")
			var words []string
			for _, w := range strings.Fields(share) {
				if w[0] > '9' {
					words = append(words, w)
				}
			}
			typed = append(typed, strings.Join(words, " "))
			if strings.Contains(d.stderr.String(), words[len(words)-1]) {
				t.Error("the story tells a share")
			}
		}
		d.run(&person{answers: typed}, 0, "escrow", "open", out, "--out", d.path(scheme+".key"))
	}
}

// TestEscrowPassphrase seals as it is done; what it opens was sealed with little
// scrypt (a work factor of 10), for that takes a second and is proven in package
// escrow.
func TestEscrowPassphrase(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	seal := []string{"escrow", "seal", "--generate", "--spec", "HMAC_256", "--passphrase", "--out", d.path("p.escrow")}
	d.run(&person{answers: []string{"one", "two"}}, 1, seal...)
	d.wantTold("the two passphrases differ, and nothing was written")
	d.run(&person{answers: []string{"", ""}}, 1, seal...)
	d.wantTold("an empty passphrase protects nothing")
	d.run(&person{answers: []string{"one", "one"}}, 0, seal...)
	d.wantTold("wrote the escrow ")
	d.copied(filepath.Join("testdata", "passphrase.escrow"), "passphrase.escrow")
	want := d.golden("symmetric.key")
	d.run(&person{answers: []string{"wrong"}}, 1, "escrow", "open", d.path("passphrase.escrow"), "--out", d.path("out.key"))
	d.wantTold("the passphrase does not open the escrow")
	d.run(&person{answers: []string{"correct horse battery staple"}}, 0, "escrow", "open", d.path("passphrase.escrow"), "--out", d.path("out.key"))
	if got, err := os.ReadFile(d.path("out.key")); err != nil || string(got) != want {
		t.Errorf("other material, error %v", err)
	}
}

// TestUnwritable: when the escrow cannot be written, no shares are left that
// would open nothing. Where there is a /proc it takes no files.
func TestUnwritable(t *testing.T) {
	d := newDesk(t)
	if err := os.Mkdir(d.path("shares"), 0o700); err != nil {
		t.Fatal(err)
	}
	d.run(&person{}, 1, "escrow", "seal", "--generate", "--spec", "HMAC_256", "--quorum", "2/3", "--shares-dir", d.path("shares"), "--out", "/proc/keymat.escrow")
	left, err := os.ReadDir(d.path("shares"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, error %v", left, err)
	}
}

// TestProtectedIdentities opens escrows with identities that need something
// from the person: a passphrase, a PIN.
func TestProtectedIdentities(t *testing.T) {
	const passphrase = "tomato"
	d := newDesk(t)
	x25519 := strings.TrimSpace(d.golden("x25519.identity"))
	d.protect(x25519, passphrase, "age.txt", false)
	d.protect(x25519, passphrase, "armored.txt", true)
	d.write("plugin.txt", "# a YubiKey\nAGE-PLUGIN-SHIFT-1QYFS6JVC\n")
	d.encryptedSSH("id.ssh", passphrase)
	d.run(&person{}, 0, "escrow", "seal", "--generate", "--spec", "HMAC_256", "--out", d.path("app.escrow"),
		"-R", d.path("id.ssh.pub"), "-r", "age1shift1qyz9wcxq", "-r", "age102nvq67pnm3sjmva4pa5avvf6vph84wr6djy055c5reva244qq2qkd8r5z")
	tests := []struct{ identity, right, asked string }{
		{"age.txt", passphrase, "Passphrase of "},
		{"armored.txt", passphrase, "Passphrase of "},
		{"id.ssh", passphrase, "Passphrase of "},
		{"plugin.txt", "1234", "shift plugin: PIN"},
	}
	for _, tt := range tests {
		t.Run(tt.identity, func(t *testing.T) {
			open := []string{"escrow", "open", d.path("app.escrow"), "--identity", d.path(tt.identity), "--out", d.path(tt.identity + ".out")}
			d.run(&person{answers: []string{"wrong"}}, 1, open...)
			p := &person{answers: []string{tt.right}}
			d.run(p, 0, open...)
			if len(p.asked) != 1 || !strings.HasPrefix(p.asked[0], tt.asked) {
				t.Errorf("asked %q, want %q…", p.asked, tt.asked)
			}
		})
	}
	d.wantTold("shift plugin: touch nothing")
}

func TestNoIdentity(t *testing.T) {
	d := newDesk(t)
	d.golden("recipients.escrow")
	x25519 := d.golden("x25519.identity")
	for name, tt := range map[string]struct{ content, want string }{
		"empty":     {"# nothing\n", "there is no age identity in it"},
		"cut":       {x25519[:len(x25519)-4], "line 1 is not an age identity"},
		"text":      {"\n\nhello\n", "line 3 is not an age identity"},
		"recipient": {"ssh-ed25519 AAAA\n", "line 1 is a recipient; its identity is needed to open something"},
		"pem":       {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "not an ssh private key that age takes (ed25519 or RSA)"},
	} {
		d.write(name, tt.content)
		d.run(&person{}, 1, "escrow", "open", d.path("recipients.escrow"), "--identity", d.path(name), "--out", d.path("out"))
		d.wantTold(tt.want)
		if strings.Contains(d.stderr.String(), "AGE-SECRET") {
			t.Errorf("%s: the story tells an identity", name)
		}
	}
}

func (d *desk) write(name, content string) {
	d.t.Helper()
	if err := os.WriteFile(d.path(name), []byte(content), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// protect writes identities into an age file with a passphrase.
func (d *desk) protect(identities, passphrase, name string, inArmor bool) {
	d.t.Helper()
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		d.t.Fatal(err)
	}
	recipient.SetWorkFactor(10)
	var bare, text bytes.Buffer
	w, err := age.Encrypt(&bare, recipient)
	if err != nil {
		d.t.Fatal(err)
	}
	_, err = io.WriteString(w, identities)
	err = errors.Join(err, w.Close())
	a := armor.NewWriter(&text)
	_, armorErr := a.Write(bare.Bytes())
	if err := errors.Join(err, armorErr, a.Close()); err != nil {
		d.t.Fatal(err)
	}
	if inArmor {
		bare = text
	}
	d.write(name, bare.String())
}

// encryptedSSH makes a key pair as ssh-keygen does.
func (d *desk) encryptedSSH(name, passphrase string) {
	d.t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		d.t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKeyWithPassphrase(private, "a comment", []byte(passphrase))
	if err != nil {
		d.t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		d.t.Fatal(err)
	}
	d.write(name, string(pem.EncodeToMemory(block)))
	d.write(name+".pub", string(ssh.MarshalAuthorizedKey(key)))
}
