// SPDX-License-Identifier: Apache-2.0

package gap

import (
	"crypto/sha256"
	"slices"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/internal/spoken"
	"github.com/keymat/keymat/internal/sshsig"
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
	required := Signers(p, namespace)
	all := make([]plan.Approval, 0, len(required))
	for _, id := range required {
		i := slices.IndexFunc(signatures, func(s plan.Signature) bool { return s.Signer == id })
		if i < 0 {
			who, _ := p.Person(id)
			all = append(all, plan.Approval{Person: id, Name: who.Name, Required: true, Problem: "has not signed"})
			continue
		}
		a := checkSigner(p, namespace, content, signatures[i])
		a.Required = true
		all = append(all, a)
	}
	for _, s := range signatures {
		if !slices.Contains(required, s.Signer) {
			all = append(all, checkSigner(p, namespace, content, s))
		}
	}
	return all
}

func checkSigner(p *plan.Plan, namespace string, content []byte, s plan.Signature) plan.Approval {
	who, ok := p.Person(s.Signer)
	switch {
	case !ok:
		return plan.Approval{Person: s.Signer, Problem: "is nobody of the plan"}
	case who.Key == nil:
		return plan.Approval{Person: who.ID, Name: who.Name, Problem: "has no key in the plan"}
	}
	a := plan.Approval{Person: who.ID, Name: who.Name, Key: ssh.FingerprintSHA256(who.Key)}
	if err := sshsig.Verify(content, s.Armoured, namespace, who.Key); err != nil {
		a.Problem = err.Error()
	}
	return a
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
