// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/term"
	"github.com/keymat/keymat/lab"
	"github.com/keymat/keymat/mockkms"
)

// TestPermissionsAreWhatIsCalled runs each command in its variants against a
// mock and compares the calls with what `keymat help iam` says.
func TestPermissionsAreWhatIsCalled(t *testing.T) {
	variants := iamVariants()
	for _, p := range permissions() {
		if p.command == "verify" {
			continue // the test of rules.Operations runs all experiments
		}
		if p.command == "ceremony run" {
			continue // whole ceremonies of the integration tests do
		}
		t.Run(p.command, func(t *testing.T) {
			called := map[string]bool{}
			for _, v := range variants[p.command] {
				bench := newCommandBench(t)
				bench.run(t, v.prepare)
				before := len(bench.kms.Calls())
				bench.run(t, v.command)
				for _, operation := range bench.kms.Calls()[before:] {
					called[operation] = true
				}
			}
			if slices.Contains(p.actions, "TagResource") {
				called["TagResource"] = true // CreateKey with tags needs it, and does not call it
			}
			if p.command == "lab" || p.command == "fleet apply" { // after a run that was killed
				called["ListKeys"], called["ListResourceTags"] = true, true
			}
			got, want := slices.Sorted(maps.Keys(called)), slices.Sorted(slices.Values(p.actions))
			if diff := symmetricDifference(got, want); len(diff) > 0 {
				t.Errorf("calls %q\npermissions %q\ndifference %q", got, want, diff)
			}
		})
	}
}

// An iamVariant is a way to call a command, and what must come before.
type iamVariant struct{ prepare, command string }

