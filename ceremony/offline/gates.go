// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
)

// confirm has people pass a gate, all whom the plan names, each for themselves.
func (m *Machine) confirm(ctx context.Context, r room.Room, t phase.Task) error {
	people := slices.Clone(m.plan.Gates[t.Gate])
	if err := m.state.Check(transcript.Confirmed{Gate: t.Gate, Text: "seen"}, people); err != nil {
		return err
	}
	if t.Gate == plan.GateBundle {
		if err := m.compareBundles(ctx, r, people); err != nil || m.refused != nil {
			return err
		}
	}
	text, err := r.Confirm(ctx, t.Gate, people, m.seen(t.Gate))
	if err != nil {
		return err
	}
	c := transcript.Context{Actors: people}
	if t.Gate == plan.GateOpen {
		c.Wall = m.readWall(r, text)
	}
	return m.addAt(ctx, r, transcript.Confirmed{Gate: t.Gate, Text: text}, c)
}

// seen is what people confirm at a gate.
func (m *Machine) seen(g plan.Gate) string {
	switch g {
	case plan.GateOpen:
		return fmt.Sprintf("the plan %s with the SHA-256 %s; the program %s with the SHA-256 %s; everybody who is named is there",
			m.plan.ID, transcript.Digest(m.plan.Digest()), m.tool.Version, m.tool.SHA256)
	case plan.GateIdentity:
		return fmt.Sprintf("%s material with the fingerprint %s, read aloud", m.plan.Material.Spec, m.state.Fingerprint())
	case plan.GateSealed:
		if m.plan.KeptInToken() {
			return m.attestedBackups()
		}
		w := m.working()
		return fmt.Sprintf("the escrow %s, on %s; shares %s read back, each from what its custodian keeps", w.ID, strings.Join(w.Copies, ", "), numbers(w.ReadBack))
	case plan.GateBundle:
		var all []string
		for _, b := range m.pending() {
			all = append(all, b.File.Name+" for "+strings.Join(b.Targets, ", "))
		}
		return strings.Join(all, "; ") + ": the SHA-256 that was read aloud where it was fetched is the same here"
	case plan.GateClose:
		return fmt.Sprintf("nothing of the material is in memory; the record ends, up to here, in the line with the SHA-256 %s", m.record.Last())
	}
	return ""
}

func numbers(all []int) string { return strings.Trim(fmt.Sprint(all), "[]") }

// mostDrift is by how much the machine's clock may be wrong without a word.
const mostDrift = 2 * time.Minute

// readWall takes the time from what people saw when the session was opened, and
// warns where the machine believes another.
func (m *Machine) readWall(r room.Room, text string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	wall, err := time.Parse(time.RFC3339, first)
	if err != nil {
		r.Tell("nobody read the time off the wall clock: deadlines are held against the clock of this machine, which shows %s", m.now().UTC().Format(time.RFC3339))
		return ""
	}
	m.offset = wall.Sub(m.now())
	if m.offset.Abs() > mostDrift {
		r.Tell("the clock of this machine is wrong by %s: it shows %s; deadlines are held against the clock on the wall",
			m.offset.Abs().Round(time.Second), m.now().UTC().Format(time.RFC3339))
	}
	return wall.UTC().Format(time.RFC3339)
}

// compareBundles holds what was read aloud where bundles were fetched against what
// has come. Nothing is shown of the latter: people would hear what they see. Each
// bundle that will be used is compared, not only the latest.
func (m *Machine) compareBundles(ctx context.Context, r room.Room, people []string) error {
	for _, b := range m.pending() {
		content, err := m.read(b.File)
		if err != nil {
			return err
		}
		heard, err := r.Heard(ctx, "the SHA-256 of "+b.File.Name+", as it is read aloud from the machine that fetched it")
		if err != nil {
			return err
		}
		differs := gap.CheckHeard(content, heard)
		if _, ok := errors.AsType[*gap.HeardError](differs); !ok && differs != nil {
			return differs // a slip of the pen
		}
		if differs != nil {
			return m.refuse(ctx, r, people, b, differs)
		}
	}
	return nil
}

// refuse has the lead decide what it means that a digest is not the one that was
// heard.
func (m *Machine) refuse(ctx context.Context, r room.Room, people []string, b transcript.Bundled, differs error) error {
	chosen, err := r.Decide(ctx, fmt.Sprintf("What was heard is not the digest of %s: %v. Was it misheard, or is this another file than was fetched?", b.File.Name, differs), []string{"repeat", "refuse"})
	if err != nil {
		return err
	}
	if chosen != 1 {
		return differs
	}
	e := transcript.Exception{Expected: b.File.Name + " as it was fetched", Happened: differs.Error(), Decided: "the bundle is refused, and another fetched"}
	if err := m.exception(ctx, r, people, e); err != nil {
		return err
	}
	m.refused = b.Targets
	return nil
}

// working is the escrow whose shares are being dealt.
func (m *Machine) working() phase.Escrow { return m.escrowIn(phase.Working) }

// kept is the escrow that brings the material back: the latest.
func (m *Machine) kept() phase.Escrow { return m.escrowIn(phase.Kept) }

func (m *Machine) escrowIn(c phase.Condition) (found phase.Escrow) {
	for _, e := range m.state.Escrows() {
		if e.Condition == c {
			found = e
		}
	}
	return found
}

// bundles are those that were accepted, in their order.
func (m *Machine) bundles() (all []transcript.Bundled) {
	for _, e := range m.entries {
		if b, ok := e.Event.(transcript.Bundled); ok {
			all = append(all, b)
		}
	}
	return all
}

// pending are the bundles that will be used for what is not wrapped yet.
func (m *Machine) pending() (all []transcript.Bundled) {
	for _, t := range m.state.Targets() {
		b := m.bundleFor(t.ID)
		known := slices.ContainsFunc(all, func(other transcript.Bundled) bool { return other.File == b.File })
		if t.Package == (transcript.Digest{}) && t.MaterialID == "" && b.File.Name != "" && !known {
			all = append(all, b)
		}
	}
	return all
}

// bundleFor is the latest bundle with a target.
func (m *Machine) bundleFor(target string) (b transcript.Bundled) {
	for _, other := range m.bundles() {
		if slices.Contains(other.Targets, target) {
			b = other
		}
	}
	return b
}

// read reads an artefact of the ceremony, which has to be what its line says.
func (m *Machine) read(f transcript.File) ([]byte, error) {
	content, err := m.folder.Read(f.Name, f.Size)
	if err == nil && fileOf(f.Name, content) != f {
		err = &evidence.FileError{Name: m.folder.Path(f.Name), Err: &gap.AlteredError{Name: f.Name}}
	}
	return content, err
}
