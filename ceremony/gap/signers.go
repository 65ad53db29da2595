// SPDX-License-Identifier: Apache-2.0

package gap

import (
	"crypto/sha256"
	"slices"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/internal/spoken"
)

// Namespaces of signatures over the files.
const (
	NamespaceBundle  = "keymat-bundle@v1"
	NamespacePackage = "keymat-package@v1"
	NamespaceSeal    = "keymat-seal@v1"
)

// Signers are the IDs of those who have to sign: all fetchers a bundle, and a
// package and a seal those who sign the record. A manifest nobody signs.
func Signers(p *plan.Plan, namespace string) (ids []string) {
	if namespace != NamespaceBundle {
		return slices.Clone(p.Gates[plan.GateClose])
	}
	for _, person := range p.People {
		if person.Has(plan.Fetcher) {
			ids = append(ids, person.ID)
		}
	}
	return ids
}

// CheckSigners holds signatures over a file against the plan: first those that it
// asks for, in its order, then the others. [plan.Approved] says whether all is
// well.
func CheckSigners(p *plan.Plan, namespace string, content []byte, signatures []plan.Signature) []plan.Approval {
	return p.CheckSignatures(Signers(p, namespace), namespace, content, signatures)
}

// Words are the digest of a file as it is read aloud, all of it: 32 words.
func Words(content []byte) []string {
	digest := sha256.Sum256(content)
	return spoken.Words(digest[:])
}

// CheckHeard holds what was heard, and typed in words or hexadecimal digits,
// against a file. Errors: those of [spoken.Parse], [*HeardError].
func CheckHeard(content []byte, heard string) error {
	digest := sha256.Sum256(content)
	said, err := spoken.Parse(heard, len(digest))
	if err != nil {
		return err
	}
	for i := range digest {
		if said[i] != digest[i] {
			return &HeardError{Position: i + 1}
		}
	}
	return nil
}
