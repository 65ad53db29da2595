// SPDX-License-Identifier: Apache-2.0

package rehearsal

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/spoken"
)

// Medium puts a medium in. One for a copy of the escrow, or for somebody's share,
// is called what the plan calls it; an empty stick is a new one; and what came from
// another machine is on the latest stick that is whole.
func (p *players) Medium(ctx context.Context, what string) (string, error) {
	if err := p.asked(ctx, "medium"); err != nil {
		return "", err
	}
	folder, err := p.pick(what)
	if err != nil {
		return "", err
	}
	p.Tell("%s: at %s", what, folder)
	if p.disturbed.medium != nil {
		err = p.disturbed.medium(p.task, folder)
	}
	return folder, err
}

func (p *players) pick(what string) (string, error) {
	for _, c := range p.plan.Escrow.Copies {
		if strings.Contains(what, c.ID) || strings.Contains(what, c.Medium) {
			return p.keptAt(c.ID)
		}
	}
	switch {
	case p.task.Step == phase.Issue || p.task.Step == phase.ReadShare:
		return p.keptAt(p.custodian(p.task.Share))
	case p.task.Step == phase.Recover || p.task.Step == phase.Discard:
		return p.archive(), nil
	case strings.Contains(what, "empty"):
		return p.newStick()
	}
	return p.arriving()
}

// archive is the medium with the escrow of the ceremony before.
func (s *stage) archive() string {
	if s.before == nil {
		return s.mediumOf(earlierMedium)
	}
	return s.before.mediumOf(s.before.plan.Escrow.Copies[0].ID)
}

// keptAt is the medium of a copy or a custodian.
func (s *stage) keptAt(id string) (string, error) {
	return s.mediumOf(id), os.MkdirAll(s.mediumOf(id), 0o700)
}

func (s *stage) custodian(share int) string {
	for _, h := range s.plan.Shares.Holders {
		if h.Share == share {
			return h.Custodian
		}
	}
	return ""
}

// Remount takes a medium out and puts it in again.
func (p *players) Remount(ctx context.Context, what, folder string) error {
	if err := p.asked(ctx, "remount"); err != nil {
		return err
	}
	if p.disturbed.remount != nil {
		return p.disturbed.remount(p.task, folder)
	}
	return nil
}

// mediumOf is the medium with a copy of the escrow, or of a custodian.
func (s *stage) mediumOf(id string) string {
	if n := s.exchanged[id]; n > 0 {
		id = fmt.Sprintf("%s-new-%d", id, n)
	}
	return filepath.Join(s.dir, mediaDir, id)
}

// exchange has people take another medium for a copy.
func (s *stage) exchange(id string) { s.exchanged[id]++ }

// discard has people put the latest stick for the offline machine aside.
func (s *stage) discard() {
	if all := s.sticks(gap.In, s.hasNewBundle); len(all) > 0 {
		s.spent[all[0]] = true
	}
}

func (s *stage) stick(n int) evidence.Folder {
	return evidence.Folder(filepath.Join(s.dir, mediaDir, fmt.Sprintf("stick-%d", n)))
}

// newStick is one with nothing on it.
func (s *stage) newStick() (string, error) {
	for n := 1; ; n++ {
		if _, err := os.Lstat(string(s.stick(n))); errors.Is(err, fs.ErrNotExist) {
			return string(s.stick(n)), os.MkdirAll(string(s.stick(n)), 0o700)
		}
	}
}

// sticks are those that were written to their end, the latest first.
func (s *stage) sticks(d gap.Direction, with func(evidence.Folder) bool) (all []evidence.Folder) {
	for n := 1; ; n++ {
		f := s.stick(n)
		if _, err := os.Lstat(string(f)); err != nil {
			return all
		}
		if m, err := f.Manifest(); err == nil && m.Direction == d && !s.spent[f] && with(f) {
			all = append([]evidence.Folder{f}, all...)
		}
	}
}

// A NoMediumError says that nothing has come that a machine could take in.
type NoMediumError struct{ Machine transcript.Machine }

func (e *NoMediumError) Error() string {
	return fmt.Sprintf("no medium has come to the %s machine", e.Machine)
}

// arriving is the stick that people put in when they are asked for what came.
func (p *players) arriving() (string, error) {
	direction, with := gap.In, p.hasNewBundle
	switch {
	case p.machine == transcript.ImportMachine:
		direction, with = gap.Out, func(evidence.Folder) bool { return true }
	case p.task.Step == phase.Begin:
		with = p.hasNewRecord
	}
	if all := p.sticks(direction, with); len(all) > 0 {
		return string(all[0]), nil
	}
	return "", &NoMediumError{p.machine}
}

// hasNewBundle reports whether a stick has a bundle that the offline machine has
// not recorded.
func (s *stage) hasNewBundle(f evidence.Folder) bool {
	numbers, err := f.Bundles()
	if err != nil || len(numbers) == 0 {
		return false
	}
	_, content, err := f.Bundle(numbers[len(numbers)-1])
	return err == nil && !s.recorded(gap.FileOf("", content).SHA256)
}

// hasNewRecord reports whether a stick has a record that the offline machine lacks.
func (s *stage) hasNewRecord(f evidence.Folder) bool {
	theirs, err := f.Records()
	return err == nil && len(theirs) > len(s.records(transcript.OfflineMachine))
}

// returned reports whether the machine that imports has sent a record back.
func (s *stage) returned() bool { return len(s.sticks(gap.In, s.hasNewRecord)) > 0 }

// readAloud finds what the screens of the other machines said of a file, and gives
// its digest in words.
func (p *players) readAloud(file string) (string, error) {
	digest := ""
	for _, m := range machines {
		if m == p.machine {
			continue
		}
		said, err := lastDigest(p.screen(m), file)
		if err != nil {
			return "", err
		}
		if said != "" {
			digest = said
		}
	}
	raw, err := hex.DecodeString(digest)
	if err == nil && len(raw) == 0 { // the screen went dark before it was shown
		raw, err = p.digestElsewhere(file)
	}
	return strings.Join(spoken.Words(raw), " "), err
}

// digestElsewhere is what sha256sum says of a file on another machine.
func (p *players) digestElsewhere(file string) ([]byte, error) {
	for _, m := range machines {
		if f := p.folder(m); m != p.machine && f.Has(file) {
			content, err := f.Read(file, gap.MaxArtefact)
			digest := gap.FileOf(file, content).SHA256
			return digest[:], err
		}
	}
	return nil, fmt.Errorf("nobody has read the digest of %s aloud", file)
}

// lastDigest is the digest that follows the last mention of a file on a screen, ""
// for none.
func lastDigest(screen, file string) (digest string, err error) {
	f, err := os.Open(screen)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("remembering what was shown: %w", err)
	}
	defer f.Close()
	hexadecimal := regexp.MustCompile(`\b[0-9a-f]{64}\b`)
	awaited := false
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		awaited = awaited || strings.Contains(lines.Text(), file)
		if found := hexadecimal.FindString(lines.Text()); awaited && found != "" {
			digest, awaited = found, false
		}
	}
	return digest, lines.Err()
}
