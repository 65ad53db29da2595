// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/keymat/keymat/mockkms/internal/hsm"
)

// An apiError is a refusal as the client sees it. An empty message leaves the
// member out of the answer, which is what KMS does for several codes (recorded).
type apiError struct {
	code    string
	message string
	status  int
}

func (e *apiError) Error() string {
	if e.message == "" {
		return e.code
	}
	return e.code + ": " + e.message
}

// refuse makes an error of status 400, which is what KMS sends for every
// client error, whatever number the service model gives (recorded).
func refuse(code, format string, args ...any) *apiError {
	return &apiError{code: code, message: fmt.Sprintf(format, args...), status: http.StatusBadRequest}
}

// refuseSilently makes an error that carries no message member.
func refuseSilently(code string) *apiError {
	return &apiError{code: code, status: http.StatusBadRequest}
}

func validation(format string, args ...any) *apiError {
	return refuse("ValidationException", format, args...)
}

func invalidState(format string, args ...any) *apiError {
	return refuse("KMSInvalidStateException", format, args...)
}

// stateError is the refusal of an operation that is admitted in other states
// than s. The text always holds the ARN, even when the caller gave a bare key ID.
func stateError(arn string, s keyState, admitted stateSet) *apiError {
	if !admitted.has(stateEnabled) { // CancelKeyDeletion alone
		return invalidState("%s is not pending deletion.", arn)
	}
	switch s {
	case stateDisabled:
		return refuse("DisabledException", "%s is disabled.", arn)
	case statePendingImport:
		return invalidState("%s is pending import.", arn)
	case statePendingDeletion:
		return invalidState("%s is pending deletion.", arn)
	case statePendingReplicaDeletion:
		return invalidState("%s is pending replica deletion.", arn)
	case stateCreating:
		return invalidState("%s is creating.", arn)
	}
	return invalidState("%s is updating.", arn)
}

func originError(arn, origin string) *apiError {
	return refuse("UnsupportedOperationException", "%s origin is %s which is not valid for this operation.", arn, origin)
}

// unsupported is UnsupportedOperationException as recorded for GetPublicKey on
// a symmetric key and for RotateKeyOnDemand on other than symmetric ones.
func unsupported() *apiError { return refuseSilently("UnsupportedOperationException") }

// unsupportedHere refuses what only the China Regions have, SM2, or all but
// them. The text is reported for SM2 as the KeySpec of CreateKey.
func unsupportedHere(member, value string) *apiError {
	return refuse("UnsupportedOperationException", "%s %s is not supported in this Region", member, value)
}

func usageError(arn, usage, operation string) *apiError {
	return refuse("InvalidKeyUsageException", "%s key usage is %s which is not valid for %s.", arn, usage, operation)
}

func algorithmError(algorithm, spec string) *apiError {
	return refuse("InvalidKeyUsageException", "Algorithm %s is incompatible with key spec %s.", algorithm, spec)
}

// Key references that lead nowhere.

func keyNotFound(arn string) *apiError {
	return refuse("NotFoundException", "Key '%s' does not exist", arn)
}

func invalidKeyID(id string) *apiError {
	return refuse("NotFoundException", "Invalid keyId '%s'", id)
}

func aliasNotFound(arn string) *apiError {
	return refuse("NotFoundException", "Alias %s is not found.", arn)
}

func invalidARN(format string, args ...any) *apiError {
	return refuse("InvalidArnException", format, args...)
}

// Key material.

func invalidCiphertext() *apiError { return refuseSilently("InvalidCiphertextException") }

func invalidImportToken() *apiError { return refuseSilently("InvalidImportTokenException") }

func expiredImportToken() *apiError { return refuseSilently("ExpiredImportTokenException") }

func unexpectedMaterial(id string) *apiError {
	return refuse("IncorrectKeyMaterialException", "Imported key material does not have the expected identifier (%s).", id)
}

func materialAlreadyAssociated(id, arn string) *apiError {
	return refuse("IncorrectKeyMaterialException",
		"Key material (id: %s) being imported as NEW_KEY_MATERIAL is already associated with KMS key %s.", id, arn)
}

func anotherMaterialPending(id, arn, pending string) *apiError {
	return invalidState("New key material (id: %s) cannot be imported into KMS key %s, "+
		"because another key material (id: %s) is pending rotation.", id, arn, pending)
}

