// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keymat/keymat/material"
)

// TestSecretsStayInTheirFiles runs every command there is, in all its talk, and
// then searches all that it said and left behind for the material.
func TestSecretsStayInTheirFiles(t *testing.T) {
	for _, spec := range []material.Spec{
		material.SymmetricDefault, material.HMAC512, material.RSA2048, material.ECCNISTP256, material.ECCNISTEdwards25519,
	} {
		for _, form := range [][]string{{"--verbose"}, {"--verbose", "--json"}} {
			t.Run(fmt.Sprint(spec, form), func(t *testing.T) {
				r := newRun(t, form)
				r.everyCommand(spec)
				r.checkNoneMissing()
				r.search(searchTerms(secretsOf(t, spec, r.read("app.key"))))
				r.search(searchTerms(r.labSecrets()))
				r.search(searchTerms([][]byte{r.sharedKey()}))
				r.search(searchTerms(r.componentSecrets()))
			})
		}
	}
}

// fullRun is a desk that remembers which commands ran and what they said.
type fullRun struct {
	*desk
	form []string
	ran  []string
	said map[string][]byte // by command line

	shared []byte // the key of an escrow that was shared, in hexadecimal
}

// sharedKey is the key of an escrow that was shared.
func (r *fullRun) sharedKey() []byte {
	r.t.Helper()
	key, err := hex.DecodeString(string(r.shared))
	if err != nil || len(key) != 32 {
		r.t.Fatalf("no key was shared: %v", err)
	}
	return key
}

func newRun(t *testing.T, form []string) *fullRun {
	d := newDesk(t)
	s, err := serve(d.dir, "--memory", "--shared-wrapping-keys", "--rotation-time", "100ms", "--verbose")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	d.url = s.url
	return &fullRun{desk: d, form: form, ran: []string{"mock serve"}, said: map[string][]byte{}}
}

// do runs a command that ends with this exit code.
func (r *fullRun) do(status int, command string, args ...string) {
	r.t.Helper()
	if o := r.listen(command, args...); o.status != status {
		r.t.Errorf("keymat %s %s: exit code %d, want %d\n%s%s", command, strings.Join(args, " "), o.status, status, o.stdout, o.stderr)
	}
}

// listen runs a command that may end as it likes.
func (r *fullRun) listen(command string, args ...string) outcome {
	r.t.Helper()
	line := slices.Concat(strings.Fields(command), args, r.form, []string{"--yes", "--no-input"})
	o := r.try(built.keymat, line...)
	r.ran = append(r.ran, command)
	r.said[strings.Join(line, " ")] = slices.Concat(o.stdout, []byte{0}, o.stderr)
	return o
}

// Files that hold the secret because the test says so; so does the state of a
// mock, which protects nothing.
var secretFiles = []string{"app.key", "cut.key", "newline.key", "text.key", "pem.key", "mistaken.key", "combined.txt", "mock.db", "lab-key.pem",
	"component1.txt", "component2.txt", "combined.key", "mixed.key", "dice.txt"}

