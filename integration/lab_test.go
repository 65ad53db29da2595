// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keymat/keymat/lab"
	"github.com/keymat/keymat/material"
)

// TestLessonsByHand types what each lesson shows, with openssl and the AWS CLI,
// at a mock of its own: lessons move the clock.
func TestLessonsByHand(t *testing.T) {
	for _, l := range lab.Lessons() {
		t.Run(l.Name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			s, err := serve(d.dir, "--memory")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.kill)
			d.url = s.url
			d.env = append(d.env, "PATH="+filepath.Dir(built.keymat)+string(filepath.ListSeparator)+os.Getenv("PATH"))
			d.write("lesson.sh", d.keymat("lab", l.Name, "--script"))
			if shellcheck, err := exec.LookPath("shellcheck"); err == nil {
				d.run(shellcheck, "lesson.sh")
			}
			o := d.try("/bin/sh", "lesson.sh")
			if strings.Contains(string(o.stderr), "Unknown options: --import-type") {
				t.Log("this AWS CLI knows no rotation of imported material; the script was stopped there")
				return
			}
			if o.status != 0 {
				t.Fatalf("exit code %d\n%s%s", o.status, o.stdout, o.stderr)
			}
			if l.Own != "" {
				return // its keys are gone with their KMS
			}
			if left, _ := filepath.Glob(d.path("tmp.*")); len(left) > 0 {
				t.Errorf("the script leaves %s", left)
			}
			for _, key := range d.keys() {
				if state := d.state(key); !strings.HasPrefix(state, "Pending") || state == "PendingImport" {
					t.Errorf("the script leaves %s in state %s", key, state)
				}
			}
		})
	}
}

// keys lists the keys of the desk's KMS.
func (d *desk) keys() (arns []string) {
	d.t.Helper()
	var listed struct{ Keys []struct{ KeyArn string } }
	d.awsJSON(&listed, "list-keys")
	for _, k := range listed.Keys {
		arns = append(arns, k.KeyArn)
	}
	if len(arns) == 0 {
		d.t.Error("no key was made")
	}
	return arns
}

func (d *desk) state(key string) string {
	d.t.Helper()
	var described describedKey
	d.awsJSON(&described, "describe-key", "--key-id", key)
	return described.KeyMetadata.KeyState
}

// labSecrets are those of the key pair that lesson key-pair made.
func (r *fullRun) labSecrets() [][]byte {
	r.t.Helper()
	block, _ := pem.Decode(r.read(filepath.Join("lab", "lab-key.pem")))
	if block == nil {
		r.t.Fatal("lab-key.pem is no PEM")
	}
	return secretsOf(r.t, material.RSA2048, block.Bytes)
}
