// SPDX-License-Identifier: Apache-2.0

package rules

// Operations lists the operations of KMS that the experiments of [All] call,
// clean-up included, as in "CreateKey".
func Operations() []string {
	return []string{
		"CancelKeyDeletion", "CreateKey", "Decrypt", "DeleteImportedKeyMaterial", "DeriveSharedSecret", "DescribeKey",
		"DisableKey", "DisableKeyRotation", "EnableKey", "EnableKeyRotation", "Encrypt", "GenerateMac",
		"GetKeyRotationStatus", "GetParametersForImport", "GetPublicKey", "ImportKeyMaterial", "ListKeyRotations",
		"ReEncrypt", "ReplicateKey", "RotateKeyOnDemand", "ScheduleKeyDeletion", "Sign", "Verify", "VerifyMac",
	}
}
