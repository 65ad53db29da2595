// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/keymat/keymat/audit"
	"github.com/keymat/keymat/ceremony/online"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/escrow/shamir"
	"github.com/keymat/keymat/escrow/slip39"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/awsclient"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/internal/ledger"
	"github.com/keymat/keymat/internal/stack"
	"github.com/keymat/keymat/internal/term"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/mockkms"
	"github.com/keymat/keymat/rules"
	"github.com/keymat/keymat/token"
)

const testKey = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

func TestExplain(t *testing.T) {
	call := func(err error) error {
		return &importer.CallError{Operation: "ImportKeyMaterial", Key: testKey, Err: err}
	}
	code := func(code, message string) error {
		return call(fmt.Errorf("operation error KMS: %w", &smithy.GenericAPIError{Code: code, Message: message}))
	}
	state := func(message string) error {
		return call(&types.KMSInvalidStateException{Message: aws.String(testKey + message)})
	}
	operation := func(err error) error {
		return &smithy.OperationError{ServiceID: "KMS", OperationName: "ListKeys", Err: fmt.Errorf("https response error: %w", err)}
	}
	tests := []struct {
		err  error
		says string // end of the error as told
		hint string // part of the first hint
		exit int
	}{
		{&online.RefusedError{Target: "primary", Remedy: transcript.Incident, Err: errors.New("no")}, "primary did not get the material: no", "this is an incident", 1},
		{&online.RefusedError{Target: "primary", Remedy: transcript.WrapAgain, Err: errors.New("no")}, "no", "a quorum wraps it again", 1},
		{&online.RefusedError{Target: "primary", Remedy: transcript.SendAgain, Err: errors.New("no")}, "no", "submit the same bytes again", 1},
		{&online.DifferentError{Target: "primary"}, "", "use nothing of it", 1},
		{&online.LateError{Target: "primary"}, "", "for a new token", 1},
		{&online.ServiceError{Rehearsal: true, Got: "AWS", Want: "a mock"}, "a rehearsal talks to a mock, and never to AWS", "keymat mock serve", 1},
		{&online.ServiceError{Got: "the embedded mock", Want: "AWS"}, "", "leave out --mock", 1},
		{&online.PlanError{Name: "plan.yaml"}, "", "keymat ceremony plan verify", 1},
		{&online.SignatureError{Name: "bundle-1.json"}, "", "have them sign", 1},
		{&online.NotEmptyError{Medium: "/mnt"}, "", "on which there is nothing", 1},
		{&online.NotReadyError{Progress: "OPEN"}, "", "wrote last", 1},
		{call(&types.InvalidCiphertextException{}), "InvalidCiphertextException: KMS could not unwrap the material, or it does not fit the key", "rsa_oaep_md", 1},
		{call(&types.InvalidImportTokenException{}), "the import token is damaged, or belongs to another key", "keymat fetch " + testKey, 1},
		{call(&types.ExpiredImportTokenException{}), "the import token is older than 24 hours", "keymat fetch " + testKey, 1},
		{call(&types.IncorrectKeyMaterialException{Message: aws.String("no")}), "IncorrectKeyMaterialException: no", "only the bytes it had", 3},
		{call(&types.IncorrectKeyMaterialException{}), "this is not the material the key had", "only the bytes it had", 3},
		{state(" is pending import."), "is pending import.", "keymat reimport " + testKey, 1},
		{state(" is pending deletion."), "is pending deletion.", "aws kms cancel-key-deletion", 1},
		{state(" is creating."), "is creating.", "passes by itself", 1},
		{call(&types.KMSInvalidStateException{Message: aws.String("another key material (id: 00) is pending rotation.")}), "is pending rotation.", "keymat delete-material", 1},
		{call(&types.DisabledException{}), "KMS gave no reason", "aws kms enable-key --key-id " + testKey, 1},
		{call(&types.UnsupportedOperationException{}), "KMS gave no reason", "origin EXTERNAL", 1},
		{call(&types.NotFoundException{Message: aws.String("Key does not exist")}), "Key does not exist", "--region", 1},
		{call(&types.NotFoundException{Message: aws.String("Invalid keyId 'app'")}), "Invalid keyId 'app'", "alias/", 1},
		{code("AccessDeniedException", "User: x is not authorized"), "User: x is not authorized", "allow kms:ImportKeyMaterial", 1},
		{code("AccessDeniedException", "User: x is not authorized with an explicit deny in a resource-based policy"), "in a resource-based policy", "a policy denies kms:ImportKeyMaterial", 1},
		{code("ThrottlingException", "slow"), "slow", "wait a little", 1},
		{code("ExpiredTokenException", "expired"), "expired", "your AWS credentials have expired (not the import token)", 1},
		{code("UnrecognizedClientException", "The security token included in the request is invalid."), "invalid.", "does not accept these credentials", 1},
		{code("KMSInternalException", ""), "KMS gave no reason", "on the side of AWS", 1},
		{code("ValidationException", "1 validation error detected"), "detected", "--verbose", 1},

		{&token.ExpiredError{KeyARN: testKey}, "", "keymat fetch " + testKey + " --out params.json", 1},
		{&importer.OriginError{KeyARN: testKey, Origin: types.OriginTypeAwsKms}, "only a key created with origin EXTERNAL takes imported material", "keymat create", 1},
		{&importer.StateError{KeyARN: testKey, State: types.KeyStatePendingImport}, "is in state PendingImport", "keymat reimport", 1},
		{&importer.AliasTakenError{Alias: "alias/a", KeyARN: testKey}, "alias/a already names " + testKey, "--key alias/a", 1},
		{&importer.NeverImportedError{KeyARN: testKey}, "", "keymat bring --key " + testKey, 1},
		{&importer.UncertainError{KeyARN: testKey, Err: errors.New("gone")}, "may have happened: gone", "keymat reimport", 1},
		{&files.ExistsError{Name: "a.key"}, "a.key exists already", "--force", 1},
		{&term.NoTerminalError{What: "x"}, "", "--yes", 1},
		{&awsclient.NoRegionError{}, "no AWS Region is configured", "--mock", 1},
		{&mockkms.StoreBusyError{}, "", "--mock-state", 1},
		{&material.AmbiguousError{}, "", "--material-encoding", 1},
		{&noIdentityError{recipients: []string{"age1a", "age1b"}}, "the identity of age1a, age1b", "--identity FILE", 1},
		{&noKeyError{}, "the key it was sealed under", "--open-key FILE", 1},
		{&needSharesError{need: 2, err: &term.NoTerminalError{What: "x"}}, "0 of the 2 shares needed: cannot ask \"x\": no terminal", "--share FILE", 1},
		{&lockedShareError{}, "encrypted to its custodian", "--identity FILE", 1},
		{&escrow.LockedError{Profile: escrow.Recipients, Err: errors.New("no match")}, "opens the escrow: no match", "keymat inspect", 1},
		{&escrow.LockedError{Profile: escrow.Passphrase}, "the passphrase does not open the escrow", "try again", 1},
		{&escrow.LockedError{Profile: escrow.Quorum}, "the key does not open the escrow", "--escrow", 1},
		{&escrow.FIPSError{Profile: escrow.Quorum}, "does not allow", "--fips", 1},
		{&escrow.HeaderError{What: "x"}, "with the material: x", "take another copy", 1},
		{&escrow.FileError{Field: "id", Reason: "missing"}, "keymat/escrow: id: missing", "take another copy", 1},
		{&escrow.MissingSharesError{Have: []int{2}, Need: 3}, "1 of the 3 shares needed", "2 more needed", 1},
		{&escrow.ForeignShareError{Index: 2, What: "x"}, "share 2 is of another set: it differs in x", "another of the set", 1},
		{&escrow.AlteredShareError{Index: 2}, "commitment in the escrow", "leave share 2 out", 1},
		{&escrow.DuplicateShareError{Index: 2}, "share 2 came twice", "another custodian", 1},
		{&escrow.ShareError{Err: &slip39.ChecksumError{}}, "out of place", "compare the words", 1},
		{&escrow.ShareError{Err: shamir.ErrChecksum}, "out of place", "compare the characters", 1},
		{&escrow.ShareError{Reason: "x"}, "not a share: x", "33 words", 1},
		{&escrow.RecipientError{Reason: "x", Err: errors.New("y")}, "x", "age says: y", 1},
		{&escrow.RecipientError{Reason: "x"}, "x", "age-keygen -y", 1},
		{&uncopiedError{&unopenedError{name: "a.escrow", err: errors.New("x")}},
			"so nothing was created or imported: what was to become a.escrow did not open again, and was not kept: x", "another disk", 1},
		{&uncopiedError{fmt.Errorf("writing a.escrow: %w", syscall.ENOSPC)}, "so nothing was created or imported: writing a.escrow: no space left on device", "make room there", 1},
		{fmt.Errorf("writing a.escrow: %w", syscall.EDQUOT), "quota exceeded", "make room there", 1},
		{fmt.Errorf("writing a.escrow: %w", syscall.EFBIG), "file too large", "make room there", 1},
		{fmt.Errorf("writing a.escrow: %w", syscall.EROFS), "read-only file system", "can be written to", 1},
		{fmt.Errorf("reading a.escrow: %w", syscall.EIO), "input/output error", "do not trust that disk", 1},
		{&keptError{file: "a.escrow", err: errors.New("x")}, "x", "a.escrow holds the material: go on with --material a.escrow", 1},
		{&keptError{file: "a.escrow", besides: "--key " + testKey + " ", err: &importer.UnfinishedError{KeyARN: testKey, Err: errors.New("x")}},
			"was created and remains: x", "go on with --key " + testKey + " --material a.escrow", 1},
		{usagef("wrong"), "wrong", "", 2},
		{&cli.UsageError{Err: errors.New("unknown flag"), Unparsed: true}, "unknown flag", "keymat help", 2},
		{call(fmt.Errorf("https response error: %w", &smithyhttp.RequestSendError{Err: errors.New("unexpected EOF")})), "ImportKeyMaterial of " + testKey + ": unexpected EOF", "try again", 1},
		{&rules.StoppedError{Rule: "a/b", Err: operation(&smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no"})},
			"testing a/b: ListKeys: AccessDeniedException: no", "allow kms:ListKeys", 1},
		{operation(&smithyhttp.RequestSendError{Err: errors.New("unexpected EOF")}), "ListKeys: unexpected EOF", "try again", 1},
		{operation(&smithyhttp.RequestSendError{Err: &tls.CertificateVerificationError{Err: errors.New("x")}}), "x", "AWS_CA_BUNDLE", 1},
		{operation(&smithyhttp.RequestSendError{Err: http.ErrSchemeMismatch}), "to HTTPS client", "write http://", 1},
		{operation(&smithyhttp.RequestSendError{Err: &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv6loopback, Port: 1}, Err: syscall.ECONNREFUSED}}), "refused", "keymat mock serve", 1},
		{operation(&smithyhttp.RequestSendError{Err: &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1}, Err: syscall.ECONNREFUSED}}), "refused", "look at the network", 1},
		{&net.OpError{Op: "listen", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, Err: syscall.EADDRINUSE}, "in use", "--listen 127.0.0.1:0", 1},
		{operation(errors.New("failed to resolve service endpoint, x")), "ListKeys: https response error: failed to resolve service endpoint, x", "http://", 1},
		{operation(errors.New("get identity: get credentials: x")), "ListKeys: https response error: get identity: get credentials: x", "takes any", 1},
		{&brokenRulesError{2, 10}, "of 10 rules 2 do not hold", "--json", 3},
		{&untestedError{1}, "1 rule could not be tested", "run it again", 1},
		{errUnfinished, "did not clean up all that it made", "keymat verify --clean-up", 1},
		{&costError{1, 0.5}, "this may cost up to USD 1.00, which is more than USD 0.50", "--max-cost 1.00", 1},
		{&elsewhereError{"http://127.0.0.1:1"}, "leads to http://127.0.0.1:1", "AWS_ENDPOINT_URL_KMS", 1},
		{&experiment.NoKeyError{ARN: testKey}, "for these credentials", "aws sts get-caller-identity", 1},
		{&ledger.DamagedError{Path: "a.jsonl", Line: 3, Err: errors.New("what")}, "a.jsonl:3: what", "a.jsonl", 1},
		{&importer.NotRotatableError{KeyARN: testKey, Spec: material.HMAC256}, "only symmetric encryption keys rotate", "--swap-alias", 1},
		{&importer.RotationLimitError{KeyARN: testKey, Used: 25}, "rotated on demand 25 times, and KMS allows no more in a key's life", "--swap-alias", 1},
		{&importer.PendingError{KeyARN: testKey, MaterialID: "00"}, "waits for rotation in " + testKey, "--material-id 00", 1},
		{&importer.RetiredError{KeyARN: testKey}, "cannot rotate back to it", "keymat rotate " + testKey + " --out FILE", 1},
		{&importer.ReplicaError{KeyARN: testKey, PrimaryARN: "arn:primary"}, "its primary is arn:primary", "name the primary: arn:primary", 1},
		{&importer.CopiesError{KeyARN: testKey, Copies: 2}, "each with aliases of its own", "aws kms update-alias", 1},
		{&importer.AliasElsewhereError{Alias: "alias/a", Got: "b", Want: testKey}, "alias/a names b, not " + testKey, "keymat status " + testKey, 1},
		{&importer.SingleRegionError{KeyARN: testKey}, "it has no replicas", "keymat bring --replica", 1},
		{&importer.UnfinishedRotationError{KeyARN: testKey, MaterialID: "00", Err: &importer.SlowRotationError{KeyARN: testKey, Waited: time.Minute}},
			"is not finished: KMS has not finished the rotation of " + testKey + " within 1m0s", "keymat rotate " + testKey + " --material FILE", 4},
		{&importer.UnfinishedRotationError{KeyARN: testKey, Err: code("AccessDeniedException", "no")}, "AccessDeniedException: no", "allow kms:ImportKeyMaterial", 4},
		{&cli.InterruptedError{Err: &importer.UnfinishedRotationError{KeyARN: testKey, Err: errors.New("context canceled")}}, "context canceled", "keymat rotate " + testKey, 130},
		{&replicaError{key: testKey, region: "us-west-2", err: errors.New("gone")}, "the replica in us-west-2: gone", "--replica us-west-2", 4},
		{&partlyError{err: &importer.StateError{KeyARN: testKey, State: types.KeyStateDisabled}}, "is in state Disabled", "aws kms enable-key", 4},
		{code("MalformedPolicyDocumentException", "x"), "MalformedPolicyDocumentException: x", "kms:PutKeyPolicy", 1},
		{&audit.NoReceiptError{Offset: 3}, "what follows byte 3 is no JSON result of keymat", "--receipts", 1},
		{&importer.EarlierError{KeyARN: testKey, Present: importer.Never(), Asked: importer.At(time.Unix(0, 0))}, "never expires, and a renewal until 1970-01-01T00:00:00Z would take time away from it", "keymat reimport " + testKey + " --material FILE --expires 1970-01-01T00:00:00Z", 1},
		{&stack.FailedError{Stack: "s", ID: "arn:s", Status: "DELETE_COMPLETE"}, "stack s ended in DELETE_COMPLETE", "describe-stack-events --stack-name arn:s", 1},
		{&stack.CallError{Operation: "CreateStack", Stack: "s", Err: &smithy.OperationError{Err: &smithy.GenericAPIError{Code: "AccessDenied", Message: "no"}}}, "CreateStack of stack s: AccessDenied: no", "allow cloudformation:CreateStack", 1},
		{errDiffers, "do not say the same", "", 3},
		{errExpiring, "or has stopped", "keymat reimport KEY", 3},
		{errNo, "KMS holds other material than this", "", 3},
		{&cli.InterruptedError{Err: errors.New("context canceled")}, "interrupted: context canceled", "", 130},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%T", tt.err), func(t *testing.T) {
			if got := describeError(tt.err); !strings.HasSuffix(got, tt.says) {
				t.Errorf("error %q, want it to end in %q", got, tt.says)
			}
			advice := explain(tt.err)
			if advice.Exit != tt.exit {
				t.Errorf("%v: exit code %d, want %d", tt.err, advice.Exit, tt.exit)
			}
			if got := strings.Join(advice.Hints, "\n"); !strings.Contains(got, tt.hint) || (tt.hint == "") != (got == "") {
				t.Errorf("%v: hint %q, want one with %q", tt.err, got, tt.hint)
			}
		})
	}
}

// TestDescribeErrorKeepsContext: what our own layers say stays; the SDK's
// layers between the call and the exception go.
func TestDescribeErrorKeepsContext(t *testing.T) {
	call := &importer.CallError{
		Operation: "ImportKeyMaterial",
		Key:       testKey,
		Err:       fmt.Errorf("operation error KMS: ImportKeyMaterial, https response error StatusCode: 400: %w", &types.InvalidImportTokenException{}),
	}
	err := &importer.UnfinishedError{KeyARN: testKey, Err: call}
	want := testKey + " was created and remains: ImportKeyMaterial of " + testKey +
		": InvalidImportTokenException: the import token is damaged, or belongs to another key"
	if got := describeError(err); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLeft(t *testing.T) {
	now := time.Now()
	tests := map[time.Duration]string{
		-time.Second:                  "over",
		0:                             "over",
		time.Second:                   "less than a minute",
		59 * time.Minute:              "59 m",
		24*time.Hour - time.Second:    "23 h 59 m",
		47*time.Hour + 59*time.Minute: "47 h 59 m",
		48 * time.Hour:                "2 d 0 h",
		90*24*time.Hour - time.Hour:   "89 d 23 h",
	}
	for d, want := range tests {
		if got := left(now.Add(d), now); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}
