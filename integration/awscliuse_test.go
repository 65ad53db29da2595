// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestAWSCLI uses what shells have come to rely on, with each installed
// version of the AWS CLI: blobs in files, --query, its own pagination, and the
// wording of errors.
func TestAWSCLI(t *testing.T) {
	t.Parallel()
	for version, path := range awsCLIs(t) {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			c := &awsCLI{newAccount(t), path}
			t.Run("keys", func(t *testing.T) { c.at(t).testKeys() })
			t.Run("lists", func(t *testing.T) { c.at(t).testLists() })
			t.Run("cryptography", func(t *testing.T) { c.at(t).testCryptography() })
			t.Run("errors", func(t *testing.T) { c.at(t).testErrors() })
		})
	}
}

// awsCLIs finds the installed ones, by their versions.
func awsCLIs(t *testing.T) map[string]string {
	t.Helper()
	found := make(map[string]string)
	for _, path := range everyTool("aws") {
		out, err := exec.Command(path, "--version").CombinedOutput() // early ones told it on stderr
		version, _, ok := strings.Cut(string(out), " ")
		if _, known := found[version]; err == nil && ok && !known {
			found[version] = path
		}
	}
	if len(found) == 0 {
		t.Fatal("this test needs aws: apt-get install awscli")
	}
	return found
}

// awsCLI is a desk with one version of the AWS CLI.
type awsCLI struct {
	*desk
	program string
}

func (c *awsCLI) at(t *testing.T) *awsCLI { return &awsCLI{c.desk.at(t), c.program} }

// ask runs aws kms OPERATION and returns what --query finds, as text.
func (c *awsCLI) ask(query, operation string, args ...string) string {
	c.t.Helper()
	args = append([]string{"--endpoint-url", c.url, "--output", "text", "--query", query, "kms", operation}, args...)
	return strings.TrimSpace(string(c.run(c.program, args...)))
}

// do runs aws kms OPERATION, which answers nothing.
func (c *awsCLI) do(operation string, args ...string) {
	c.t.Helper()
	if out := c.run(c.program, c.awsArgs(operation, args)...); len(bytes.TrimSpace(out)) > 0 {
		c.t.Errorf("aws kms %s prints %s, want nothing", operation, out)
	}
}

// refuses demands that aws kms OPERATION ends with this error and message.
func (c *awsCLI) refuses(code, message, operation string, args ...string) {
	c.t.Helper()
	o := c.try(c.program, c.awsArgs(operation, args)...)
	name := ""
	for word := range strings.SplitSeq(operation, "-") {
		name += strings.ToUpper(word[:1]) + word[1:]
	}
	want := strings.TrimSpace(fmt.Sprintf("An error occurred (%s) when calling the %s operation: %s", code, name, message))
	first, _, _ := strings.Cut(strings.TrimSpace(string(o.stderr)), "\n")
	if o.status != 254 && o.status != 255 || !strings.HasSuffix(strings.TrimSpace(first), want) {
		c.t.Errorf("aws kms %s: exit code %d, %q; want %q", operation, o.status, o.stderr, want)
	}
}

func (c *awsCLI) check(what, got, want string) {
	c.t.Helper()
	if got != want {
		c.t.Errorf("%s is %q, want %q", what, got, want)
	}
}

func (c *awsCLI) testKeys() {
	arn := c.ask("KeyMetadata.Arn", "create-key", "--description", "from a shell", "--tags", "TagKey=stage,TagValue=test", "TagKey=cost center,TagValue=7 x")
	c.check("what describe-key says", c.ask("KeyMetadata.[Description,KeyState,AWSAccountId,MultiRegion]", "describe-key", "--key-id", arn),
		"from a shell\tEnabled\t"+c.account+"\tFalse")
	c.check("the tags", c.ask("Tags[].[TagKey,TagValue]", "list-resource-tags", "--key-id", arn), "stage\ttest\ncost center\t7 x")
	c.do("untag-resource", "--key-id", arn, "--tag-keys", "stage", "absent")
	c.check("what is left", c.ask("Tags[].TagKey", "list-resource-tags", "--key-id", arn), "cost center")

	policy := c.ask("Policy", "get-key-policy", "--key-id", arn, "--policy-name", "default")
	if !json.Valid([]byte(policy)) || !strings.Contains(policy, "arn:aws:iam::"+c.account+":root") {
		c.t.Errorf("the policy is %s", policy)
	}
	c.write("policy.json", []byte(policy))
	c.do("put-key-policy", "--key-id", arn, "--policy-name", "default", "--policy", "file://policy.json", "--bypass-policy-lockout-safety-check")

	c.do("create-alias", "--alias-name", "alias/shell", "--target-key-id", arn)
	c.check("the alias's key", c.ask("KeyMetadata.Arn", "describe-key", "--key-id", "alias/shell"), arn)
	c.do("update-key-description", "--key-id", arn, "--description", "")
	c.check("the state", c.ask("KeyState", "schedule-key-deletion", "--key-id", arn, "--pending-window-in-days", "7"), "PendingDeletion")
	c.check("the key", c.ask("KeyId", "cancel-key-deletion", "--key-id", arn), arn)
	c.do("enable-key", "--key-id", arn)
}

