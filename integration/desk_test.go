// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A desk is where one test works: an empty folder, and the tools to run in it.
// What goes wrong there fails the test.
type desk struct {
	t       *testing.T
	dir     string
	url     string   // of the KMS that the tools talk to
	account string   // whose access key they use, if it is one of the desk's own
	env     []string // besides environment, over which it wins
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	return &desk{t: t, dir: t.TempDir(), url: built.mock}
}

// at is the same desk for a subtest.
func (d *desk) at(t *testing.T) *desk {
	return &desk{t: t, dir: d.dir, url: d.url, account: d.account, env: d.env}
}

// newAccount is a desk in an account of its own, where lists hold what its test
// made. The mock takes an access key ID of 12 digits as the account.
func newAccount(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t)
	d.account = fmt.Sprintf("%012d", rand.Int64N(1e12))
	d.env = append(d.env, "AWS_ACCESS_KEY_ID="+d.account)
	return d
}

// environment is what tools get to see: nothing of the user's AWS settings,
// and a home and a place for temporary files of their own.
func environment(home, url string) []string {
	env := []string{
		"HOME=" + home,
		"TMPDIR=" + home,
		"AWS_ACCESS_KEY_ID=mock",
		"AWS_SECRET_ACCESS_KEY=mock",
		"AWS_REGION=us-east-1",
		"AWS_DEFAULT_REGION=us-east-1", // the one that botocore of 2023 reads
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_PAGER=",
	}
	if url != "" {
		env = append(env, "AWS_ENDPOINT_URL_KMS="+url)
	}
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if name != "HOME" && name != "TMPDIR" && !strings.HasPrefix(name, "AWS_") && !strings.HasPrefix(name, "KEYMAT_") && !strings.HasPrefix(name, "XDG_") {
			env = append(env, v)
		}
	}
	return env
}

// tool finds an installed program, or fails naming the Debian package.
func tool(t *testing.T, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("this test needs %s: apt-get install %s (%v)", name, debian, err)
	}
	return path
}

// everyTool finds all programs of a name, in the order of PATH.
func everyTool(name string) (paths []string) {
	for _, folder := range filepath.SplitList(os.Getenv("PATH")) {
		if path, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
			paths = append(paths, path)
		}
	}
	return paths
}

// outcome is how a process ended.
type outcome struct {
	stdout, stderr []byte
	status         int
}

// try runs a program to its end, whichever that is.
func (d *desk) try(program string, args ...string) outcome {
	d.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = d.dir, append(environment(d.dir, d.url), d.env...), &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		d.t.Fatal(err)
	}
	return outcome{stdout.Bytes(), stderr.Bytes(), cmd.ProcessState.ExitCode()}
}

// run runs a program that has to succeed, and returns its stdout.
func (d *desk) run(program string, args ...string) []byte {
	d.t.Helper()
	o := d.try(program, args...)
	if o.status != 0 {
		d.t.Fatalf("%s %s: exit code %d\n%s%s", filepath.Base(program), strings.Join(args, " "), o.status, o.stdout, o.stderr)
	}
	return o.stdout
}

// sh runs a command line of openssl's, pipes and all.
func (d *desk) sh(line string) []byte {
	d.t.Helper()
	tool(d.t, "openssl", "openssl")
	return d.run("/bin/sh", "-c", line)
}

func (d *desk) openssl(args ...string) []byte {
	d.t.Helper()
	return d.run(tool(d.t, "openssl", "openssl"), args...)
}

func (d *desk) keymat(args ...string) []byte {
	d.t.Helper()
	return d.run(built.keymat, append(args, "--no-input")...)
}

// keymatJSON runs keymat --json and reads its result into v.
func (d *desk) keymatJSON(v any, args ...string) {
	d.t.Helper()
	d.decode(d.keymat(append(args, "--json")...), v)
}

// aws runs aws kms OPERATION against the desk's KMS.
func (d *desk) aws(operation string, args ...string) []byte {
	d.t.Helper()
	return d.run(tool(d.t, "aws", "awscli"), d.awsArgs(operation, args)...)
}

// awsJSON runs aws kms OPERATION and reads its answer into v.
func (d *desk) awsJSON(v any, operation string, args ...string) {
	d.t.Helper()
	d.decode(d.aws(operation, args...), v)
}

func (d *desk) awsArgs(operation string, args []string) []string {
	return append([]string{"--endpoint-url", d.url, "--output", "json", "kms", operation}, args...)
}

func (d *desk) decode(data []byte, v any) {
	d.t.Helper()
	if err := json.Unmarshal(data, v); err != nil {
		d.t.Fatalf("%v in %s", err, data)
	}
}

func (d *desk) path(name string) string { return filepath.Join(d.dir, name) }

func (d *desk) read(name string) []byte {
	d.t.Helper()
	data, err := os.ReadFile(d.path(name))
	if err != nil {
		d.t.Fatal(err)
	}
	return data
}

func (d *desk) write(name string, data []byte) {
	d.t.Helper()
	if err := os.WriteFile(d.path(name), data, 0o600); err != nil {
		d.t.Fatal(err)
	}
}
