// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/keymat/keymat/audit"
	"github.com/keymat/keymat/ceremonycmd"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/awsclient"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/stack"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/mockkms"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

func usagef(format string, args ...any) error { return cli.Usagef(format, args...) }

func inFile(name string, err error) error { return cli.InFile(name, err) }

func hint(format string, args ...any) cli.Advice { return cli.Hint(format, args...) }

// failure is what is told of an error.
func failure(err error) cli.Failure {
	advice := explain(err)
	return cli.Failure{Error: describeError(err), Hints: advice.Hints, Exit: advice.Exit}
}

// explain finds the advice for an error: packages below state facts, and only
// here do we know what the user can type next.
func explain(err error) cli.Advice {
	if e, ok := errors.AsType[*keptError](err); ok {
		advice := explainCause(err)
		advice.Hints = append(advice.Hints, e.hint())
		return advice
	}
	return explainCause(err)
}

func explainCause(err error) cli.Advice {
	if cli.Interrupted(err) {
		return interrupted(err)
	}
	if _, ok := errors.AsType[*brokenRulesError](err); ok {
		return cli.Advice{Hints: []string{"the steps, expected and observed, are in --json, and in the reports of --html and --markdown"}, Exit: cli.ExitNo}
	}
	if advice, ok := cli.ExplainUsage(program, err); ok {
		return advice
	}
	if e, ok := errors.AsType[*partlyError](err); ok {
		advice := explain(e.err)
		advice.Exit = cli.ExitPartly
		return advice
	}
	if e, ok := errors.AsType[*cli.NoError](err); ok {
		return e.Advice()
	}
	for _, explain := range []func(error) (cli.Advice, bool){
		explainFleet, partlyRotated, explainReplica, explainRun, explainRotation, explainImport, explainFiles, explainEscrow, explainEntropy, explainOnline, explainCeremony, explainRehearsal,
		explainMaterial, explainLocal, explainStack, explainKMS, explainConnection,
	} {
		if advice, ok := explain(err); ok {
			return advice
		}
	}
	return cli.Advice{Exit: cli.ExitFailed}
}

// explainCeremony covers plans, signatures and records.
func explainCeremony(err error) (cli.Advice, bool) { return ceremonycmd.Explain(program, err) }

// explainImport covers the rules of importing.
func explainImport(err error) (cli.Advice, bool) {
	if e, ok := errors.AsType[*token.ExpiredError](err); ok {
		return hint("fetch a new one and wrap again: keymat fetch %s --out params.json", e.KeyARN), true
	}
	if e, ok := errors.AsType[*wrap.RefusedError](err); ok {
		return hint("leave out --algorithm and --wrapping-key to use %s", e.Allowed[0]), true
	}
	if _, ok := errors.AsType[*importer.OriginError](err); ok {
		return hint("the origin of a key can never be changed; make a new one: keymat create --spec SYMMETRIC_DEFAULT"), true
	}
	if e, ok := errors.AsType[*importer.StateError](err); ok {
		return explainState(e.KeyARN, string(e.State)), true
	}
	if e, ok := errors.AsType[*importer.AliasTakenError](err); ok {
		return hint("bring the material into that key with --key %s, or choose another alias", e.Alias), true
	}
	if e, ok := errors.AsType[*importer.EarlierError](err); ok {
		return hint("for an earlier end: keymat reimport %s --material FILE --expires %s", e.KeyARN, e.Asked), true
	}
	if e, ok := errors.AsType[*importer.NeverImportedError](err); ok {
		return hint("import material for the first time: keymat bring --key %s --material FILE", e.KeyARN), true
	}
	if e, ok := errors.AsType[*importer.UncertainError](err); ok {
		return hint("look with keymat reimport %s --dry-run, and run the import again: the same material can come twice without harm", e.KeyARN), true
	}
	return cli.Advice{}, false
}

func explainState(key, state string) cli.Advice {
	switch state {
	case "PendingImport":
		return hint("the key has no material now; bring it back: keymat reimport %s --material FILE --expires 90d", key)
	case "PendingDeletion", "PendingReplicaDeletion":
		return hint("the key is scheduled for deletion; to keep it: aws kms cancel-key-deletion --key-id %s", key)
	case "Disabled":
		return hint("enable it first: aws kms enable-key --key-id %s", key)
	}
	return hint("the state passes by itself; try again in a minute")
}

