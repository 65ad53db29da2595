// SPDX-License-Identifier: Apache-2.0

package online

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/internal/files"
)

// approvedPlan reads the plan of a folder, by which a ceremony may be held.
// Errors: [*PlanError], or those of reading.
func approvedPlan(folder evidence.Folder) (*plan.Plan, error) {
	p, err := folder.Plan()
	if err != nil {
		return nil, err
	}
	signatures, err := folder.Signatures(evidence.PlanFile)
	if err != nil {
		return nil, err
	}
	if plan.HasErrors(p.Lint()) {
		return nil, &PlanError{Name: folder.Path(evidence.PlanFile), Faulty: true}
	}
	if !plan.Approved(p.CheckApprovals(signatures)) {
		return nil, &PlanError{Name: folder.Path(evidence.PlanFile)}
	}
	return p, nil
}

// present demands that all of some people are there.
func present(ctx context.Context, r room.Room, event string, who []string, why string) error {
	there, err := r.Present(ctx, who, why)
	if err != nil {
		return err
	}
	missing := slices.DeleteFunc(slices.Clone(who), func(id string) bool { return slices.Contains(there, id) })
	if len(missing) > 0 {
		return &phase.PeopleError{Event: event, Missing: missing}
	}
	return nil
}

// sign has people sign a file of some folders, whether it is there or still to be
// written, and writes their signatures to each. Whoever has signed is not asked
// again. Those who will sign later are told of.
func sign(ctx context.Context, r room.Room, p *plan.Plan, namespace string, who []string, folders []evidence.Folder, name string, content []byte) error {
	for _, id := range who {
		file := evidence.SignatureFile(name, id)
		person, _ := p.Person(id)
		if folders[0].Has(file) || person.Key == nil {
			continue
		}
		armoured, err := r.Sign(ctx, person, namespace, content)
		if err != nil {
			return err
		}
		if armoured == nil {
			r.Tell("%s will sign %s later", id, name)
			continue
		}
		for _, a := range gap.CheckSigners(p, namespace, content, []plan.Signature{{Signer: id, Armoured: armoured}}) {
			if a.Person == id && a.Problem != "" {
				return &SignatureError{Name: name, People: []string{id}, Problem: a.Problem}
			}
		}
		for _, folder := range folders {
			if err := files.WritePublic(folder.Path(file), armoured, files.KeepExisting); err != nil {
				return err
			}
		}
	}
	return nil
}

// signaturesOf reads the signatures of a file by the names of their files, and
// demands that everybody has signed who has to.
func signaturesOf(p *plan.Plan, namespace string, folder evidence.Folder, name string, content []byte) (map[string][]byte, error) {
	signatures, err := folder.Signatures(name)
	if err != nil {
		return nil, err
	}
	for _, a := range gap.CheckSigners(p, namespace, content, signatures) {
		if a.Problem != "" {
			return nil, &SignatureError{Name: folder.Path(name), People: []string{a.Person}, Problem: a.Problem}
		}
	}
	all := map[string][]byte{}
	for _, s := range signatures {
		all[evidence.SignatureFile(name, s.Signer)] = s.Armoured
	}
	return all, nil
}

// tellDigest tells the digest of a file as it is read aloud, and in hexadecimal.
func tellDigest(r room.Room, name string, content []byte) {
	digest := sha256.Sum256(content)
	r.Tell("read the digest of %s aloud:", name)
	for words := range slices.Chunk(gap.Words(content), 8) {
		r.Tell("  %s", strings.Join(words, " "))
	}
	r.Tell("  %s", hex.EncodeToString(digest[:]))
}
