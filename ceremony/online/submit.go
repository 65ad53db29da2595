// SPDX-License-Identifier: Apache-2.0

package online

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/token"
)

// The pauses between tries double from the first to the longest.
const (
	firstPause   = time.Second
	longestPause = time.Minute
)

// A submission brings one target its material.
type submission struct {
	*Machine
	room   room.Room
	target plan.Target
	cargo  cargo
	kms    *importer.Importer
}

// submit sends what was wrapped for a target, and tries again for as long as the
// plan lets it while KMS cannot be reached or is too busy. Each try is recorded
// before it is made, and what came of it after. Errors: [*RefusedError],
// [*gap.MismatchError] for a key that is not what the plan says, [*RefusedError]
// around [*LateError], those of [importer.Importer.Import], of reading, and of the
// room.
func (m *Machine) submit(ctx context.Context, r room.Room, id string) error {
	s := submission{Machine: m, room: r}
	if incident := m.state.Incident(); incident != "" {
		return &phase.IncidentError{Target: incident}
	}
	var err error
	if s.target, err = targetOf(m.plan, id); err != nil {
		return err
	}
	t, err := m.target(id)
	if err != nil {
		return err
	}
	if s.cargo, err = cargoOf(m.plan, m.folders[0], t); err != nil {
		return err
	}
	if s.kms, _, err = m.service.importer(ctx, s.target.Region, m.now, s.observe); err != nil {
		return err
	}
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := s.try(ctx)
		if err == nil || ctx.Err() != nil || !passes(err) || m.now().Add(pause).After(s.cargo.deadline(m.plan)) {
			return err
		}
		r.Tell("%v; the same bytes go again in %s", err, pause)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

func (s *submission) observe(e importer.Event) {
	if lost, ok := e.(importer.LostAnswer); ok {
		s.room.Tell("%s got no answer (%v); looking whether it happened", lost.Operation, lost.Err)
	}
}

// try submits once. A submission that got no answer is looked for first, so that
// nothing is sent twice that could be refused for having arrived.
func (s *submission) try(ctx context.Context) error {
	k, err := s.kms.Describe(ctx, s.cargo.wrapped.KeyARN)
	if err != nil {
		return err
	}
	id, arrived, err := s.find(ctx, k)
	if err != nil {
		return err
	}
	if arrived {
		return s.sendOnceMore(ctx, k, id)
	}
	if err := checkReady(s.plan, s.target, k); err != nil {
		return err
	}
	if err := s.checkTime(ctx); err != nil {
		return err
	}
	request := s.cargo.request(k)
	if _, err := s.kms.Check(ctx, request); err != nil {
		return err
	}
	if err := s.add(s.cargo.submitted(k), s.people()); err != nil {
		return err
	}
	receipt, err := s.kms.Import(ctx, request)
	if err != nil {
		return s.refused(ctx, err)
	}
	if receipt.LostAnswer {
		return s.sendOnceMore(ctx, k, receipt.MaterialID)
	}
	return s.imported(receipt.MaterialID)
}

func (s *submission) imported(id string) error {
	if err := s.add(transcript.Imported{Target: s.target.ID, MaterialID: id}, s.people()); err != nil {
		return err
	}
	if id == "" {
		s.room.Tell("KMS has the material in %s", s.target.ID)
	} else {
		s.room.Tell("KMS has the material in %s, and calls it %s", s.target.ID, id)
	}
	return nil
}

// sendOnceMore is for a submission that arrived without an answer. That the key
// has material now does not show that KMS has opened these bytes: somebody who
// could open them may have brought it in, wrapped anew. So they go once more, as
// material that the key has, which changes nothing (recorded).
func (s *submission) sendOnceMore(ctx context.Context, k importer.Key, id string) error {
	request := s.cargo.request(k)
	request.Before, request.Description = nil, ""
	if id != "" {
		request.Type, request.MaterialID = types.ImportTypeExistingKeyMaterial, id
	}
	if err := s.add(s.cargo.submitted(k), s.people()); err != nil {
		return err
	}
	_, err := s.kms.Import(ctx, request)
	_, expired := errors.AsType[*token.ExpiredError](err)
	switch {
	case err == nil:
		return s.imported(id)
	case expired || remedies[codeOf(err)] == transcript.WrapAgain:
		const text = "the answer of KMS was lost, and the import token of %s serves no more: that KMS opened just these bytes was not seen"
		if err := s.note(s.room, text, s.target.ID); err != nil {
			return err
		}
		return s.imported(id)
	}
	return s.refused(ctx, err)
}

// find looks whether a submission happened whose answer nobody got, by what the
// key was before it. Where it cannot be told, sending the same material once more
// changes nothing.
func (s *submission) find(ctx context.Context, k importer.Key) (id string, arrived bool, err error) {
	t, err := s.Machine.target(s.target.ID)
	if err != nil || !t.Waiting {
		return "", false, err
	}
	before, err := s.before(s.target.ID)
	if err != nil {
		return "", false, err
	}
	if before.KeyState == string(types.KeyStatePendingImport) && k.State == types.KeyStateEnabled {
		return k.MaterialID, true, nil
	}
	if !s.cargo.stages(before.MaterialID) {
		return "", false, nil
	}
	all, err := s.kms.Materials(ctx, k)
	for _, m := range all {
		if m.Pending() { // there was none: KMS takes no second
			return m.ID, true, err
		}
	}
	return "", false, err
}

// before is the first submission to a target of those that KMS did not refuse: it
// tells what the key was before any of them.
func (m *Machine) before(target string) (first transcript.Submitted, err error) {
	records, err := m.folders[0].Records()
	for _, record := range records {
		for _, entry := range record.Entries {
			switch e := entry.Event.(type) {
			case transcript.Submitted:
				if e.Target == target && first.Target == "" {
					first = e
				}
			case transcript.Refused:
				if e.Target == target {
					first = transcript.Submitted{}
				}
			}
		}
	}
	return first, err
}

// checkTime looks at the deadline of the import token. Once it has passed, or the
// lead decides so because the plan's margin has, a new package is needed, which is
// recorded.
func (s *submission) checkTime(ctx context.Context) error {
	now := s.now()
	if !now.After(s.cargo.deadline(s.plan)) {
		return nil
	}
	late := &LateError{Target: s.target.ID, ValidTo: s.cargo.wrapped.ValidTo, Margin: s.plan.Limits.ImportMargin}
	if now.Before(late.ValidTo) {
		choice, err := s.room.Decide(ctx, late.Error()+": what now?", []string{"fetch and wrap anew", "submit nevertheless"})
		if err != nil {
			return err
		}
		if choice == 1 {
			return s.add(transcript.Exception{
				Expected: fmt.Sprintf("the import of %s before %s", s.target.ID, s.cargo.deadline(s.plan).Format(time.RFC3339)),
				Happened: "it is later", Decided: "to submit nevertheless",
			}, s.leads())
		}
	}
	if err := s.add(transcript.Refused{Target: s.target.ID, Remedy: transcript.WrapAgain}, s.people()); err != nil {
		return err
	}
	return &RefusedError{Target: s.target.ID, Remedy: transcript.WrapAgain, Err: late}
}

// leads are those who decide on exceptions.
func (m *Machine) leads() (ids []string) {
	for _, p := range m.plan.People {
		if p.Has(plan.Lead) {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// investigate is all that is left after an incident: it closes the record, if it
// is open, and fails with a [*phase.IncidentError] each time.
func (m *Machine) investigate(ctx context.Context, r room.Room) error {
	incident := &phase.IncidentError{Target: m.state.Incident()}
	r.Tell("%v", incident)
	r.Tell("nothing is submitted any more; keep all media, and find out who had the wrapping key between KMS and the offline machine")
	if m.record == nil {
		return incident
	}
	exception := transcript.Exception{Expected: "KMS opens what was wrapped for it offline", Happened: incident.Error(), Decided: "to submit nothing more, and investigate"}
	if err := m.add(exception, m.leads()); err != nil {
		return err
	}
	if err := m.end(ctx, r); err != nil {
		return err
	}
	return incident
}
