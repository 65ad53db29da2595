// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/online"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/rules"
)

// A permission is what a command may call of KMS.
type permission struct {
	command string
	actions []string
}

// permissions are those of each command. A test runs the commands and compares.
// They are put together when they are asked for, as the rules are, and not
// whenever keymat starts.
func permissions() []permission {
	return []permission{
		{"create", []string{"CreateKey", "CreateAlias", "DescribeKey", "TagResource"}},
		{"fetch", []string{"DescribeKey", "GetParametersForImport"}},
		{"import", []string{"DescribeKey", "ImportKeyMaterial", "ListKeyRotations"}},
		{"confirm", []string{"DescribeKey", "GenerateMac", "GetParametersForImport", "GetPublicKey", "ImportKeyMaterial", "ListKeyRotations"}},
		{"escrow drill", []string{"DescribeKey", "GenerateMac", "GetParametersForImport", "GetPublicKey", "ImportKeyMaterial", "ListKeyRotations"}},
		{"bring", []string{"CreateKey", "CreateAlias", "DescribeKey", "GenerateMac", "GetKeyPolicy", "GetParametersForImport", "GetPublicKey", "ImportKeyMaterial", "ListKeyRotations", "ListResourceTags", "ReplicateKey", "TagResource"}},
		{"status", []string{"DescribeKey", "GetKeyLastUsage", "GetPublicKey", "ListAliases", "ListKeyRotations", "ListKeys", "ListResourceTags"}},
		{"reimport", []string{"DescribeKey", "GenerateMac", "GetParametersForImport", "GetPublicKey", "ImportKeyMaterial", "ListKeyRotations"}},
		{"renew", []string{"DescribeKey", "GenerateMac", "GetParametersForImport", "GetPublicKey", "ImportKeyMaterial", "ListKeyRotations"}},
		{"rotate", []string{"CreateKey", "Decrypt", "DescribeKey", "Encrypt", "GenerateMac", "GetKeyLastUsage", "GetKeyPolicy", "GetKeyRotationStatus", "GetParametersForImport", "GetPublicKey", "ImportKeyMaterial", "ListAliases", "ListGrants", "ListKeyRotations", "ListResourceTags", "RotateKeyOnDemand", "TagResource", "UpdateAlias"}},
		{"fleet init", []string{"DescribeKey", "ListAliases", "ListKeys"}},
		{"fleet plan", []string{"DescribeKey", "ListKeyRotations"}},
		{"fleet status", []string{"DescribeKey", "ListKeyRotations"}},
		{"fleet prefetch", []string{"DescribeKey", "GetParametersForImport", "ListKeyRotations"}},
		{"fleet apply", []string{
			"CreateAlias", "CreateKey", "Decrypt", "DeleteImportedKeyMaterial", "DescribeKey", "Encrypt", "GenerateMac", "GetKeyPolicy", "GetKeyRotationStatus",
			"GetParametersForImport", "GetPublicKey", "ImportKeyMaterial", "ListKeyRotations", "ListKeys", "ListResourceTags", "ReplicateKey", "RotateKeyOnDemand", "TagResource",
		}},
		{"monitor", []string{"DescribeKey"}},
		{"audit", []string{"DescribeKey"}},
		{"ceremony run", ceremonyActions()},
		{"delete-material", []string{"DeleteImportedKeyMaterial", "DescribeKey", "GenerateMac", "GetKeyLastUsage", "GetPublicKey", "ListAliases", "ListGrants", "ListKeyRotations"}},
		{"lab", []string{
			"CreateKey", "CreateAlias", "DescribeKey", "GetParametersForImport", "ImportKeyMaterial", "TagResource", // of every lesson, or most
			"CancelKeyDeletion", "Decrypt", "DeleteAlias", "DeleteImportedKeyMaterial", "DisableKey", "EnableKey", "EnableKeyRotation", "Encrypt",
			"GenerateMac", "GetPublicKey", "ListKeys", "ListResourceTags", "ReplicateKey", "RotateKeyOnDemand", "ScheduleKeyDeletion", "Sign", "UpdateAlias",
		}},
		{"verify", verifyActions(rules.All())},
	}
}

