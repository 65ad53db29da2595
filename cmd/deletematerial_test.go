// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"strings"
	"testing"

	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/term"
)

func TestTypedName(t *testing.T) {
	for _, tt := range []struct {
		ref, typed string
		agreed     bool
	}{{"alias/app", "alias/app", true}, {"alias/app", "app", false}, {"alias/app", "y", false}, {"alias/app", "", false}} {
		bench := newCommandBench(t)
		bench.run(t, "bring --alias alias/app --out DIR/k --never-expires")
		p := &scripted{line: tt.typed}
		env := Env{Stdin: strings.NewReader(""), Stdout: &bench.last.stdout, Stderr: &bench.last.stderr, Getenv: func(string) string { return "" }, Prompter: p}
		status := Run(t.Context(), env, []string{"delete-material", tt.ref, "--endpoint-url", bench.url})
		if (status == cli.ExitDone) != tt.agreed || !strings.HasSuffix(p.asked, "Type alias/app to go on") {
			t.Errorf("typed %q: exit code %d, asked %q", tt.typed, status, p.asked)
		}
		calls := strings.Join(bench.kms.Calls(), " ")
		if strings.Contains(calls, "DeleteImportedKeyMaterial") != tt.agreed {
			t.Errorf("typed %q: calls %s", tt.typed, calls)
		}
	}
}

// scripted is somebody who types one line.
type scripted struct {
	term.Refuse
	line, asked string
}

func (s *scripted) Line(_ context.Context, prompt string) (string, error) {
	s.asked = prompt
	return s.line, nil
}
