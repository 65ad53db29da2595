// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/internal/sshsig"
)

// Namespace is that of signatures over a plan.
const Namespace = "keymat-plan@v1"

// AllowedSigners is a file for ssh-keygen -Y verify -f that lets each person of
// the plan who has a key sign in these namespaces, by ID.
func (p *Plan) AllowedSigners(namespaces ...string) []byte {
	var b bytes.Buffer
	for _, person := range p.People {
		if person.Key != nil {
			fmt.Fprintf(&b, "%s namespaces=%q %s", person.ID, strings.Join(namespaces, ","), ssh.MarshalAuthorizedKey(person.Key))
		}
	}
	return b.Bytes()
}

// Message is what approvals sign: the bytes of the file.
func (p *Plan) Message() []byte { return bytes.Clone(p.data) }

// A Signature is what somebody claims to have signed.
type Signature struct {
	Signer   string // a person's ID
	Armoured []byte
}

// An Approval says whether somebody has approved a plan.
type Approval struct {
	Person   string `json:"person"` // ID
	Name     string `json:"name"`   // "" if the plan does not know them
	Required bool   `json:"required"`
	Key      string `json:"key,omitempty"`     // fingerprint of the key in the plan
	Problem  string `json:"problem,omitempty"` // "" if the signature is good
}

// CheckApprovals holds signatures against the plan: first those it asks for, in
// its order, then the others. The keys are the plan's own, so that this shows
// that those it names have approved it, and not that they are who they should be:
// for that its digest, or their fingerprints, are compared with what was agreed
// on elsewhere.
func (p *Plan) CheckApprovals(signatures []Signature) []Approval {
	return p.CheckSignatures(p.Gates[GatePlan], Namespace, p.data, signatures)
}

// CheckSignatures is CheckApprovals for any bytes that people of the plan sign in
// a namespace. required are the IDs of those who have to.
func (p *Plan) CheckSignatures(required []string, namespace string, message []byte, signatures []Signature) []Approval {
	all := make([]Approval, 0, len(required))
	for _, id := range required {
		i := slices.IndexFunc(signatures, func(s Signature) bool { return s.Signer == id })
		var a Approval
		if i >= 0 {
			a = p.checkSignature(namespace, message, signatures[i])
		} else {
			a = p.checkSignature(namespace, message, Signature{Signer: id})
			a.Problem = "has not signed"
		}
		a.Required = true
		all = append(all, a)
	}
	for _, s := range signatures {
		if !slices.Contains(required, s.Signer) {
			all = append(all, p.checkSignature(namespace, message, s))
		}
	}
	return all
}

func (p *Plan) checkSignature(namespace string, message []byte, s Signature) Approval {
	who, ok := p.Person(s.Signer)
	if !ok {
		return Approval{Person: s.Signer, Problem: "is nobody of the plan"}
	}
	a := Approval{Person: who.ID, Name: who.Name}
	if who.Key == nil {
		a.Problem = "has no key in the plan"
		return a
	}
	a.Key = ssh.FingerprintSHA256(who.Key)
	if err := sshsig.Verify(message, s.Armoured, namespace, who.Key); err != nil {
		a.Problem = err.Error()
	}
	return a
}

// Approved reports whether all who have to approve have, and nothing is wrong
// with any signature.
func Approved(approvals []Approval) bool {
	return !slices.ContainsFunc(approvals, func(a Approval) bool { return a.Problem != "" })
}
