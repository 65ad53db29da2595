// SPDX-License-Identifier: Apache-2.0

//go:build integration && terraform

package integration_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// TestTerraform applies testdata/terraform, finds nothing more to do, applies a
// change of whatever can change, finds nothing more to do again, and destroys.
// terraform init has to find the AWS provider: see the package comment.
func TestTerraform(t *testing.T) {
	t.Parallel()
	f := newTerraform(t)
	f.run("init", "-backend=false")
	validTo := time.Now().AddDate(0, 0, 30).UTC().Format(time.RFC3339)
	f.apply(validTo, true, "test", 365, map[string]string{
		"primary":  "Enabled KEY_MATERIAL_EXPIRES " + validTo,
		"replica":  "Enabled KEY_MATERIAL_EXPIRES " + validTo,
		"switched": "Enabled KEY_MATERIAL_DOES_NOT_EXPIRE",
		"empty":    "PendingImport",
		"aliased":  "external",
	})
	validTo = time.Now().AddDate(0, 0, 60).UTC().Format(time.RFC3339)
	f.apply(validTo, false, "live", 90, map[string]string{
		"primary":  "Enabled KEY_MATERIAL_EXPIRES " + validTo,
		"replica":  "Enabled KEY_MATERIAL_EXPIRES " + validTo,
		"switched": "Disabled KEY_MATERIAL_DOES_NOT_EXPIRE",
		"empty":    "PendingImport",
		"aliased":  "rotated",
	})
	keys := f.outputs().Keys.Value
	f.run("destroy", "-auto-approve")
	f.checkDestroyed(keys)
}

// terraform is a desk with a configuration of Terraform's.
type terraform struct {
	*desk
	settings []string // the desk's environment without what apply varies
}

func newTerraform(t *testing.T) *terraform {
	t.Helper()
	f := &terraform{desk: newAccount(t)}
	configuration, err := os.ReadFile(filepath.Join("testdata", "terraform", "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	f.write("main.tf", configuration)
	material := make([]byte, 32)
	rand.Read(material)
	f.settings = append(f.env, "TF_IN_AUTOMATION=1", "TF_INPUT=0", "TF_VAR_endpoint="+f.url, "TF_VAR_account="+f.account,
		"TF_VAR_material="+base64.StdEncoding.EncodeToString(material))
	f.env = f.settings
	return f
}

func (f *terraform) run(command string, args ...string) []byte {
	f.t.Helper()
	return f.desk.run("terraform", append([]string{command, "-no-color"}, args...)...)
}

// apply has Terraform bring everything to what is asked, and demands that a
// plan finds no difference then.
func (f *terraform) apply(validTo string, enabled bool, stage string, period int, states map[string]string) {
	f.t.Helper()
	f.env = append(f.settings[:len(f.settings):len(f.settings)], "TF_VAR_valid_to="+validTo, fmt.Sprint("TF_VAR_enabled=", enabled),
		"TF_VAR_stage="+stage, fmt.Sprint("TF_VAR_rotation_period=", period))
	f.run("apply", "-auto-approve")
	if plan := f.try("terraform", "plan", "-no-color", "-detailed-exitcode"); plan.status != 0 {
		f.t.Errorf("a second plan finds differences:\n%s%s", plan.stdout, plan.stderr)
	}
	got := f.outputs()
	if !reflect.DeepEqual(got.States.Value, states) {
		f.t.Errorf("Terraform knows the states %q, want %q", got.States.Value, states)
	}
	if got.Secret.Value != "attack at dawn" {
		f.t.Errorf("decrypted %q", got.Secret.Value)
	}
	if !strings.HasPrefix(got.PublicKey.Value, "-----BEGIN PUBLIC KEY-----\n") {
		f.t.Errorf("the public key is %q", got.PublicKey.Value)
	}
}

type terraformOutputs struct {
	Keys      struct{ Value map[string][]string } // ARNs by Region
	States    struct{ Value map[string]string }
	Secret    struct{ Value string }
	PublicKey struct{ Value string } `json:"public_key"`
}

func (f *terraform) outputs() (values terraformOutputs) {
	f.t.Helper()
	f.decode(f.run("output", "-json"), &values)
	return values
}

// checkDestroyed asks the KMS itself.
func (f *terraform) checkDestroyed(keys map[string][]string) {
	f.t.Helper()
	if left := bytes.TrimSpace(f.run("state", "list")); len(left) > 0 {
		f.t.Errorf("left after destroy:\n%s", left)
	}
	for region, arns := range keys {
		for _, arn := range arns {
			out, err := f.client().DescribeKey(f.t.Context(), &kms.DescribeKeyInput{KeyId: &arn}, func(o *kms.Options) { o.Region = region })
			if err != nil {
				f.t.Fatal(err)
			}
			if s := out.KeyMetadata.KeyState; s != types.KeyStatePendingDeletion && s != types.KeyStatePendingReplicaDeletion {
				f.t.Errorf("%s is %s after destroy", arn, s)
			}
		}
	}
}
