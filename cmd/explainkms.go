// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"errors"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/cli"
)

// explainKMS covers what KMS itself answers, by the code of its exception.
func explainKMS(err error) (cli.Advice, bool) {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return cli.Advice{}, false
	}
	key := "KEY"
	operation := "the call"
	if call, ok := errors.AsType[*smithy.OperationError](err); ok {
		operation = call.OperationName
	}
	if call, ok := errors.AsType[*importer.CallError](err); ok {
		operation = call.Operation
		if call.Key != "" {
			key = call.Key
		}
	}
	switch api.ErrorCode() {
	case "InvalidCiphertextException":
		return hint("usual causes: another OAEP hash than the algorithm names (openssl: rsa_oaep_md), a public key of another fetch, PEM or text instead of raw bytes, a wrong length; keymat wrap avoids them all"), true
	case "InvalidImportTokenException", "ExpiredImportTokenException":
		return hint("a token belongs to one key and lives 24 hours; fetch and wrap again: keymat fetch %s --out params.json", key), true
	case "IncorrectKeyMaterialException":
		return explainOtherMaterial(key), true
	case "KMSInvalidStateException":
		return explainInvalidState(key, api.ErrorMessage()), true
	case "DisabledException":
		return explainState(key, "Disabled"), true
	case "UnsupportedOperationException":
		return hint("only keys of origin EXTERNAL take imported material; make one: keymat create --spec SYMMETRIC_DEFAULT"), true
	case "NotFoundException":
		if strings.HasPrefix(api.ErrorMessage(), "Invalid keyId") {
			return hint("name the key by its ID, its ARN, or an alias, which begins with alias/"), true
		}
		return hint("look at the key's name, at --region, and at the account: aws sts get-caller-identity"), true
	case "InvalidArnException", "InvalidAliasNameException":
		return hint("name the key by its ID, its ARN, or an alias that begins with alias/"), true
	case "AlreadyExistsException":
		return hint("choose another alias"), true
	case "AccessDeniedException":
		if strings.Contains(api.ErrorMessage(), "with an explicit deny") {
			return hint("a policy denies kms:%s, and no allow outweighs it; have that statement changed", operation), true
		}
		return hint("allow kms:%s on the key, in its key policy or your IAM policy; keymat help iam prints both", operation), true
	case "MalformedPolicyDocumentException":
		return hint("the new key gets the policy of the old one, and whoever gives a key its policy has to be allowed kms:PutKeyPolicy by it; let somebody who is do this"), true
	case "ThrottlingException", "Throttling", "LimitExceededException", "TooManyRequestsException":
		return hint("KMS allows few of these calls a second; wait a little and run it again"), true
	case "ExpiredTokenException", "ExpiredToken", "RequestExpired":
		return hint("your AWS credentials have expired (not the import token): sign in again, such as with aws sso login"), true
	case "UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature", "MissingAuthenticationToken", "MissingAuthenticationTokenException":
		return hint("AWS does not accept these credentials; look at --profile, at AWS_ACCESS_KEY_ID, and at this machine's clock"), true
	case "KMSInternalException", "DependencyTimeoutException", "InternalFailure", "ServiceUnavailable":
		return hint("the fault is on the side of AWS, and may pass; run it again"), true
	case "ValidationException":
		return hint("KMS refused the request as such; run it with --verbose to see the calls"), true
	}
	return cli.Advice{}, false
}

func explainOtherMaterial(key string) cli.Advice {
	return cli.Advice{Exit: cli.ExitNo, Hints: []string{
		"a key takes back only the bytes it had; look for the file whose fingerprint you noted: keymat inspect FILE",
		"to add new material to a symmetric key and rotate to it, import it with --new; for other keys make a new key",
	}}
}

func explainInvalidState(key, message string) cli.Advice {
	switch {
	case strings.Contains(message, "is pending import"):
		return explainState(key, "PendingImport")
	case strings.Contains(message, "deletion"):
		return explainState(key, "PendingDeletion")
	case strings.Contains(message, "is pending rotation"):
		return hint("rotate to the pending material first, or delete it: keymat delete-material %s --material-id ID", key)
	}
	return explainState(key, "")
}