// explainMaterial covers what can be wrong with a file of key material.
func explainMaterial(err error) (cli.Advice, bool) {
	if _, ok := errors.AsType[*material.PublicKeyError](err); ok {
		return hint("KMS takes the private key and derives the public one from it"), true
	}
	if _, ok := errors.AsType[*material.MismatchError](err); ok {
		return hint("keymat inspect FILE says what a file holds; the spec of a key can never be changed"), true
	}
	if _, ok := errors.AsType[*material.AmbiguousError](err); ok {
		return hint("say which is meant with --material-encoding raw, hex or base64"), true
	}
	if e, ok := errors.AsType[*material.PassphraseError](err); ok && e.Wrong {
		return hint("try again; nothing was changed"), true
	}
	if e, ok := errors.AsType[*material.UnsupportedSpecError](err); ok && e.Spec != "" {
		return hint("KMS imports %s", list(material.Specs())), true
	}
	return cli.Advice{}, false
}

// explainLocal covers settings, files and terminals of this machine.
func explainLocal(err error) (cli.Advice, bool) {
	if _, ok := errors.AsType[*audit.NoReceiptError](err); ok {
		return hint("--receipts takes what keymat import, bring, reimport and renew print with --json"), true
	}
	if _, ok := errors.AsType[*awsclient.NoRegionError](err); ok {
		return hint("name a Region with --region or AWS_REGION, or try keymat's own KMS with --mock"), true
	}
	if _, ok := errors.AsType[*mockkms.NotMockError](err); ok {
		return hint("keymat mock serve prints the settings to use; --mock means the mock in the state file"), true
	}
	if _, ok := errors.AsType[*mockkms.StoreBusyError](err); ok {
		return hint("another keymat is at work on the same mock; wait for it, or name another file with --mock-state"), true
	}
	return cli.ExplainLocal(err)
}

// explainStack covers what CloudFormation says.
func explainStack(err error) (cli.Advice, bool) {
	if e, ok := errors.AsType[*stack.FailedError](err); ok {
		return hint("what went wrong with each resource: aws cloudformation describe-stack-events --stack-name %s", e.ID), true
	}
	call, ok := errors.AsType[*stack.CallError](err)
	var api smithy.APIError
	if ok && errors.As(err, &api) && api.ErrorCode() == "AccessDenied" {
		return hint("allow cloudformation:%s, and what the stack makes, in your IAM policy; keymat help iam prints it", call.Operation), true
	}
	return cli.Advice{}, false
}

// describeError is the error in one line, without the SDK's layers between the
// call and what it ended in.
func describeError(err error) string {
	cause, ok := essence(err)
	if !ok {
		return err.Error()
	}
	if call, ok := errors.AsType[*importer.CallError](err); ok {
		bare := &importer.CallError{Operation: call.Operation, Key: call.Key, Err: cause}
		return strings.Replace(err.Error(), call.Error(), bare.Error(), 1)
	}
	if call, ok := errors.AsType[*stack.CallError](err); ok {
		bare := &stack.CallError{Operation: call.Operation, Stack: call.Stack, Err: cause}
		return strings.Replace(err.Error(), call.Error(), bare.Error(), 1)
	}
	if call, ok := errors.AsType[*smithy.OperationError](err); ok {
		return strings.Replace(err.Error(), call.Error(), call.OperationName+": "+cause.Error(), 1)
	}
	return err.Error()
}

// essence is what a call to KMS ended in.
func essence(err error) (error, bool) {
	var api smithy.APIError
	if errors.As(err, &api) {
		return errors.New(describeAPI(api)), true
	}
	if send, ok := errors.AsType[*smithyhttp.RequestSendError](err); ok {
		return send.Err, true
	}
	if call, ok := errors.AsType[*smithy.OperationError](err); ok {
		return call.Err, true
	}
	return nil, false
}

// describeAPI is what KMS answered: the exception and its message, or ours
// where it has none (the SDK then says UnknownError).
func describeAPI(api smithy.APIError) string {
	message := api.ErrorMessage()
	if message == "" || message == "UnknownError" {
		message = silent(api)
	}
	return api.ErrorCode() + ": " + message
}

// silent says what KMS means by an exception that comes without a message
// (recorded: InvalidCiphertext, InvalidImportToken and others have none).
func silent(api smithy.APIError) string {
	switch api.(type) {
	case *types.InvalidCiphertextException:
		return "KMS could not unwrap the material, or it does not fit the key"
	case *types.InvalidImportTokenException:
		return "the import token is damaged, or belongs to another key"
	case *types.ExpiredImportTokenException:
		return "the import token is older than 24 hours"
	case *types.IncorrectKeyMaterialException:
		return "this is not the material the key had"
	}
	return "KMS gave no reason"
}