// iamVariants reach all calls of each command.
func iamVariants() map[string][]iamVariant {
	symmetric := "bring --alias alias/k --out DIR/k --never-expires"
	mac := "bring --alias alias/k --spec HMAC_256 --out DIR/k --never-expires"
	pair := "bring --alias alias/k --spec ECC_NIST_P256 --out DIR/k --never-expires"
	empty := "create --spec SYMMETRIC_DEFAULT --alias alias/k"
	packed := "; fetch alias/k --out DIR/p; wrap --material DIR/k --params DIR/p --out DIR/w"
	sealed := func(spec string) string {
		return "; generate --spec SYMMETRIC_DEFAULT --out DIR/kek; escrow seal --material DIR/k --spec " + spec + " --seal-key DIR/kek --out DIR/e"
	}
	expiring := func(bring string) string { return strings.Replace(bring, "--never-expires", "--expires 1h", 1) }
	newKey := "; generate --spec SYMMETRIC_DEFAULT --out DIR/k --force"
	inFleet := "; fleet init --from-account --out DIR/f; delete-material alias/k --material DIR/k --yes" // so that its materials matter
	return map[string][]iamVariant{
		"verify": {{"", "verify token-reuse/other-key portability multi-region never"}},
		"create": {{"", empty + " --tag a=b"}},
		"fetch":  {{empty, "fetch alias/k --out DIR/p"}},
		"import": {
			{empty + newKey + packed, "import --wrapped DIR/w --never-expires"},
			{symmetric + newKey + packed, "import --wrapped DIR/w --never-expires --new"},
		},
		"confirm": {
			{symmetric, "confirm alias/k --material DIR/k --reimport"},
			{mac, "confirm alias/k --material DIR/k"},
			{pair, "confirm alias/k --material DIR/k"},
		},
		"escrow drill": {
			{symmetric + sealed("SYMMETRIC_DEFAULT"), "escrow drill DIR/e --open-key DIR/kek --key alias/k --reimport"},
			{mac + sealed("HMAC_256"), "escrow drill DIR/e --open-key DIR/kek --key alias/k"},
			{pair + sealed("ECC_NIST_P256"), "escrow drill DIR/e --open-key DIR/kek --key alias/k"},
		},
		"bring": {
			{"", symmetric}, {"", mac}, {"", pair},
			{symmetric + newKey, "bring --key alias/k --material DIR/k --never-expires --new"},
			{"", symmetric + " --replica us-west-2"},
		},
		"renew": {
			{expiring(mac), "renew alias/k --material DIR/k --expires 1d"},
			{expiring(pair), "renew alias/k --material DIR/k --expires 1d"},
			{expiring(symmetric), "renew alias/k --material DIR/k --expires 1d"},
		},
		"rotate": {
			{symmetric, "rotate alias/k --out DIR/l --never-expires"},
			{mac + " --tag a=b", "rotate alias/k --swap-alias alias/k --out DIR/l --never-expires"},
			{pair, "rotate alias/k --swap-alias alias/k --out DIR/l --never-expires"},
		},
		"status": {
			{symmetric, "status alias/k"},
			{symmetric + " --tag a=b", "status --tag a=b"},
			{pair + sealed("ECC_NIST_P256"), "status alias/k --escrow DIR/e"},
		},
		"fleet init":     {{symmetric, "fleet init --from-account"}},
		"fleet plan":     {{symmetric + inFleet, "fleet plan DIR/f"}},
		"fleet status":   {{symmetric + inFleet, "fleet status DIR/f"}},
		"fleet prefetch": {{symmetric + sealed("SYMMETRIC_DEFAULT") + "; delete-material alias/k --material DIR/k --yes", "fleet prefetch DIR/imported.yaml --out DIR/ahead"}},
		"fleet apply": {
			{mac + sealed("HMAC_256") + "; delete-material alias/k --material DIR/k --yes", "fleet apply DIR/imported.yaml --open-key DIR/kek --yes"},
			{pair + sealed("ECC_NIST_P256") + "; delete-material alias/k --material DIR/k --yes", "fleet apply DIR/imported.yaml --open-key DIR/kek --yes"},
			{symmetric, "fleet apply DIR/deleted.yaml --yes"},
			{symmetric + "; generate --spec SYMMETRIC_DEFAULT --out DIR/kek; escrow seal --generate --spec SYMMETRIC_DEFAULT --seal-key DIR/kek --out DIR/e", "fleet apply DIR/rotated.yaml --open-key DIR/kek --yes"},
			{"generate --spec SYMMETRIC_DEFAULT --out DIR/k" + sealed("SYMMETRIC_DEFAULT"), "fleet apply DIR/everywhere.yaml --open-key DIR/kek --yes"},
		},
		"monitor": {{symmetric, "monitor alias/k"}},
		"audit":   {{symmetric, "audit alias/k"}},
		"reimport": {
			{mac, "reimport alias/k --material DIR/k --expires 1d"},
			{pair, "reimport alias/k --material DIR/k --expires 1d"},
			{symmetric + "; generate --spec SYMMETRIC_DEFAULT --out DIR/l; bring --key alias/k --material DIR/l --never-expires --new",
				"reimport alias/k --material DIR/k --expires 1d"},
		},
		"delete-material": {
			{mac, "delete-material alias/k --material DIR/k --yes"},
			{pair, "delete-material alias/k --material DIR/k --yes"},
			{symmetric, "delete-material alias/k --material DIR/k --yes"},
		},
		"lab": labVariants(),
	}
}

// labVariants are the lessons but for that of wrapping keys, which the bench's
// keys share, and those that are not played on a KMS that was named.
func labVariants() (all []iamVariant) {
	for _, l := range lab.Lessons() {
		if l.Name != "same-material-second-key" && l.Own == "" {
			all = append(all, iamVariant{"", "lab " + l.Name + " --yes --second-region us-east-1"})
		}
	}
	return all
}

// TestPoliciesSuffice runs each command as somebody who has the policies that
// are printed for it, and no others.
func TestPoliciesSuffice(t *testing.T) {
	for command, variants := range iamVariants() {
		principals, err := mockkms.NewPrincipals(
			mockkms.Principal{ARN: "arn:aws:iam::111122223333:root", Credentials: mockkms.Credentials{AccessKeyID: "mock"}},
			mockkms.Principal{ARN: "arn:aws:iam::111122223333:user/least", Credentials: mockkms.Credentials{AccessKeyID: "least"}, Policies: printedFor(t, command)},
		)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range variants {
			bench := newCommandBench(t, mockkms.WithPrincipals(principals))
			bench.run(t, v.prepare)
			t.Setenv("AWS_ACCESS_KEY_ID", "least")
			bench.run(t, v.command)
		}
	}
}

