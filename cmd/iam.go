// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/rules"
)

// permissions are the KMS actions each command may call. A test runs the
// commands and compares.
var permissions = []struct {
	command string
	actions []string
}{
	{"create", []string{"CreateKey", "CreateAlias", "DescribeKey", "TagResource"}},
	{"fetch", []string{"DescribeKey", "GetParametersForImport"}},
	{"import", []string{"DescribeKey", "ImportKeyMaterial", "ListKeyRotations"}},
	{"confirm", []string{"DescribeKey", "GenerateMac", "GetParametersForImport", "GetPublicKey", "ImportKeyMaterial", "ListKeyRotations"}},
	{"escrow drill", []string{"DescribeKey", "GenerateMac", "GetParametersForImport", "GetPublicKey", "ImportKeyMaterial", "ListKeyRotations"}},
	{"bring", []string{"CreateKey", "CreateAlias", "DescribeKey", "GenerateMac", "GetParametersForImport", "GetPublicKey", "ImportKeyMaterial", "ListKeyRotations", "TagResource"}},
	{"reimport", []string{"DescribeKey", "GenerateMac", "GetParametersForImport", "GetPublicKey", "ImportKeyMaterial", "ListKeyRotations"}},
	{"delete-material", []string{"DeleteImportedKeyMaterial", "DescribeKey", "GenerateMac", "GetPublicKey"}},
	{"lab", []string{
		"CreateKey", "CreateAlias", "DescribeKey", "GetParametersForImport", "ImportKeyMaterial", "TagResource", // of every lesson, or most
		"CancelKeyDeletion", "Decrypt", "DeleteAlias", "DeleteImportedKeyMaterial", "DisableKey", "EnableKey", "EnableKeyRotation", "Encrypt",
		"GenerateMac", "GetPublicKey", "ListKeys", "ListResourceTags", "ReplicateKey", "RotateKeyOnDemand", "ScheduleKeyDeletion", "Sign", "UpdateAlias",
	}},
	{"verify", slices.Concat(testActions(), []string{"CreateKey", "ListKeys", "TagResource"})},
}

// A statement of an IAM policy, in the order AWS prints its members.
type statement struct {
	Sid       string
	Effect    string
	Action    []string
	Resource  string
	Condition map[string]map[string]string `json:",omitempty"`
}

type policy struct {
	Version   string
	Statement []statement
}

const (
	anyKey   = "arn:aws:kms:REGION:ACCOUNT:key/KEY-ID"
	anyAlias = "arn:aws:kms:REGION:ACCOUNT:alias/NAME"
)

// external limits an action to keys that take imported material.
var external = map[string]map[string]string{"StringEquals": {"kms:KeyOrigin": "EXTERNAL"}}

// tagged limits an action to keys that an experiment made.
var tagged = map[string]map[string]string{"StringLike": {"aws:ResourceTag/" + experiment.Tag: "*"}}

var policies = []struct {
	purpose    string
	statements []statement
}{
	{"to create keys (create, bring)", []statement{
		{"CreateExternalKeys", "Allow", []string{"kms:CreateKey", "kms:TagResource"}, "*", external},
		{"NameThem", "Allow", []string{"kms:CreateAlias"}, anyAlias, nil},
		{"NameThemOnTheKey", "Allow", []string{"kms:CreateAlias", "kms:DescribeKey"}, anyKey, nil},
	}},
	{"to import, confirm and re-import (fetch, import, confirm, escrow drill, bring, reimport)", []statement{
		{"Import", "Allow", []string{"kms:GetParametersForImport", "kms:ImportKeyMaterial"}, anyKey, external},
		{"Look", "Allow", []string{"kms:DescribeKey", "kms:ListKeyRotations"}, anyKey, nil},
		{"Prove", "Allow", []string{"kms:GetPublicKey", "kms:GenerateMac"}, anyKey, nil},
	}},
	{"to delete material (delete-material); keep it apart from the others", []statement{
		{"DeleteMaterial", "Allow", []string{"kms:DeleteImportedKeyMaterial"}, anyKey, external},
		{"LookFirst", "Allow", []string{"kms:DescribeKey", "kms:GetPublicKey", "kms:GenerateMac"}, anyKey, nil},
	}},
	{"to play lessons (lab) on keys of their own, in an account for that", []statement{
		{"MakeKeys", "Allow", []string{"kms:CreateKey", "kms:TagResource", "kms:ListKeys"}, "*", nil},
		{"NameThem", "Allow", []string{"kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias"}, "arn:aws:kms:REGION:ACCOUNT:alias/keymat-lab-*", nil},
		{"PlayWithThem", "Allow", []string{
			"kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:ListResourceTags",
			"kms:GetParametersForImport", "kms:ImportKeyMaterial", "kms:DeleteImportedKeyMaterial",
			"kms:Encrypt", "kms:Decrypt", "kms:GenerateMac", "kms:Sign", "kms:GetPublicKey",
			"kms:DisableKey", "kms:EnableKey", "kms:EnableKeyRotation", "kms:RotateKeyOnDemand", "kms:ReplicateKey",
			"kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion",
		}, "arn:aws:kms:REGION:ACCOUNT:key/*", tagged},
	}},
	{"to test the rules (verify), in an account for tests", []statement{
		{"MakeAndFindKeys", "Allow", []string{"kms:CreateKey", "kms:TagResource", "kms:ListKeys"}, "*", nil},
		{"LetKMSReplicate", "Allow", []string{"iam:CreateServiceLinkedRole"}, "arn:aws:iam::ACCOUNT:role/aws-service-role/mrk.kms.amazonaws.com/*", nil},
		{"TestThem", "Allow", ofKMS(testActions()), "arn:aws:kms:REGION:ACCOUNT:key/*", nil},
	}},
}

// testActions are the actions by which verify deals with keys that are there.
func testActions() []string {
	actions := []string{"ListResourceTags"}
	for _, operation := range rules.Operations() {
		switch operation {
		case "CreateKey": // has no key yet
		case "ReEncrypt": // is allowed by its two halves
			actions = append(actions, "ReEncryptFrom", "ReEncryptTo")
		default:
			actions = append(actions, operation)
		}
	}
	slices.Sort(actions)
	return actions
}

// ofKMS are actions as policies name them.
func ofKMS(actions []string) []string {
	named := make([]string, len(actions))
	for i, action := range actions {
		named[i] = "kms:" + action
	}
	return named
}

func newIAMTopic() *cobra.Command {
	return newTopic("iam", "Least-privilege IAM policies for each command", iamText)
}

func iamText() string {
	var text bytes.Buffer
	text.WriteString("What each command has to be allowed to do. generate, wrap, inspect and the rest of escrow call nothing.\n\n")
	tw := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, p := range permissions {
		fmt.Fprintf(tw, "  %s\t%s\n", p.command, strings.Join(p.actions, " "))
	}
	tw.Flush()
	text.WriteString(`
GetPublicKey is called for key pairs only, GenerateMac for HMAC keys only,
ListKeyRotations for symmetric keys only, TagResource where tags are asked for.
None of these works across accounts for imports. verify and lab call ListKeys and
ListResourceTags to find keys that a killed run left; KMS makes a role of its
own for the first multi-Region key of an account.
`)
	for _, p := range policies {
		fmt.Fprintf(&text, "\nA policy %s:\n\n", p.purpose)
		// Writing to memory cannot fail.
		_ = writeJSON(&text, policy{Version: "2012-10-17", Statement: p.statements})
	}
	return text.String()
}
