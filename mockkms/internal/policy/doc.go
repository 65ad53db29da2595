// SPDX-License-Identifier: Apache-2.0

// Package policy reads IAM policy documents and says what they make of a
// request: the policy grammar, the condition operators and the evaluation
// logic of the IAM User Guide, and how the KMS Developer Guide combines key
// policy, identity policies and grants.
//
// It knows no key and no operation. Who asks for what comes in as a [Request],
// whose [Context] answers for the condition keys. What the caller cannot answer
// for never lets anybody in: a statement with such a condition allows nothing,
// and denies as if the condition held.
//
// Left out, because nothing here has them: permissions boundaries, session
// policies, service and resource control policies, and VPC endpoint policies.
package policy
