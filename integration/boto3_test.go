// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestBoto3Procedure is the documented import, all of it with boto3 and openssl.
func TestBoto3Procedure(t *testing.T) {
	t.Parallel()
	b := newBoto3(t)
	key := b.step("create").Key
	b.checkState(key, "PendingImport", "")
	b.step("fetch", key)
	b.openssl("rand", "-out", "app.key", "32")
	b.step("wrap", "app.key")
	b.step("import", key)
	b.checkState(key, "Enabled", "KEY_MATERIAL_DOES_NOT_EXPIRE")
	b.step("import", key, "30")
	b.checkState(key, "Enabled", "KEY_MATERIAL_EXPIRES")
	b.step("delete", key)
	b.checkState(key, "PendingImport", "")
}

// TestHandOverBoto3 alternates between boto3 and keymat, once beginning with
// each: whatever one does, the other does the next step.
func TestHandOverBoto3(t *testing.T) {
	t.Parallel()
	b := newBoto3(t)
	b.keymat("generate", "--spec", "SYMMETRIC_DEFAULT", "--out", "app.key")
	wrapping := []string{"--algorithm", "RSAES_OAEP_SHA_256"}

	first := b.step("create").Key
	b.keymat(append([]string{"fetch", first, "--out", "params.json", "--raw-dir", "."}, wrapping...)...)
	b.step("wrap", "app.key")
	b.keymat("import", "--params", "params.json", "--encrypted", "EncryptedKeyMaterial.bin", "--expires", "90d")
	b.checkState(first, "Enabled", "KEY_MATERIAL_EXPIRES")
	b.keymatProves(first, "app.key", "--reimport")

	var created struct {
		Key string `json:"key_arn"`
	}
	b.keymatJSON(&created, "create", "--spec", "SYMMETRIC_DEFAULT")
	b.step("fetch", created.Key)
	b.keymat(append([]string{"fetch", created.Key, "--from-dir", ".", "--out", "params.json", "--force"}, wrapping...)...)
	b.keymat("wrap", "--material", "app.key", "--params", "params.json", "--raw", "EncryptedKeyMaterial.bin", "--force")
	b.step("import", created.Key)
	b.keymatProves(created.Key, "app.key", "--reimport")
	b.step("delete", created.Key)
	b.keymatReimports(created.Key, "app.key", true, "--never-expires")
	b.checkState(created.Key, "Enabled", "KEY_MATERIAL_DOES_NOT_EXPIRE")
	b.keymat("delete-material", created.Key, "--material", "app.key", "--yes")
	b.checkState(created.Key, "PendingImport", "")
}

// TestBoto3 runs testdata/kms_test.py with each installed version of boto3.
func TestBoto3(t *testing.T) {
	t.Parallel()
	script, err := filepath.Abs(filepath.Join("testdata", "kms_test.py"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pythonsWithBoto3(t) {
		t.Run(p.boto3, func(t *testing.T) {
			newAccount(t).run(p.path, script)
		})
	}
}

// boto3 is a desk with a Python that has boto3.
type boto3 struct {
	*desk
	python, script string
}

func newBoto3(t *testing.T) *boto3 {
	t.Helper()
	script, err := filepath.Abs(filepath.Join("testdata", "manual_import.py"))
	if err != nil {
		t.Fatal(err)
	}
	return &boto3{newDesk(t), pythonWithBoto3(t), script}
}

// pythonWithBoto3 prefers the user's Python; that of Debian has the package.
func pythonWithBoto3(t *testing.T) string {
	t.Helper()
	return pythonsWithBoto3(t)[0].path
}

type python struct{ path, boto3 string }

// pythonsWithBoto3 finds the installed ones, one for each version of boto3.
func pythonsWithBoto3(t *testing.T) (found []python) {
	t.Helper()
	for _, path := range everyTool("python3") {
		version, err := exec.Command(path, "-W", "ignore", "-c", "import boto3; print(boto3.__version__)").Output()
		p := python{path, strings.TrimSpace(string(version))}
		if err == nil && !slices.ContainsFunc(found, func(q python) bool { return p.boto3 == q.boto3 }) {
			found = append(found, p)
		}
	}
	if found == nil {
		t.Fatal("this test needs Python with boto3: apt-get install python3-boto3")
	}
	return found
}

type stepResult struct{ Key, State, Expiration, Decrypted, Error string }

// step carries out one step of manual_import.py.
func (b *boto3) step(step string, args ...string) (result stepResult) {
	b.t.Helper()
	b.decode(b.run(b.python, append([]string{b.script, b.url, step}, args...)...), &result)
	return result
}

// checkState demands that the key works if, and only if, it is enabled.
func (b *boto3) checkState(key, state, expiration string) {
	b.t.Helper()
	want := stepResult{State: state, Expiration: expiration, Error: "KMSInvalidStateException"}
	if state == "Enabled" {
		want.Decrypted, want.Error = "attack at dawn", ""
	}
	if got := b.step("check", key); got != want {
		b.t.Errorf("boto3 finds %+v, want %+v", got, want)
	}
}