// everyCommand takes material through its life, with the mistakes that people
// make on the way.
func (r *fullRun) everyCommand(spec material.Spec) {
	r.t.Helper()
	generate := []string{"--spec", string(spec), "--out", "app.key"}
	if spec.KeyPair() {
		generate = append(generate, "--public-out", "app.pub")
	}
	r.do(0, "generate", append(generate, "--randomness-out", "app.randomness")...)
	r.components()
	r.do(0, "create", "--spec", string(spec), "--alias", "alias/app")
	r.do(0, "fetch", "alias/app", "--out", "params.json", "--raw-dir", ".")
	r.do(0, "wrap", "--material", "app.key", "--params", "params.json", "--out", "wrapped.json", "--raw", "raw")
	r.do(0, "import", "--wrapped", "wrapped.json", "--expires", "90d")
	r.do(0, "confirm", "alias/app", "--material", "app.key", "--reimport")
	r.do(0, "delete-material", "alias/app", "--material", "app.key")
	r.do(0, "reimport", "alias/app", "--material", "app.key", "--expires", "9d")
	r.do(0, "renew", "alias/app", "--material", "app.key", "--expires", "90d")
	r.do(0, "status", "alias/app")
	r.do(0, "status", "--all", "--details")
	r.listen("status", "--all", "--format", "prometheus")
	r.do(0, "monitor", "alias/app")
	r.do(0, "audit", "alias/app")
	r.do(0, "bring", "--spec", string(spec), "--material", "app.key", "--never-expires")
	r.rotations(spec)
	r.do(0, "bring", "--spec", string(spec), "--material", "app.key", "--never-expires", "--mock", "--mock-state", "mock.db", "--wrapping-key", "RSA_2048")
	r.do(0, "mock reset", "--mock-state", "mock.db")
	r.do(0, "mock events")
	r.do(0, "mock clock")
	r.do(0, "mock conditions")
	r.do(0, "mock fault", "--clear")

	key := r.read("app.key")
	r.write("cut.key", key[:len(key)-3])
	r.write("newline.key", append(bytes.Clone(key), '\r', '\n'))
	r.write("text.key", []byte("key: "+hex.EncodeToString(key)+"\n"))
	r.write("pem.key", []byte("-----BEGIN PRIVATE KEY-----\n"+base64.StdEncoding.EncodeToString(key)+"!\n-----END PRIVATE KEY-----\n"))
	for _, mistake := range []string{"cut.key", "newline.key", "text.key", "pem.key"} {
		r.do(1, "wrap", "--material", mistake, "--params", "params.json", "--raw", "never")
		r.listen("inspect", mistake)
	}
	r.do(1, "fetch", "alias/app", "--from-zip", "app.key", "--algorithm", "RSA_AES_KEY_WRAP_SHA_256", "--out", "never")
	r.do(1, "import", "--wrapped", "app.key", "--never-expires")
	for _, file := range []string{"app.key", "params.json", "wrapped.json"} {
		r.do(0, "inspect", file)
	}
	r.everyEscrow(spec)
	r.fleet(spec)
	r.listen("ceremony preflight", "--workspace", ".")
	r.everyCeremony(spec)
	r.do(0, "lab")
	r.do(0, "lab", "portability", "--html", "portability.html")
	r.do(0, "lab", "key-pair", "--aws", "--dir", "lab")
	r.do(0, "lab", "delete-and-return", "--script")
	r.do(0, "lab", "--list")
	r.do(0, "verify", "token-reuse/other-key", "--html", "rules.html", "--markdown", "rules.md", "--junit", "rules.xml", "--force")
	r.do(0, "version")
	r.do(0, "help", "iam")
	r.do(0, "completion", "bash")
}

// components makes material in every way that asks nothing.
func (r *fullRun) components() {
	r.t.Helper()
	r.write("dice.txt", []byte("4163 5246 1625 5321 3642"))
	r.do(0, "generate component", "--spec", "HMAC_256", "--out", "component1.txt")
	r.do(0, "generate component", "--spec", "HMAC_256", "--out", "component2.txt")
	r.do(0, "generate", "--spec", "HMAC_256", "--component", "component1.txt", "--component", "component2.txt", "--out", "combined.key", "--randomness-out", "combined.randomness")
	r.do(0, "generate", "--spec", "HMAC_256", "--dice-from", "dice.txt", "--mix", "component1.txt", "--out", "mixed.key", "--randomness-out", "mixed.randomness")
	r.do(1, "generate", "--spec", "HMAC_512", "--component", "component1.txt", "--component", "component2.txt", "--out", "never")
	r.do(1, "generate", "--spec", "HMAC_256", "--dice-from", "component1.txt", "--out", "never")
	r.do(0, "inspect", "mixed.randomness")
	r.listen("inspect", "component1.txt")
}

// componentSecrets are the secrets that components left.
func (r *fullRun) componentSecrets() (secrets [][]byte) {
	r.t.Helper()
	for _, name := range []string{"component1.txt", "component2.txt"} {
		text, _, _ := strings.Cut(string(r.read(name)), "hmac:")
		secret, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil || len(secret) != 32 {
			r.t.Fatalf("no component in %s: %v", name, err)
		}
		secrets = append(secrets, secret)
	}
	return append(secrets, r.read("combined.key"), r.read("mixed.key"), r.read("dice.txt"))
}

// rotations brings the material into a key of other material, by the way that
// the spec allows.
func (r *fullRun) rotations(spec material.Spec) {
	r.t.Helper()
	r.do(0, "bring", "--spec", string(spec), "--alias", "alias/next", "--no-escrow", "--never-expires")
	if spec == material.SymmetricDefault {
		r.do(0, "rotate", "alias/next", "--material", "app.key", "--never-expires")
		return
	}
	r.do(0, "rotate", "alias/next", "--swap-alias", "alias/next", "--material", "app.key", "--never-expires")
}

