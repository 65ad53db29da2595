// SPDX-License-Identifier: Apache-2.0

package online

import (
	"context"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
)

// end closes the record, writes its head, has it signed, and tells its digest.
// Where something has to be wrapped again, the offline machine gets the records on
// a medium. Errors: those of the room, reading and writing.
func (m *Machine) end(ctx context.Context, r room.Room) error {
	signers := m.plan.Gates[plan.GateClose]
	if err := m.state.Check(transcript.Closed{}, m.people()); err != nil {
		return err
	}
	if err := m.record.End(signers, transcript.Context{Actors: m.people()}); err != nil {
		return err
	}
	n := m.record.Opened().Part.Number + 1
	if err := m.Close(); err != nil {
		return err
	}
	m.ended = true
	if err := m.read(); err != nil {
		return err
	}
	if err := m.writeHead(n); err != nil {
		return err
	}
	if err := sign(ctx, r, m.plan, transcript.Namespace, signers, m.folders, evidence.HeadFile(n)); err != nil {
		return err
	}
	head, err := m.folders[0].Read(evidence.HeadFile(n), transcript.MaxHead)
	if err != nil {
		return err
	}
	tellDigest(r, evidence.HeadFile(n), head)
	if a := m.Agenda(); len(a.Elsewhere) > 0 {
		return m.carryRecords(ctx, r)
	}
	return nil
}

// writeHead writes the head of record n, which is closed, where it is missing.
func (m *Machine) writeHead(n int) error {
	records, err := m.folders[0].Records()
	if err != nil {
		return err
	}
	statement, err := records[n-1].Head().Statement()
	if err != nil {
		return err
	}
	return m.write(evidence.HeadFile(n), statement)
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
		for _, name := range []string{evidence.RecordFile(n + 1), evidence.HeadFile(n + 1)} {
			if load[name], err = m.folders[0].Read(name, transcript.MaxFile); err != nil {
				return err
			}
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
