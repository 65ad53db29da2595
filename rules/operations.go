// SPDX-License-Identifier: Apache-2.0

package rules

// Operations lists the operations of KMS that the experiments of [All] call,
// clean-up included, as in "CreateKey".
func Operations() []string {
	return []string{
		"CreateKey", "DescribeKey", "GetParametersForImport", "ImportKeyMaterial", "ScheduleKeyDeletion",
	}
}
