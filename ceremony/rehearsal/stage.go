// SPDX-License-Identifier: Apache-2.0

package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/internal/sshsig"
	"github.com/keymat/keymat/mockkms"
)

// Names in the folder of one play, beside those of the machines.
const (
	earlierMedium = "earlier" // with the escrow of an earlier ceremony
	aboutFile     = "rehearsal.json"
	mockFile      = "kms.db"
	peopleDir     = "people"
	mediaDir      = "media"
	screensDir    = "screens"
	maxAbout      = 4 << 10 // bytes
	aboutKind     = "keymat/rehearsal"
	aboutNotice   = "A rehearsal. Everything here is throw-away: the people are simulated, and the key is in a mock of KMS."
)

// machines are those of a ceremony, in the order in which they come. The folder of
// each is called after it.
var machines = []transcript.Machine{transcript.OfflineMachine, transcript.FetchMachine, transcript.ImportMachine}

// A stage is where a ceremony is played: the folders of three machines, media,
// simulated people with what they keep, and a mock of KMS.
type stage struct {
	dir       string
	before    *stage     // of the ceremony whose key this one is about, nil for the first
	plan      *plan.Plan // for practice
	changes   []plan.Change
	cast      cast
	world     *world
	tool      transcript.Tool
	observe   func(Event)
	disturbed *disturbance

	on        map[transcript.Machine]machine // that are switched on
	played    []Played
	awaited   []string                 // targets that the offline machine wants a bundle for
	exchanged map[string]int           // media that were given up, by what is kept on them
	spent     map[evidence.Folder]bool // sticks that people have put aside
	fault     error                    // of keeping what the screens show
}

func newStage(dir string, tool transcript.Tool, observe func(Event)) *stage {
	return &stage{
		dir: dir, tool: tool, observe: observe, disturbed: &disturbance{},
		on: map[transcript.Machine]machine{}, exchanged: map[string]int{}, spent: map[evidence.Folder]bool{},
	}
}

// An about says what a folder is.
type about struct {
	Kind     string            `json:"kind"`
	Notice   string            `json:"notice"`
	Scenario string            `json:"scenario"`
	Plan     transcript.Digest `json:"plan_sha256"` // of the real plan
}

// A TakenError says that a folder has something else in it than a rehearsal by
// this plan.
type TakenError struct{ Folder string }

func (e *TakenError) Error() string {
	return e.Folder + " holds something else than a rehearsal by this plan"
}

// prepare makes the folder of a play, or takes up one that was interrupted: the
// practice plan is written last.
func (s *stage) prepare(ctx context.Context, own *plan.Plan, scenario Scenario) (err error) {
	if err := s.claim(about{aboutKind, aboutNotice, scenario.Name, own.Digest()}); err != nil {
		return err
	}
	s.cast = cast{filepath.Join(s.dir, peopleDir)}
	if s.world, err = openWorld(filepath.Join(s.dir, mockFile), own.Date, accountOf(own), wrappingKeys(own, scenario.imports())); err != nil {
		return err
	}
	if err := s.rehearse(ctx, own, scenario); err != nil {
		return closing(err, s.world.close)
	}
	return nil
}

// accountOf is the AWS account that a ceremony is about, "" if it is about none.
func accountOf(p *plan.Plan) string {
	for _, t := range p.Targets {
		return t.Account
	}
	return ""
}

// wrappingKeys are how many the mock should have ready for a plan that brings material
// into its keys some times.
func wrappingKeys(p *plan.Plan, times int) (n mockkms.KeysAhead) {
	for _, t := range p.Targets {
		switch t.Wrapping.KeySpec.String() {
		case "RSA_2048":
			n.RSA2048 += times
		case "RSA_3072":
			n.RSA3072 += times
		case "RSA_4096":
			n.RSA4096 += times
		}
	}
	return n
}