// fleet has keys kept as a manifest says, with the material at hand.
func (r *fullRun) fleet(spec material.Spec) {
	r.t.Helper()
	r.do(0, "fleet init", "--out", "start.yaml")
	r.do(0, "fleet init", "--from-account", "--out", "found.yaml")
	r.write("fleet.yaml", []byte("kind: keymat/fleet\nversion: 1\nname: all\nplaces: {here: {region: eu-central-1}}\n"+
		"defaults: {place: here, escrow: app.escrow, expires: never}\nkeys: [{name: fleet, spec: "+string(spec)+"}]\n"))
	r.do(3, "fleet plan", "fleet.yaml", "--out", "plan.json")
	r.do(3, "fleet status", "fleet.yaml", "--json")
	r.do(0, "fleet apply", "plan.json", "--identity", "id.txt")
	r.do(0, "delete-material", "alias/fleet", "--region", "eu-central-1", "--material", "app.key")
	r.do(3, "fleet plan", "fleet.yaml", "--out", "plan.json", "--force")
	r.do(0, "fleet prefetch", "plan.json", "--out", "ahead")
	r.do(0, "fleet apply", "plan.json", "--params", "ahead", "--identity", "id.txt", "--json")
	r.write("mistaken.key", append([]byte("kind: keymat/fleet\nmaterial: "), r.read("app.key")...))
	r.do(1, "fleet plan", "mistaken.key")
}

// everyEscrow seals the material and opens it again, in every way that asks
// nothing.
func (r *fullRun) everyEscrow(spec material.Spec) {
	r.t.Helper()
	const recipient = "age102nvq67pnm3sjmva4pa5avvf6vph84wr6djy055c5reva244qq2qkd8r5z"
	identity, err := os.ReadFile("../escrow/testdata/v1/x25519.identity")
	if err != nil {
		r.t.Fatal(err)
	}
	r.write("id.txt", identity)
	r.write("kek.key", bytes.Repeat([]byte{7}, 32))
	material := []string{"--material", "app.key", "--spec", string(spec)}
	seal := func(args ...string) { r.t.Helper(); r.do(0, "escrow seal", slices.Concat(material, args)...) }
	seal("--recipient", recipient, "--out", "app.escrow")
	seal("--seal-key", "kek.key", "--out", "kek.escrow")
	seal("--quorum", "2/2", "--custodian", recipient, "--custodian", recipient, "--shares-dir", ".", "--out", "shared.escrow")
	r.do(0, "escrow open", "app.escrow", "--identity", "id.txt", "--out", "app.key", "--force")
	shares := []string{"--share", "share-1.age", "--share", "share-2.age", "--identity", "id.txt"}
	r.do(0, "escrow combine", slices.Concat([]string{"--escrow", "shared.escrow", "--out", "combined.txt"}, shares)...)
	r.do(0, "escrow open", "shared.escrow", "--open-key", "combined.txt", "--out", "app.key", "--force")
	r.do(0, "escrow split", slices.Concat([]string{"shared.escrow", "--recipient", recipient, "--out", "again.escrow"}, shares)...)
	r.do(0, "wrap", "--material", "again.escrow", "--identity", "id.txt", "--params", "params.json", "--raw", "raw2")
	r.do(0, "escrow drill", "app.escrow", "--identity", "id.txt", "--offline", "--out", "offline.drill")
	r.do(0, "escrow drill", slices.Concat([]string{"shared.escrow", "--key", "alias/app", "--out", "key.drill"}, shares)...)
	r.do(0, "escrow drill", "kek.escrow", "--open-key", "kek.key", "--key", "alias/app", "--out", "kek.drill")
	r.do(0, "bring", slices.Concat(material, []string{"--escrow-to", recipient, "--escrow-out", "on-the-way.escrow", "--never-expires"})...)
	r.do(0, "bring", slices.Concat(material, []string{"--quorum", "2/2", "--custodian", recipient, "--custodian", recipient, "--shares-dir", "dealt", "--escrow-out", "dealt.escrow", "--never-expires"})...)
	r.do(0, "escrow split", slices.Concat([]string{"shared.escrow", "--quorum", "2/2", "--shares-dir", "printed", "--card-format", "pdf", "--out", "printed.escrow"}, shares)...)
	r.do(0, "escrow drill", "printed.escrow", "--offline", "--share", "printed/share-1.pdf", "--share", "printed/share-2.pdf")
	swap := []string{"alias/next", "--swap-alias", "alias/next", "--escrow-to", recipient, "--escrow-out", "swapped.escrow", "--never-expires"}
	r.do(0, "rotate", slices.Concat(swap, material[:2])...)
	r.do(0, "inspect", "key.drill")
	r.do(0, "status", "alias/app", "--escrow", ".")
	r.do(0, "delete-material", "alias/app", "--escrow", ".", "--dry-run")
	r.do(1, "escrow open", "kek.escrow", "--open-key", "id.txt", "--out", "never")
	r.do(1, "escrow open", "app.key", "--identity", "id.txt", "--out", "never")
	r.do(1, "escrow open", "shared.escrow", "--share", "app.key", "--out", "never")
	r.listen("escrow combine", "--share", "app.key", "--out", "never")
	r.do(0, "inspect", "app.escrow")
	r.shared = bytes.TrimSpace(r.read("combined.txt"))
}

