// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestGeneratedIsCurrent compares what is committed with what the command tree
// gives now.
func TestGeneratedIsCurrent(t *testing.T) {
	now := t.TempDir()
	if err := generate(now); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"reference", "man"} {
		want, got := readAll(t, filepath.Join(now, folder)), readAll(t, filepath.Join("..", folder))
		for _, name := range slices.Concat(names(want), names(got)) {
			if want[name] != got[name] {
				t.Errorf("docs/%s/%s is not what the commands say; run go generate ./...", folder, name)
			}
		}
	}
}

func readAll(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(content)
	}
	return all
}

func names(files map[string]string) []string {
	var all []string
	for name := range files {
		all = append(all, name)
	}
	return all
}