// printedFor are the policies that help iam prints for a command, on all keys
// and aliases.
func printedFor(t *testing.T, command string) (printed []string) {
	t.Helper()
	everywhere := strings.NewReplacer("REGION", "*", "ACCOUNT", "*", "KEY-ID", "*", "NAME", "*")
	for _, p := range policies() {
		_, commands, _ := strings.Cut(p.purpose, "(")
		commands, _, _ = strings.Cut(commands, ")")
		if !slices.Contains(strings.Split(commands, ", "), command) {
			continue
		}
		var text bytes.Buffer
		if err := writeJSON(&text, policy{Version: "2012-10-17", Statement: p.statements}); err != nil {
			t.Fatal(err)
		}
		printed = append(printed, everywhere.Replace(text.String()))
	}
	return printed
}

func symmetricDifference(a, b []string) []string {
	var diff []string
	for _, s := range slices.Concat(a, b) {
		if slices.Contains(a, s) != slices.Contains(b, s) {
			diff = append(diff, s)
		}
	}
	return diff
}

// TestPoliciesGrantThePermissions holds the printed policies against the table.
func TestPoliciesGrantThePermissions(t *testing.T) {
	granted, needed := map[string]bool{}, map[string]bool{}
	for _, p := range policies() {
		for _, s := range p.statements {
			for _, action := range s.Action {
				if ofKMS, ok := strings.CutPrefix(action, "kms:"); ok {
					granted[ofKMS] = true
				}
			}
		}
	}
	for _, p := range permissions() {
		for _, action := range p.actions {
			needed[action] = true
		}
	}
	if !maps.Equal(granted, needed) {
		t.Errorf("policies grant %q, commands need %q", slices.Sorted(maps.Keys(granted)), slices.Sorted(maps.Keys(needed)))
	}
}

// commandBench runs commands in this process, in a folder and against a mock
// of their own.
type commandBench struct {
	kms  *mockkms.KMS
	url  string
	dir  string
	last struct{ stdout, stderr bytes.Buffer }
}

func newCommandBench(t *testing.T, options ...mockkms.Option) *commandBench {
	t.Helper()
	kms := mockkms.New(append(options, mockkms.WithSharedWrappingKeys(), mockkms.WithRotationTime(0))...)
	server := httptest.NewServer(kms.Server())
	t.Cleanup(server.Close)
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "mock", "AWS_SECRET_ACCESS_KEY": "mock", "AWS_REGION": "eu-central-1", "HOME": t.TempDir()} {
		t.Setenv(name, value)
	}
	b := &commandBench{kms: kms, url: server.URL, dir: t.TempDir()}
	for name, wanted := range fleetManifests {
		text := "{kind: keymat/fleet, version: 1, name: f, places: {here: {region: eu-central-1}}, defaults: {place: here, expires: never}, keys: [{name: k, " + wanted + "}]}"
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// fleetManifests say what becomes of the key alias/k, and which commands can
// name.
var fleetManifests = map[string]string{
	"imported.yaml":   "escrow: e",
	"deleted.yaml":    "want: deleted, escrow: e",
	"rotated.yaml":    "escrow: never, rotate: {on: 2026-01-01, escrow: e}",
	"everywhere.yaml": "escrow: e, replicas: [us-west-2], tags: {team: a}",
}

// run runs commands separated by semicolons; DIR is the bench's folder. A fleet
// may be in another state than its manifest says.
func (b *commandBench) run(t *testing.T, commands string) {
	t.Helper()
	for _, command := range strings.Split(commands, ";") {
		args := strings.Fields(strings.ReplaceAll(command, "DIR", filepath.ToSlash(b.dir)))
		if len(args) == 0 {
			continue
		}
		b.last.stdout.Reset()
		b.last.stderr.Reset()
		env := Env{
			Stdin:    strings.NewReader(""),
			Stdout:   &b.last.stdout,
			Stderr:   &b.last.stderr,
			Getenv:   func(string) string { return "" },
			Prompter: term.Refuse{},
		}
		if status := Run(t.Context(), env, append(args, "--endpoint-url", b.url)); status != cli.ExitDone && !(args[0] == "fleet" && status == cli.ExitNo) {
			t.Fatalf("keymat %s: exit code %d\n%s", strings.Join(args, " "), status, &b.last.stderr)
		}
	}
}