// everyCeremony plans one, which touches no material; somebody gives the
// material for a key to sign with.
func (r *fullRun) everyCeremony(spec material.Spec) {
	r.t.Helper()
	r.do(0, "ceremony plan init", "plan.yaml", "--id", "test", "--spec", string(spec), "--target", "arn:aws:kms:us-east-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab")
	r.do(3, "ceremony plan lint", "plan.yaml")
	for _, mistake := range []string{"app.key", "text.key", "pem.key", "cut.key"} {
		r.do(3, "ceremony plan lint", mistake)
	}
	r.do(3, "ceremony plan sign", "plan.yaml", "--as", "lead", "--key", "app.key")
	r.do(3, "ceremony plan verify", "plan.yaml")
	r.do(0, "ceremony rehearse", "plan.yaml", "--dir", "rehearsal", "--scenario", "misread-share")
	r.do(0, "ceremony plan diff", "plan.yaml", "plan.yaml")
	r.do(0, "ceremony forms", "plan.yaml", "--out-dir", "forms")
	const material = "app.key"
	by := []string{".", "--by", "lead"}
	r.do(3, "ceremony transcript begin", by...)
	for command, args := range map[string][]string{
		"note": {"--text", "the key", "--file", material}, "exception": {"--expected", "a", "--happened", "b", "--decided", "c"},
		"confirm": {"--gate", "open", "--text", "all there"}, "end": nil,
	} {
		r.do(1, "ceremony transcript "+command, slices.Concat(by, args)...)
	}
	r.do(2, "ceremony transcript sign", ".", "--as", "lead", "--key", material)
	r.write("transcript.jsonl", []byte("not a record\n"))
	r.do(0, "ceremony transcript show", ".")
	r.do(1, "ceremony status", ".")
	r.do(1, "ceremony run", ".", "--machine", "fetch")
	r.do(3, "ceremony verify", ".")
	r.do(3, "ceremony report", ".", "--out", "report.html")
	r.do(3, "ceremony reopen", ".", "--id", "again", "--out", "again.yaml")
	r.registers(material)
}

// registers keeps one, to which somebody gives material in place of what belongs
// there.
func (r *fullRun) registers(material string) {
	r.t.Helper()
	const register = "register.jsonl"
	by := []string{"--by", "officer", "--by", "lead"}
	r.do(0, "ceremony register init", register, "--organisation", "Example", "--by", "officer")
	r.do(3, "ceremony register add", slices.Concat([]string{register, "."}, by)...)
	r.do(1, "ceremony register drill", slices.Concat([]string{register, material}, by)...)
	r.do(1, "ceremony register state", slices.Concat([]string{register, "app", "--to", "active", "--reason", "x"}, by)...)
	r.do(1, "ceremony register schedule", slices.Concat([]string{register, "app", "--drill-every", "30d", "--reason", "x"}, by)...)
	r.do(0, "ceremony register show", register)
	r.do(1, "ceremony register show", material)
	r.do(0, "ceremony register due", register)
}

// checkNoneMissing asks the binary which commands it has.
func (r *fullRun) checkNoneMissing() {
	r.t.Helper()
	groups := []string{"mock", "escrow", "fleet", "ceremony", "ceremony plan", "ceremony transcript", "ceremony register"}
	names := slices.Concat(r.commands(), r.commands("generate"))
	for _, group := range groups {
		names = append(names, r.commands(strings.Fields(group)...)...)
	}
	for _, name := range names {
		if !slices.Contains(groups, name) && !slices.Contains(r.ran, name) {
			r.t.Errorf("everyCommand leaves out keymat %s", name)
		}
	}
}

// commands lists the commands below a command.
func (r *fullRun) commands(below ...string) (names []string) {
	r.t.Helper()
	completions := r.run(built.keymat, slices.Concat([]string{"__complete"}, below, []string{""})...)
	for line := range strings.Lines(string(completions)) {
		if name, _, found := strings.Cut(line, "\t"); found && !strings.HasPrefix(name, "-") { // flags that are required come along
			names = append(names, strings.Join(append(below, name), " "))
		}
	}
	return names
}

