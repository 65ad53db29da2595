// SPDX-License-Identifier: Apache-2.0

package keymat_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/keymat/keymat/ceremonycmd"
	"github.com/keymat/keymat/cmd"
	"github.com/keymat/keymat/hsmcmd"
)

// secretive matches flags that are about a secret, by their names.
var secretive = regexp.MustCompile(`(^|-)(pin|pass[a-z]*|secret|shares?|words?|seal|open|identity|components?|material|dice|coins|throws|mix|credentials|private|key)($|-)`)

// TestNoFlagTakesASecret: anybody on the machine can read a command line, so that
// a flag about a secret names the file that it is in. Those that do not are listed
// with what they take.
func TestNoFlagTakesASecret(t *testing.T) {
	harmless := map[string]string{
		"key":                  "the ID, ARN or alias of a KMS key",
		"components":           "a number",
		"material-description": "what KMS shows beside the material",
		"material-encoding":    "the name of an encoding",
		"material-id":          "KMS's name of the material",
		"mix-by":               "the name of a method",
		"wrapping-key":         "a key spec",
	}
	used := map[string]bool{}
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			takes, _ := pflag.UnquoteUsage(f)
			if f.Value.Type() == "bool" || takes == "file" || takes == "folder" || !secretive.MatchString(f.Name) {
				return
			}
			if used[f.Name] = true; harmless[f.Name] == "" {
				t.Errorf("%s --%s takes a %s: is it a secret?", c.CommandPath(), f.Name, takes)
			}
		})
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	for _, tree := range []*cobra.Command{cmd.Tree(), hsmcmd.Tree(), ceremonycmd.Tree()} {
		walk(tree)
	}
	for name := range harmless {
		if !used[name] {
			t.Errorf("no command has --%s any more", name)
		}
	}
}

// TestAcceptance demands that the tests and steps of which docs/acceptance.md says
// that they hold a check are there.
func TestAcceptance(t *testing.T) {
	page, ci := read(t, "docs/acceptance.md"), read(t, ".ci/run")
	there := allTests(t)
	for check := 1; check <= 20; check++ {
		row := regexp.MustCompile(fmt.Sprintf(`(?m)^\| %d \|.*$`, check)).FindString(page)
		named := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row, -1)
		if len(named) == 0 {
			t.Errorf("check %d names no test", check)
		}
		for _, m := range named {
			what := m[1]
			if step, ok := strings.CutPrefix(what, ".ci/run: "); ok {
				if !strings.Contains(ci, "step '"+step) {
					t.Errorf("check %d: .ci/run has no step %q", check, step)
				}
				continue
			}
			if !there[what] {
				t.Errorf("check %d: there is no %s", check, what)
			}
		}
	}
}

// allTests are the tests of the repository, each after the folder it is in.
func allTests(t *testing.T) map[string]bool {
	t.Helper()
	function := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	all := map[string]bool{}
	for name := range list(t) {
		found, err := filepath.Glob(filepath.Join(name, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range found {
			for _, m := range function.FindAllStringSubmatch(read(t, file), -1) {
				all[name+" "+m[1]] = true
			}
		}
	}
	for _, file := range []string{"repo_test.go", "acceptance_test.go"} {
		for _, m := range function.FindAllStringSubmatch(read(t, file), -1) {
			all[m[1]] = true
		}
	}
	return all
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
