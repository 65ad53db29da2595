// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"strings"
)

// everyRule are the operations that almost every experiment calls, clean-up
// included.
const everyRule = "CreateKey DescribeKey GetParametersForImport ImportKeyMaterial ScheduleKeyDeletion"

// besides are those that single experiments call besides, by the ID of the rule.
var besides = map[string]string{
	"token-reuse/twice":                   "Decrypt DeleteImportedKeyMaterial Encrypt",
	"token-reuse/expired-token":           "DeleteImportedKeyMaterial",
	"portability/other-key":               "Decrypt Encrypt ReEncrypt",
	"portability/finds-its-key":           "Decrypt Encrypt",
	"portability/lost-material":           "Decrypt DeleteImportedKeyMaterial Encrypt",
	"portability/replaced-key":            "CancelKeyDeletion Decrypt EnableKey Encrypt",
	"portability/re-import":               "Decrypt DeleteImportedKeyMaterial Encrypt",
	"portability/outside":                 "Encrypt",
	"portability/made-outside":            "Decrypt Encrypt",
	"portability/names-material-only":     "Encrypt",
	"portability/regions":                 "Decrypt Encrypt ReplicateKey",
	"portability/mac":                     "GenerateMac VerifyMac",
	"portability/known-mac":               "GenerateMac",
	"portability/public-key":              "GetPublicKey",
	"portability/rsa-signature":           "Sign Verify",
	"portability/ecdsa-signature":         "Sign Verify",
	"portability/ed25519-signature":       "Sign",
	"portability/rsa-ciphertext":          "Decrypt Encrypt",
	"portability/shared-secret":           "DeriveSharedSecret",
	"same-material/other-bytes":           "Decrypt Encrypt",
	"same-material/after-deletion":        "Decrypt DeleteImportedKeyMaterial Encrypt",
	"same-material/again":                 "ListKeyRotations",
	"same-material/explicitly-existing":   "ListKeyRotations",
	"same-material/new-with-id":           "ListKeyRotations",
	"same-material/id-survives":           "DeleteImportedKeyMaterial ListKeyRotations",
	"same-material/other-bytes-elsewhere": "DeleteImportedKeyMaterial",
	"same-material/description":           "ListKeyRotations",
	"rotation/no-automatic":               "DisableKeyRotation EnableKeyRotation GetKeyRotationStatus",
	"rotation/staged":                     "Decrypt Encrypt ListKeyRotations",
	"rotation/on-demand":                  "Decrypt Encrypt ListKeyRotations ReEncrypt RotateKeyOnDemand",
	"rotation/nothing-waiting":            "RotateKeyOnDemand",
	"rotation/without-material":           "DeleteImportedKeyMaterial RotateKeyOnDemand",
	"rotation/disabled":                   "DisableKey ListKeyRotations RotateKeyOnDemand",
	"rotation/third-material":             "ListKeyRotations",
	"rotation/withdraw":                   "DeleteImportedKeyMaterial ListKeyRotations",
	"rotation/lose-any":                   "Decrypt DeleteImportedKeyMaterial Encrypt ListKeyRotations RotateKeyOnDemand",
	"rotation/second-request":             "GetKeyRotationStatus ListKeyRotations RotateKeyOnDemand",
	"rotation/decided-at-the-end":         "DeleteImportedKeyMaterial ListKeyRotations RotateKeyOnDemand",
	"rotation/withdrawn":                  "DeleteImportedKeyMaterial GetKeyRotationStatus ListKeyRotations RotateKeyOnDemand",
	"rotation/not-stopped-by-disabling":   "DisableKey RotateKeyOnDemand",
	"rotation/expired-material":           "Decrypt Encrypt RotateKeyOnDemand",
	"rotation/history":                    "GetKeyRotationStatus ListKeyRotations RotateKeyOnDemand",
	"rotation/symmetric-only":             "ListKeyRotations RotateKeyOnDemand",
	"lifetime/expires":                    "Decrypt Encrypt",
	"lifetime/expired-looks-imported":     "DeleteImportedKeyMaterial ListKeyRotations",
	"lifetime/delete-at-once":             "Decrypt DeleteImportedKeyMaterial Encrypt",
	"lifetime/delete-twice":               "DeleteImportedKeyMaterial",
	"lifetime/delete-unknown":             "DeleteImportedKeyMaterial",
	"lifetime/restore":                    "DeleteImportedKeyMaterial GenerateMac GetPublicKey Sign Verify",
	"lifetime/without-material":           "DeleteImportedKeyMaterial DisableKey EnableKey Encrypt ListKeyRotations",
	"lifetime/import-enables":             "Decrypt DisableKey Encrypt",
	"lifetime/deletion-waits":             "CancelKeyDeletion Decrypt EnableKey Encrypt",
	"lifetime/deletion-pending":           "CancelKeyDeletion DeleteImportedKeyMaterial Encrypt",
	"lifetime/deletion-cancelled":         "CancelKeyDeletion Decrypt EnableKey Encrypt",
	"lifetime/deletion-cancelled-empty":   "CancelKeyDeletion DeleteImportedKeyMaterial",
	"multi-region/not-copied":             "Encrypt ListKeyRotations ReplicateKey",
	"multi-region/same-material":          "ReplicateKey",
	"multi-region/primary-only":           "ReplicateKey RotateKeyOnDemand",
	"multi-region/everywhere-first":       "Decrypt Encrypt ListKeyRotations ReplicateKey RotateKeyOnDemand",
	"multi-region/withdraw":               "DeleteImportedKeyMaterial ListKeyRotations ReplicateKey",
	"multi-region/independent":            "Decrypt DeleteImportedKeyMaterial Encrypt ReplicateKey",
	"multi-region/expiry-apart":           "ReplicateKey",
	"multi-region/deletion":               "Encrypt ReplicateKey",
	"never/export":                        "Encrypt GetPublicKey",
	"never/kms-origin":                    "DeleteImportedKeyMaterial",
}

// Operations lists the operations of KMS that the experiments of these rules may
// call, clean-up included, in alphabetical order, as in "CreateKey".
func Operations(selection []Rule) []string {
	operations := strings.Fields(everyRule)
	for _, r := range selection {
		operations = append(operations, strings.Fields(besides[r.ID])...)
	}
	slices.Sort(operations)
	return slices.Compact(operations)
}