func materialNeverImported(id, arn string) *apiError {
	return validation("Key material (id: %s) has never been imported into KMS key %s.", id, arn)
}

func nothingPendingRotation(arn string) *apiError {
	return invalidState("No available key material pending rotation for the key: %s.", arn)
}

func rotationLimit(arn string) *apiError {
	return refuse("LimitExceededException", "The on-demand rotations limit has been reached for the given keyId. "+
		"No more on-demand rotations can be performed for this key: %s", arn)
}

func missingInReplicas() *apiError {
	return invalidState("Cannot perform key material rotation: Key material has not been imported for replicas of the Multi-Region key.")
}

// automaticRotationNear is documented; its text is assumed.
func automaticRotationNear(arn string) *apiError {
	return refuse("ConflictException", "Automatic rotation of the key %s is in progress or due within the next 20 minutes.", arn)
}

// Multi-Region keys. The two texts for the same differ in a letter and in the
// code (recorded).

func notPrimary(arn string) *apiError {
	return refuse("UnsupportedOperationException", "%s is not a multi-region primary key.", arn)
}

func notPrimaryForUpdate(arn string) *apiError {
	return invalidState("%s is not a multi-Region primary key.", arn)
}

func replicaRefused(arn, operation string) *apiError {
	return refuse("UnsupportedOperationException", "%s is a multi-region replica key which is not valid for %s.", arn, operation)
}

// Everything else.

func incorrectKey() *apiError {
	return refuse("IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.")
}

func foreignCiphertext() *apiError {
	return refuse("AccessDeniedException", "The ciphertext refers to a customer master key that does not exist, "+
		"does not exist in this region, or you are not allowed to access.")
}

func invalidMarker() *apiError { return refuseSilently("InvalidMarkerException") }

func dryRunSucceeded() *apiError {
	return refuse("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
}

func throttled() *apiError {
	return refuse("ThrottlingException", "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.")
}

func serialization(format string, args ...any) *apiError {
	return refuse("SerializationException", format, args...)
}

func internalError() *apiError {
	return &apiError{code: "KMSInternalException", message: "An internal error occurred.", status: http.StatusInternalServerError}
}

// Custom key stores, of which an account without one has none.

func noSuchKeyStore() *apiError { return refuseSilently("CustomKeyStoreNotFoundException") }

// Grants.

func invalidGrantToken() *apiError { return refuseSilently("InvalidGrantTokenException") }

func invalidGrantID() *apiError { return refuseSilently("InvalidGrantIdException") }

func grantNotFound(id string) *apiError {
	return refuse("NotFoundException", "Grant ID %s not found", id)
}

// refusalOf turns what the cryptography said into KMS's words. What is no
// refusal of the HSM comes back as it is.
func refusalOf(err error) error {
	var (
		algorithm *hsm.AlgorithmError
		message   *hsm.MessageTypeError
		digest    *hsm.DigestError
		plaintext *hsm.PlaintextError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &algorithm):
		return algorithmError(algorithm.Algorithm, algorithm.KeySpec)
	case errors.As(err, &message) && message.Algorithm == "":
		return validation("Message type %s is incompatible with key spec %s.", message.MessageType, message.KeySpec)
	case errors.As(err, &message):
		return validation("Message type %s is incompatible with algorithm %s.", message.MessageType, message.Algorithm)
	case errors.As(err, &digest) && digest.MessageType == hsm.ExternalMu:
		return validation("External Mu is invalid length for algorithm %s.", digest.Algorithm)
	case errors.As(err, &digest):
		return validation("Digest is invalid length for algorithm %s.", digest.Algorithm)
	case errors.As(err, &plaintext):
		return validation("Algorithm %s and key spec %s cannot encrypt data larger than %d bytes.",
			plaintext.Algorithm, plaintext.KeySpec, plaintext.Max)
	case errors.Is(err, hsm.ErrCiphertext), errors.Is(err, hsm.ErrMaterial):
		return invalidCiphertext()
	case errors.Is(err, hsm.ErrSignature):
		return refuseSilently("KMSInvalidSignatureException")
	case errors.Is(err, hsm.ErrMAC):
		return refuseSilently("KMSInvalidMacException")
	case errors.Is(err, hsm.ErrPublicKey):
		return refuseSilently("ValidationException")
	case errors.Is(err, hsm.ErrToken):
		return invalidImportToken()
	}
	return err
}
