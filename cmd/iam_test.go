// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"maps"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/internal/term"
	"github.com/keymat/keymat/mockkms"
)

// TestPermissionsAreWhatIsCalled runs each command in its variants against a
// mock and compares the calls with what `keymat help iam` says.
func TestPermissionsAreWhatIsCalled(t *testing.T) {
	type variant struct{ prepare, command string }
	symmetric := "bring --alias alias/k --out DIR/k --never-expires"
	mac := "bring --alias alias/k --spec HMAC_256 --out DIR/k --never-expires"
	pair := "bring --alias alias/k --spec ECC_NIST_P256 --out DIR/k --never-expires"
	empty := "create --spec SYMMETRIC_DEFAULT --alias alias/k"
	packed := "; fetch alias/k --out DIR/p; wrap --material DIR/k --params DIR/p --out DIR/w"
	newKey := "; generate --spec SYMMETRIC_DEFAULT --out DIR/k --force"
	variants := map[string][]variant{
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
		"bring": {
			{"", symmetric}, {"", mac}, {"", pair},
			{symmetric + newKey, "bring --key alias/k --material DIR/k --never-expires --new"},
			{"", symmetric + " --replica us-west-2"},
		},
		"renew": {
			{mac, "renew alias/k --material DIR/k --expires 1d"},
			{pair, "renew alias/k --material DIR/k --expires 1d"},
			{symmetric, "renew alias/k --material DIR/k --expires 1d"},
		},
		"rotate": {
			{symmetric, "rotate alias/k --out DIR/l --never-expires"},
			{mac + " --tag a=b", "rotate alias/k --swap-alias alias/k --out DIR/l --never-expires"},
			{pair, "rotate alias/k --swap-alias alias/k --out DIR/l --never-expires"},
		},
		"status": {
			{symmetric, "status alias/k"},
			{symmetric + " --tag a=b", "status --tag a=b"},
		},
		"monitor": {{symmetric, "monitor alias/k"}},
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
	}
	for _, p := range permissions {
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
			got, want := slices.Sorted(maps.Keys(called)), slices.Sorted(slices.Values(p.actions))
			if diff := symmetricDifference(got, want); len(diff) > 0 {
				t.Errorf("calls %q\npermissions %q\ndifference %q", got, want, diff)
			}
		})
	}
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
	for _, p := range policies {
		for _, s := range p.statements {
			for _, action := range s.Action {
				granted[strings.TrimPrefix(action, "kms:")] = true
			}
		}
	}
	for _, p := range permissions {
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

func newCommandBench(t *testing.T) *commandBench {
	t.Helper()
	kms := mockkms.New(mockkms.WithSharedWrappingKeys(), mockkms.WithRotationTime(time.Second/10))
	server := httptest.NewServer(kms)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "mock", "AWS_SECRET_ACCESS_KEY": "mock", "AWS_REGION": "eu-central-1", "HOME": t.TempDir()} {
		t.Setenv(name, value)
	}
	return &commandBench{kms: kms, url: server.URL, dir: t.TempDir()}
}

// run runs commands separated by semicolons; DIR is the bench's folder.
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
		if status := Run(t.Context(), env, append(args, "--endpoint-url", b.url)); status != exitDone {
			t.Fatalf("keymat %s: exit code %d\n%s", strings.Join(args, " "), status, &b.last.stderr)
		}
	}
}