// claim makes the folders, unless they are those of this very rehearsal. One in
// which something goes wrong begins anew: when it did, nobody remembers.
func (s *stage) claim(a about) error {
	text, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	path := filepath.Join(s.dir, aboutFile)
	there, err := files.ReadLimited(path, nil, maxAbout)
	switch {
	case err == nil && string(there) != string(text):
		return &TakenError{s.dir}
	case err == nil && a.Scenario != ByPlan:
		if err := os.RemoveAll(s.dir); err != nil {
			return fmt.Errorf("beginning anew: %w", err)
		}
		err = fs.ErrNotExist
	}
	if errors.Is(err, fs.ErrNotExist) {
		if entries, _ := os.ReadDir(s.dir); len(entries) > 0 {
			return &TakenError{s.dir}
		}
		if err = os.MkdirAll(s.dir, 0o700); err == nil {
			err = files.WritePublic(path, text, files.KeepExisting)
		}
	}
	if err == nil {
		err = s.makeFolders()
	}
	return err
}

// makeFolders makes those that there are beside the machines', of which each has one
// of its own.
func (s *stage) makeFolders() error {
	names := []string{mediaDir, screensDir}
	for _, m := range machines {
		names = append(names, string(m))
	}
	for _, name := range names {
		if err := os.MkdirAll(filepath.Join(s.dir, name), 0o700); err != nil {
			return err
		}
	}
	return nil
}

// rehearse makes the practice plan, approved by simulated people, and gives it to
// the three machines.
func (s *stage) rehearse(ctx context.Context, own *plan.Plan, scenario Scenario) error {
	last := s.folder(transcript.ImportMachine)
	if !last.Has(evidence.PlanFile) {
		if err := s.makePlan(ctx, own, scenario); err != nil {
			return err
		}
	}
	var err error
	if s.plan, err = last.Plan(); err != nil {
		return err
	}
	s.changes = plan.Diff(own, s.plan)
	return nil
}

func (s *stage) makePlan(ctx context.Context, own *plan.Plan, scenario Scenario) error {
	keys, err := s.cast.keys(own)
	if err != nil {
		return err
	}
	practice := Practice{Keys: keys, Session: scenario.Session}
	if practice.Targets, err = s.world.makeKeys(ctx, own); err != nil {
		return err
	}
	if own.Material.Source == plan.FromEscrow {
		if practice.Expected, err = s.remember(ctx, own, practice.Targets); err != nil {
			return err
		}
	}
	p, err := practice.Plan(own)
	if err != nil {
		return err
	}
	for _, m := range machines {
		if err := s.approve(p, s.folder(m)); err != nil {
			return err
		}
	}
	return nil
}

// approve writes the plan to a folder, and signatures before it.
func (s *stage) approve(p *plan.Plan, f evidence.Folder) error {
	for _, id := range p.Gates[plan.GatePlan] {
		signer, err := s.cast.signer(id)
		if err != nil {
			return err
		}
		armoured, err := sshsig.Sign(p.Message(), plan.Namespace, signer)
		if err != nil {
			return err
		}
		if err := files.WritePublic(f.Path(evidence.SignatureFile(evidence.PlanFile, id)), armoured, files.ReplaceExisting); err != nil {
			return err
		}
	}
	return files.WritePublic(f.Path(evidence.PlanFile), p.Message(), files.ReplaceExisting)
}

// folder is that of a machine.
func (s *stage) folder(m transcript.Machine) evidence.Folder {
	return evidence.Folder(filepath.Join(s.dir, string(m)))
}

// records are those that a machine has; none if they cannot be read.
func (s *stage) records(m transcript.Machine) []*transcript.Transcript {
	all, err := s.folder(m).Records()
	if err != nil {
		return nil
	}
	return all
}

// entries are the lines of all records that a machine has.
func (s *stage) entries(m transcript.Machine) (all []transcript.Entry) {
	for _, t := range s.records(m) {
		all = append(all, t.Entries...)
	}
	return all
}

// recorded reports whether the offline machine has accepted a bundle.
func (s *stage) recorded(bundle [32]byte) bool {
	return slices.ContainsFunc(s.entries(transcript.OfflineMachine), func(e transcript.Entry) bool {
		b, ok := e.Event.(transcript.Bundled)
		return ok && b.File.SHA256 == bundle
	})
}

// closing closes something, and keeps the first error.
func closing(err error, closer func() error) error {
	if then := closer(); err == nil {
		return then
	} else if then != nil {
		return fmt.Errorf("%w; and then %s", err, strings.TrimSpace(then.Error()))
	}
	return err
}
