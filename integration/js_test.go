// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestJavaScript runs testdata/js, tests of its own with Node's runner.
func TestJavaScript(t *testing.T) {
	t.Parallel()
	folder, err := filepath.Abs(filepath.Join("testdata", "js"))
	if err != nil {
		t.Fatal(err)
	}
	installModules(t, folder)
	newAccount(t).run(tool(t, "node", "nodejs"), "--test", filepath.Join(folder, "kms.test.js"))
}

// installModules has npm fetch what package-lock.json names, if it is not
// there. npm writes its own list of what is there last. It runs in the user's
// environment, which knows the way to the registry.
func installModules(t *testing.T, folder string) {
	t.Helper()
	_, err := os.Stat(filepath.Join(folder, "node_modules", ".package-lock.json"))
	if !errors.Is(err, fs.ErrNotExist) {
		return
	}
	ci := exec.Command(tool(t, "npm", "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	ci.Dir = folder
	if out, err := ci.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
}
