// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"fmt"

	"github.com/keymat/keymat/ceremony/record"
)

// Names of the files of which there is one.
const (
	PlanFile       = "plan.yaml"
	SignersFile    = "allowed_signers" // for ssh-keygen -Y verify
	RandomnessFile = "randomness.json" // where the material came from
)

// RecordFile is the name of a record, from 1: "transcript.jsonl",
// "transcript-2.jsonl". Record n has n-1 before it, see transcript.Part.
func RecordFile(n int) string { return record.FileName(n) }

// HeadFile is the name of the head of a record, from 1: "head.json",
// "head-2.json".
func HeadFile(n int) string {
	if n == 1 {
		return "head.json"
	}
	return fmt.Sprintf("head-%d.json", n)
}

// EscrowFile is the name of an escrow, by its ID.
func EscrowFile(id string) string { return id + ".escrow" }

// SealFile is the name of the seal record on an escrow.
func SealFile(id string) string { return "seal-" + id + ".json" }

// ShareFile is the name of a share of an escrow that is encrypted to the key of
// its custodian. It is on the custodian's medium, and nowhere else. One that was
// issued anew has the next issue, from 1.
func ShareFile(id string, share, issue int) string {
	if issue == 1 {
		return fmt.Sprintf("share-%d-%s.age", share, id)
	}
	return fmt.Sprintf("share-%d-%s-%d.age", share, id, issue)
}

// RandomnessName is the name of the record of where material came from, from 1:
// [RandomnessFile], and "randomness-2.json" for what was made after the first was
// void.
func RandomnessName(n int) string {
	if n == 1 {
		return RandomnessFile
	}
	return fmt.Sprintf("randomness-%d.json", n)
}

// BundleFile is the name of what was fetched, from 1, as the fetching machine
// counts.
func BundleFile(n int) string { return fmt.Sprintf("bundle-%d.json", n) }

// ParametersFile is the name of the import parameters of a target in a bundle.
func ParametersFile(n int, target string) string { return fmt.Sprintf("params-%d-%s.json", n, target) }

// PackageFile is the name of what was wrapped, from 1, in the order in which it
// was.
func PackageFile(n int) string { return fmt.Sprintf("package-%d.json", n) }

// WrappedFile is the name of what was wrapped for a target of a package.
func WrappedFile(n int, target string) string { return fmt.Sprintf("wrapped-%d-%s.json", n, target) }

// SignatureFile is the name of a person's signature of a file.
func SignatureFile(name, person string) string { return name + "." + person + ".sig" }