// search looks for the terms in all that was said, and in all files but those
// that hold the secret by intention.
func (r *fullRun) search(terms []term) {
	r.t.Helper()
	find := func(where string, content []byte) {
		if form := findAny(terms, content); form != "" {
			r.t.Errorf("%s holds key material as %s", where, form)
		}
	}
	for line, said := range r.said {
		find("what keymat "+line+" said", said)
	}
	files := 0
	err := filepath.WalkDir(r.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || slices.Contains(secretFiles, entry.Name()) {
			return err
		}
		content, err := os.ReadFile(path)
		files++
		find(path, content)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	if len(r.said) < 20 || files < 5 {
		r.t.Errorf("searched only %d outputs and %d files", len(r.said), files)
	}
}

// secretsOf returns the numbers that must stay secret: the public parts of a
// private key may be shown.
func secretsOf(t *testing.T, spec material.Spec, key []byte) [][]byte {
	t.Helper()
	if !spec.KeyPair() {
		return [][]byte{key}
	}
	parsed, err := x509.ParsePKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	switch k := parsed.(type) {
	case *rsa.PrivateKey:
		return [][]byte{k.D.Bytes(), k.Primes[0].Bytes(), k.Primes[1].Bytes()}
	case *ecdsa.PrivateKey:
		scalar, err := k.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return [][]byte{scalar}
	case ed25519.PrivateKey:
		return [][]byte{k.Seed()}
	}
	t.Fatalf("no secrets known of %T", parsed)
	return nil
}

// piece is in bytes: no run of twice as many can hide from a search for whole
// pieces, and chance finds none.
const piece = 8

// A term is how a piece of a secret looks in one form.
type term struct {
	form string
	text []byte
}

// findAny returns the form of the first term that content holds, or "".
func findAny(terms []term, content []byte) string {
	for _, t := range terms {
		if bytes.Contains(content, t.text) {
			return t.form
		}
	}
	return ""
}

// searchTerms spells every piece of the secrets in every way that a program
// might print it in.
func searchTerms(secrets [][]byte) (terms []term) {
	for _, secret := range secrets {
		for p := range slices.Chunk(secret, piece) {
			if len(p) < piece {
				continue
			}
			spaced := fmt.Sprintf("% x", p)
			terms = append(terms,
				term{"bytes", p},
				term{"hex", []byte(hex.EncodeToString(p))},
				term{"upper-case hex", []byte(strings.ToUpper(hex.EncodeToString(p)))},
				term{"hex with spaces", []byte(spaced)},
				term{"hex with colons", []byte(strings.ReplaceAll(spaced, " ", ":"))},
				term{"decimal numbers", bytes.Trim(fmt.Append(nil, p), "[]")},
				term{"Go syntax", []byte(strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", p), "[]byte{"), "}"))},
				term{"a quoted string", []byte(strings.Trim(fmt.Sprintf("%q", p), `"`))},
			)
			for shift := range 3 {
				terms = append(terms,
					term{"base64", inBase64(base64.StdEncoding, p, shift)},
					term{"URL base64", inBase64(base64.URLEncoding, p, shift)},
				)
			}
		}
	}
	return terms
}

// inBase64 is what p looks like inside the base64 of something longer, where it
// begins shift bytes after a multiple of three: less the digits at both ends
// that also depend on its neighbours.
func inBase64(e *base64.Encoding, p []byte, shift int) []byte {
	encoded := e.WithPadding(base64.NoPadding).AppendEncode(nil, append(make([]byte, shift), p...))
	begin := (shift*8 + 5) / 6
	end := (shift + len(p)) * 8 / 6
	return encoded[begin:end]
}

// TestSearchFindsSecrets shows that the search would notice.
func TestSearchFindsSecrets(t *testing.T) {
	secret := []byte("0123456789abcdefghijklmnopqrstuv")
	terms := searchTerms([][]byte{secret})
	for name, leak := range map[string]string{
		"bytes":           "key=" + string(secret[3:19]),
		"hex":             hex.EncodeToString(secret),
		"colons":          strings.ReplaceAll(fmt.Sprintf("% x", secret), " ", ":"),
		"%v":              fmt.Sprint(secret),
		"%#v":             fmt.Sprintf("%#v", secret),
		"base64":          base64.StdEncoding.EncodeToString(secret),
		"base64, shifted": base64.StdEncoding.EncodeToString(append([]byte("k"), secret...)),
		"base64, by two":  base64.URLEncoding.EncodeToString(append([]byte("ke"), secret...)),
	} {
		if findAny(terms, []byte(leak)) == "" {
			t.Errorf("%s is not noticed", name)
		}
	}
}
