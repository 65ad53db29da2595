// SPDX-License-Identifier: Apache-2.0

package online

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/token"
)

// A Fetcher is the machine on which two fetchers work. It keeps no record: what
// it fetched is signed, and the offline machine records that it came.
type Fetcher struct {
	folder  evidence.Folder
	plan    *plan.Plan
	now     func() time.Time
	service Service
	carried bool
}

// OpenFetcher begins in a folder that has the plan and its approvals. Errors:
// [*PlanError], [*ServiceError], or those of reading.
func OpenFetcher(dir string, now func() time.Time, s Service) (*Fetcher, error) {
	folder := evidence.Folder(dir)
	p, err := approvedPlan(folder)
	if err != nil {
		return nil, err
	}
	if err := s.Check(p); err != nil {
		return nil, err
	}
	return &Fetcher{folder: folder, plan: p, now: now, service: s}, nil
}

// Agenda is to fetch for all targets, until Perform has. What the offline machine
// waits for, this one cannot know, but that it takes in what is on the medium.
func (f *Fetcher) Agenda() phase.Agenda {
	if !f.carried {
		return phase.Agenda{Here: []phase.Task{{Step: phase.Fetch, Machine: transcript.FetchMachine, People: f.people()}}, Elsewhere: []phase.Task{}}
	}
	accept := phase.Task{Step: phase.Accept, Machine: transcript.OfflineMachine}
	for _, p := range f.plan.People {
		if p.Has(plan.Operator) || p.Has(plan.Witness) {
			accept.People = append(accept.People, p.ID)
		}
	}
	return phase.Agenda{Progress: "FETCHED", Here: []phase.Task{}, Elsewhere: []phase.Task{accept}}
}

// people are those who have to be there.
func (f *Fetcher) people() []string { return gap.Signers(f.plan, gap.NamespaceBundle) }

// Perform fetches for the targets of a task, all of the plan if it names none,
// has it signed and puts it on a medium: [Fetcher.Fetch], [Fetcher.Sign],
// [Fetcher.Carry]. The medium has to be there before KMS is asked. Errors: theirs,
// or a [*phase.MachineError].
func (f *Fetcher) Perform(ctx context.Context, r room.Room, t phase.Task) error {
	if t.Step != phase.Fetch {
		return &phase.MachineError{Event: string(t.Step), Got: transcript.FetchMachine, Want: t.Machine}
	}
	medium, err := emptyMedium(ctx, r)
	if err != nil {
		return err
	}
	n, err := f.Fetch(ctx, r, t.Targets)
	if err != nil {
		return err
	}
	if err := f.Sign(ctx, r, n); err != nil {
		return err
	}
	return f.carryTo(ctx, r, n, medium)
}

// Close ends the use of the folder.
func (f *Fetcher) Close() error { return nil }

// Fetch asks KMS for a wrapping key and import token for each of some targets,
// none for all of the plan, and writes them to the folder as bundle n. Every key
// is looked at before anything is fetched for any. Errors: [*phase.PeopleError]
// unless all fetchers are there, [*gap.MismatchError] for a key that is not what
// the plan says, those of [importer.Importer.Fetch], and those of writing.
func (f *Fetcher) Fetch(ctx context.Context, r room.Room, targets []string) (n int, err error) {
	if err := present(ctx, r, string(phase.Fetch), f.people(), "to fetch, and to sign what was fetched"); err != nil {
		return 0, err
	}
	keys, err := f.look(ctx, targets)
	if err != nil {
		return 0, err
	}
	if n, err = f.folder.NewBundle(); err != nil {
		return 0, err
	}
	b := &gap.Bundle{Origin: gap.OriginOf(f.plan)}
	contents := map[string][]byte{}
	for _, k := range keys {
		fetched, content, err := k.fetch(ctx, f, evidence.ParametersFile(n, k.target.ID))
		if err != nil {
			return 0, err
		}
		b.Fetched = append(b.Fetched, fetched)
		contents[fetched.File.Name] = content
		r.Tell("fetched a wrapping key and import token for %s, %s", k.target.ID, k.key.ARN)
	}
	return n, f.write(b, n, contents)
}

// write puts a bundle and its parameters into the folder, the bundle last, after
// reading all of it as the offline machine will.
func (f *Fetcher) write(b *gap.Bundle, n int, contents map[string][]byte) error {
	encoded, err := b.Encode()
	if err != nil {
		return err
	}
	for _, fetched := range b.Fetched {
		if _, err := b.Parameters(f.plan, fetched.Target, contents[fetched.File.Name]); err != nil {
			return fmt.Errorf("reading %s again: %w", fetched.File.Name, err)
		}
	}
	for _, fetched := range b.Fetched {
		if err := files.WritePublic(f.folder.Path(fetched.File.Name), contents[fetched.File.Name], files.KeepExisting); err != nil {
			return err
		}
	}
	return files.WritePublic(f.folder.Path(evidence.BundleFile(n)), encoded, files.KeepExisting)
}

// A fetchable is a key that was looked at.
type fetchable struct {
	*importer.Importer
	noted  *noting
	target plan.Target
	key    importer.Key
}

// look finds the keys of targets, and checks them.
func (f *Fetcher) look(ctx context.Context, ids []string) (keys []fetchable, err error) {
	for _, id := range ids {
		if _, err := targetOf(f.plan, id); err != nil {
			return nil, err
		}
	}
	for _, t := range f.plan.Targets {
		if len(ids) > 0 && !slices.Contains(ids, t.ID) {
			continue
		}
		im, client, err := f.service.importer(ctx, t.Region, f.now, nil)
		if err != nil {
			return nil, err
		}
		k := fetchable{Importer: im, noted: &noting{KMS: client}, target: t}
		im.KMS = k.noted
		if k.key, err = im.Describe(ctx, reference(t)); err != nil {
			return nil, err
		}
		if err := checkReady(f.plan, t, k.key); err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func (k fetchable) fetch(ctx context.Context, f *Fetcher, name string) (fetched gap.Fetched, content []byte, err error) {
	params, err := k.Fetch(ctx, k.key, k.target.Wrapping)
	if err != nil {
		return fetched, nil, err
	}
	var plain bytes.Buffer
	if err := params.Encode(&plain); err != nil {
		return fetched, nil, err
	}
	if content, err = gap.Stamp(token.KindParameters, plain.Bytes(), f.plan.Rehearsal); err != nil {
		return fetched, nil, err
	}
	caller := ""
	if f.service.Caller != nil {
		if caller, err = f.service.Caller(ctx, k.target.Region); err != nil {
			return fetched, nil, fmt.Errorf("asking who fetches: %w", err)
		}
	}
	return gap.Fetched{
		Target: k.target.ID, At: f.now().UTC().Truncate(time.Second), Caller: caller, RequestID: k.noted.requestID,
		Key: gap.Key{
			State: string(k.key.State), Spec: string(k.key.Spec), Usage: string(k.key.Usage), Origin: string(k.key.Origin),
			MultiRegion: k.key.MultiRegion, MaterialID: k.key.MaterialID,
		},
		File: gap.FileOf(name, content),
	}, content, nil
}