// ceremonyActions are those of both machines of a ceremony that talk to KMS.
func ceremonyActions() (names []string) {
	for _, action := range slices.Concat(online.FetchActions(), online.ImportActions()) {
		if name := strings.TrimPrefix(action, "kms:"); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
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

// A need is what somebody has to be allowed for a purpose.
type need struct {
	purpose    string
	statements []statement
}

// policies grant all permissions.
func policies() []need {
	return []need{
		{"to create keys (create, bring, rotate, fleet apply)", []statement{
			{"CreateExternalKeys", "Allow", []string{"kms:CreateKey", "kms:TagResource"}, "*", external},
			{"NameThem", "Allow", []string{"kms:CreateAlias"}, anyAlias, nil},
			{"NameThemOnTheKey", "Allow", []string{"kms:CreateAlias", "kms:DescribeKey"}, anyKey, nil},
		}},
		{"to import, confirm, re-import and renew (fetch, import, confirm, escrow drill, bring, reimport, renew, rotate, fleet prefetch, fleet apply)", []statement{
			{"Import", "Allow", []string{"kms:GetParametersForImport", "kms:ImportKeyMaterial"}, anyKey, external},
			{"Look", "Allow", []string{"kms:DescribeKey", "kms:ListKeyRotations"}, anyKey, nil},
			{"Prove", "Allow", []string{"kms:GetPublicKey", "kms:GenerateMac"}, anyKey, nil},
		}},
		{"to fetch for a ceremony, and nothing else, on a machine of its own (ceremony run)", []statement{
			{"FetchForTheCeremony", "Allow", []string{"kms:GetParametersForImport"}, anyKey, external},
			{"LookAtTheKey", "Allow", []string{"kms:DescribeKey"}, anyKey, nil},
		}},
		{"to import in a ceremony, and fetch nothing, as somebody else (ceremony run)", []statement{
			{"ImportInTheCeremony", "Allow", []string{"kms:ImportKeyMaterial"}, anyKey, external},
			{"LookAtTheImport", "Allow", []string{"kms:DescribeKey", "kms:ListKeyRotations"}, anyKey, nil},
			{"VerifyByUse", "Allow", []string{"kms:GetPublicKey", "kms:VerifyMac", "kms:Encrypt", "kms:Decrypt"}, anyKey, nil},
		}},
		{"to make replicas, beside those two, for --replica or replicas in a manifest (bring, fleet apply)", []statement{
			{"Replicate", "Allow", []string{"kms:ReplicateKey", "kms:GetKeyPolicy", "kms:ListResourceTags"}, anyKey, nil},
			{"CreateReplicas", "Allow", []string{"kms:CreateKey", "kms:TagResource"}, "*", external},
		}},
		{"to rotate, beside an import (rotate, fleet apply)", []statement{
			{"Rotate", "Allow", []string{"kms:RotateKeyOnDemand", "kms:GetKeyRotationStatus"}, anyKey, nil},
			{"TryCiphertexts", "Allow", []string{"kms:Encrypt", "kms:Decrypt"}, anyKey, nil},
		}},
		{"to put a new key behind an alias, beside creating and importing, for --swap-alias (rotate)", []statement{
			{"MoveTheAlias", "Allow", []string{"kms:UpdateAlias"}, anyAlias, nil},
			{"MoveItBetweenTheKeys", "Allow", []string{"kms:UpdateAlias", "kms:GetKeyPolicy", "kms:ListResourceTags"}, anyKey, nil},
			{"SayWhoNeedsTheOld", "Allow", []string{"kms:ListAliases"}, "*", nil},
			{"SayWhoElse", "Allow", []string{"kms:ListGrants", "kms:GetKeyLastUsage", "kms:ListKeyRotations"}, anyKey, nil},
		}},
		{"to look (status, fleet init, fleet plan, fleet status, fleet prefetch, fleet apply, monitor, audit)", []statement{
			{"FindKeys", "Allow", []string{"kms:ListKeys", "kms:ListAliases"}, "*", nil},
			{"LookAtThem", "Allow", []string{"kms:DescribeKey", "kms:ListKeyRotations", "kms:GetKeyLastUsage", "kms:ListResourceTags"}, anyKey, nil},
			{"FindTheirEscrows", "Allow", []string{"kms:GetPublicKey"}, anyKey, nil},
			{"ReadTheTrail", "Allow", []string{"cloudtrail:LookupEvents"}, "*", nil},
		}},
		{"to apply alarms, beside looking, for --apply (monitor)", []statement{
			{"Stacks", "Allow", []string{"cloudformation:CreateStack", "cloudformation:UpdateStack", "cloudformation:DescribeStacks", "cloudformation:DeleteStack"}, "arn:aws:cloudformation:REGION:ACCOUNT:stack/keymat-monitor-*/*", nil},
			{"AlarmsInThem", "Allow", []string{"cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms"}, "arn:aws:cloudwatch:REGION:ACCOUNT:alarm:keymat-monitor-*", nil},
			{"RulesInThem", "Allow", []string{"events:PutRule", "events:DescribeRule", "events:DeleteRule", "events:PutTargets", "events:RemoveTargets"}, "arn:aws:events:REGION:ACCOUNT:rule/keymat-monitor-*", nil},
		}},
		{"to delete material (delete-material, fleet apply); keep it apart from the others", []statement{
			{"DeleteMaterial", "Allow", []string{"kms:DeleteImportedKeyMaterial"}, anyKey, external},
			{"LookFirst", "Allow", []string{"kms:DescribeKey", "kms:GetPublicKey", "kms:GenerateMac"}, anyKey, nil},
			{"SayWhoNotices", "Allow", []string{"kms:GetKeyLastUsage", "kms:ListGrants", "kms:ListKeyRotations"}, anyKey, nil},
			{"SayWhatItIsCalled", "Allow", []string{"kms:ListAliases"}, "*", nil},
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
			{"TestThem", "Allow", ofKMS(testActions(rules.All())), "arn:aws:kms:REGION:ACCOUNT:key/*", nil},
		}},
	}
}

// testActions are the actions by which verify deals with keys that are there, to
// test these rules.
func testActions(selection []rules.Rule) []string {
	actions := []string{"ListResourceTags"}
	for _, operation := range rules.Operations(selection) {
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

// verifyActions are the actions that verify takes to test these rules.
func verifyActions(selection []rules.Rule) []string {
	return slices.Concat(testActions(selection), []string{"CreateKey", "ListKeys", "TagResource"})
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
	return cli.Topic("iam", "Least-privilege IAM policies for each command", iamText)
}

func iamText() string {
	var text bytes.Buffer
	text.WriteString("What each command has to be allowed to do. generate, wrap, inspect and the rest of escrow call nothing.\n\n")
	tw := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, p := range permissions() {
		fmt.Fprintf(tw, "  %s\t%s\n", p.command, strings.Join(p.actions, " "))
	}
	tw.Flush()
	text.WriteString(`
GetPublicKey is called for key pairs only, and by status with --escrow only;
GenerateMac for HMAC keys only, ListKeyRotations for symmetric keys only,
TagResource where tags are asked for.
What rotate calls beside RotateKeyOnDemand to create a key and move an alias is
for --swap-alias, what bring calls to replicate is for --replica. Without Encrypt
and Decrypt a rotation is not tried out, and says so; without what tells of use
and grants, delete-material says that it does not know.
What fleet apply calls depends on what its manifest asks for; ListKeys and
ListResourceTags find a key that a killed run made and could not say so.
audit reads CloudTrail, too. None of these works across accounts for imports. verify and lab call ListKeys and
ListResourceTags to find keys that a killed run left; KMS makes a role of its
own for the first multi-Region key of an account.
`)
	for _, p := range policies() {
		fmt.Fprintf(&text, "\nA policy %s:\n\n", p.purpose)
		// Writing to memory cannot fail.
		_ = writeJSON(&text, policy{Version: "2012-10-17", Statement: p.statements})
	}
	return text.String()
}
