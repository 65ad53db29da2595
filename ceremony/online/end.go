// SPDX-License-Identifier: Apache-2.0

package online

import (
	"context"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
)

// end closes the record, has its head signed, and tells its digest. Where something
// has to be wrapped again, the offline machine gets the records on a medium. The
// head itself is written last of all: where this was broken off after the record
// was closed, it goes on there. Errors: those of the room, reading and writing.
func (m *Machine) end(ctx context.Context, r room.Room) error {
	signers := m.plan.Gates[plan.GateClose]
	if m.record != nil {
		if err := m.state.Check(transcript.Closed{}, m.people()); err != nil {
			return err
		}
		if err := m.record.End(signers, transcript.Context{Actors: m.people()}); err != nil {
			return err
		}
		if err := m.Close(); err != nil {
			return err
		}
		if err := m.read(); err != nil {
			return err
		}
	}
	n := m.records
	head, err := m.head(n)
	if err != nil {
		return err
	}
	if err := sign(ctx, r, m.plan, transcript.Namespace, signers, m.folders, evidence.HeadFile(n), head); err != nil {
		return err
	}
	tellDigest(r, evidence.HeadFile(n), head)
	if len(m.state.Next(transcript.ImportMachine).Elsewhere) > 0 {
		if err := m.carryRecords(ctx, r); err != nil {
			return err
		}
	}
	m.ended = true
	return m.write(evidence.HeadFile(n), head)
}

// unfinished reports whether the latest record was closed here, and its head not
// written.
func (m *Machine) unfinished() bool {
	return m.record == nil && m.closed && !m.folders[0].Has(evidence.HeadFile(m.records))
}

// head is that of record n, which is closed.
func (m *Machine) head(n int) ([]byte, error) {
	records, err := m.folders[0].Records()
	if err != nil {
		return nil, err
	}
	return records[n-1].Head().Statement()
}

// carryRecords puts the records on a medium, for the offline machine to go on
// after them.
func (m *Machine) carryRecords(ctx context.Context, r room.Room) error {
	records, err := m.folders[0].Records()
	if err != nil {
		return err
	}
	load := map[string][]byte{}
	for n := range records {
		if load[evidence.RecordFile(n+1)], err = m.folders[0].Read(evidence.RecordFile(n+1), transcript.MaxFile); err != nil {
			return err
		}
		if load[evidence.HeadFile(n+1)], err = records[n].Head().Statement(); err != nil {
			return err
		}
		signatures, err := m.folders[0].Signatures(evidence.HeadFile(n + 1))
		if err != nil {
			return err
		}
		for _, s := range signatures {
			load[evidence.SignatureFile(evidence.HeadFile(n+1), s.Signer)] = s.Armoured
		}
	}
	medium, err := emptyMedium(ctx, r)
	if err != nil {
		return err
	}
	return carry(ctx, r, m.plan, medium, load)
}