func (c *awsCLI) testLists() {
	key := c.ask("KeyMetadata.KeyId", "create-key")
	names := []string{"alias/shell/1", "alias/shell/2", "alias/shell/3"}
	for _, name := range names {
		c.do("create-alias", "--alias-name", name, "--target-key-id", key)
	}
	list := func(args ...string) (some []string, next string) {
		c.t.Helper()
		var listed struct {
			Aliases   []struct{ AliasName string }
			NextToken string
		}
		args = append([]string{"--key-id", key}, args...)
		c.decode(c.run(c.program, c.awsArgs("list-aliases", args)...), &listed)
		for _, a := range listed.Aliases {
			some = append(some, a.AliasName)
		}
		return some, listed.NextToken
	}
	if all, next := list("--page-size", "1"); !slices.Equal(all, names) || next != "" {
		c.t.Errorf("list-aliases --page-size 1 prints %q and NextToken %q, want %q", all, next, names)
	}
	first, next := list("--max-items", "2")
	if !slices.Equal(first, names[:2]) || next == "" {
		c.t.Fatalf("list-aliases --max-items 2 prints %q and NextToken %q, want %q and more to come", first, next, names[:2])
	}
	if rest, next := list("--max-items", "2", "--starting-token", next); !slices.Equal(rest, names[2:]) || next != "" {
		c.t.Errorf("list-aliases --starting-token prints %q and NextToken %q, want %q", rest, next, names[2:])
	}
	keys := strings.Fields(c.ask("Keys[].KeyId", "list-keys", "--page-size", "1"))
	if !slices.Contains(keys, key) {
		c.t.Errorf("list-keys prints %q, without %s", keys, key)
	}
}

func (c *awsCLI) testCryptography() {
	key := c.ask("KeyMetadata.KeyId", "create-key")
	c.write("message", []byte("attack at dawn\x00\xff"))
	blob := c.ask("CiphertextBlob", "encrypt", "--key-id", key, "--plaintext", "fileb://message", "--encryption-context", "purpose=test,tenant=7")
	c.write("blob", c.unbase64(blob))
	plain := c.ask("Plaintext", "decrypt", "--ciphertext-blob", "fileb://blob", "--encryption-context", `{"tenant": "7", "purpose": "test"}`)
	c.check("what decrypt finds", string(c.unbase64(plain)), "attack at dawn\x00\xff")
	c.refuses("InvalidCiphertextException", "", "decrypt", "--ciphertext-blob", "fileb://blob", "--encryption-context", "purpose=test")

	signer := c.ask("KeyMetadata.KeyId", "create-key", "--key-spec", "ECC_NIST_P256", "--key-usage", "SIGN_VERIFY")
	request := []string{"--key-id", signer, "--message", "fileb://message", "--signing-algorithm", "ECDSA_SHA_256"}
	c.write("signature", c.unbase64(c.ask("Signature", "sign", request...)))
	valid := c.ask("SignatureValid", "verify", append(request, "--signature", "fileb://signature")...)
	c.check("whether the signature is valid", valid, "True")
	c.write("public.der", c.unbase64(c.ask("PublicKey", "get-public-key", "--key-id", signer)))
	c.openssl("dgst", "-sha256", "-verify", "public.der", "-keyform", "DER", "-signature", "signature", "message")
	c.refuses("KMSInvalidSignatureException", "", "verify", append(request, "--signature", "fileb://blob")...)
}

func (c *awsCLI) testErrors() {
	place := "arn:aws:kms:us-east-1:" + c.account + ":"
	absent := "00000000-0000-4000-8000-000000000000"
	c.refuses("NotFoundException", "Key '"+place+"key/"+absent+"' does not exist", "describe-key", "--key-id", absent)
	external := c.ask("KeyMetadata.Arn", "create-key", "--origin", "EXTERNAL")
	c.write("noise", bytes.Repeat([]byte("x"), 256))
	c.refuses("KMSInvalidStateException", external+" is pending import.", "encrypt", "--key-id", external, "--plaintext", "fileb://noise")
	c.refuses("InvalidCiphertextException", "", "decrypt", "--ciphertext-blob", "fileb://noise")
	c.refuses("InvalidImportTokenException", "", "import-key-material", "--key-id", external, "--encrypted-key-material", "fileb://noise",
		"--import-token", "fileb://noise", "--expiration-model", "KEY_MATERIAL_DOES_NOT_EXPIRE")
	c.refuses("ValidationException", "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
		"create-key", "--key-spec", "HMAC_256")
}
