// SPDX-License-Identifier: Apache-2.0

package online

import (
	"context"
	"io/fs"
	"maps"
	"slices"
	"time"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/internal/files"
)

// What the room is asked for.
const (
	MediumIn  = "the medium that came from the offline machine"
	MediumOut = "an empty medium, to go to the offline machine"
)

// Sign has all fetchers sign bundle n. Those who will later are left out; their
// signatures are files of the folder when [Fetcher.Carry] comes. Errors:
// [*SignatureError], or those of the room, reading and writing.
func (f *Fetcher) Sign(ctx context.Context, r room.Room, n int) error {
	content, err := f.folder.Read(evidence.BundleFile(n), gap.MaxArtefact)
	if err != nil {
		return err
	}
	return sign(ctx, r, f.plan, gap.NamespaceBundle, f.people(), []evidence.Folder{f.folder}, evidence.BundleFile(n), content)
}

// Carry puts bundle n, signed, on an empty medium, and tells its digest, to be
// read aloud to the offline machine. Errors: [*SignatureError] unless all
// fetchers have signed, [*NotEmptyError], a [*gap.MediumError] for a medium that
// does not hold what was written, or those of the room, reading and writing.
func (f *Fetcher) Carry(ctx context.Context, r room.Room, n int) error {
	medium, err := emptyMedium(ctx, r)
	if err != nil {
		return err
	}
	return f.carryTo(ctx, r, n, medium)
}

func (f *Fetcher) carryTo(ctx context.Context, r room.Room, n int, medium evidence.Folder) error {
	b, content, err := f.folder.Bundle(n)
	if err != nil {
		return err
	}
	signatures, err := signaturesOf(f.plan, gap.NamespaceBundle, f.folder, evidence.BundleFile(n), content)
	if err != nil {
		return err
	}
	load := signatures
	load[evidence.BundleFile(n)] = content
	deadline := time.Time{}
	for _, fetched := range b.Fetched {
		params, err := f.folder.Read(fetched.File.Name, gap.MaxArtefact)
		if err != nil {
			return err
		}
		parsed, err := b.Parameters(f.plan, fetched.Target, params)
		if err != nil {
			return &evidence.FileError{Name: f.folder.Path(fetched.File.Name), Err: err}
		}
		load[fetched.File.Name] = params
		if deadline.IsZero() || parsed.ValidTo.Before(deadline) {
			deadline = parsed.ValidTo
		}
	}
	if err := carry(ctx, r, f.plan, medium, load); err != nil {
		return err
	}
	f.carried = true
	r.Tell("the import tokens end at %s; wrap before %s", deadline.Format(time.RFC3339), deadline.Add(-f.plan.Limits.TokenMinRemaining).Format(time.RFC3339))
	tellDigest(r, evidence.BundleFile(n), content)
	return nil
}

// carry writes files to an empty medium for the offline machine, their manifest
// last, and reads them back once the medium was taken out and put in again.
func carry(ctx context.Context, r room.Room, p *plan.Plan, medium evidence.Folder, load map[string][]byte) error {
	for _, name := range slices.Sorted(maps.Keys(load)) {
		if err := files.WritePublic(medium.Path(name), load[name], files.KeepExisting); err != nil {
			return err
		}
	}
	m, err := gap.Collect(medium.FS(), gap.OriginOf(p), gap.In)
	if err != nil {
		return err
	}
	encoded, err := m.Encode()
	if err != nil {
		return err
	}
	if err := files.WritePublic(medium.Path(gap.ManifestFile), encoded, files.KeepExisting); err != nil {
		return err
	}
	if err := r.Remount(ctx, MediumOut, string(medium)); err != nil {
		return err
	}
	again, err := medium.Manifest()
	if err != nil {
		return err
	}
	return checkLoad(again, medium, load)
}

// checkLoad demands that a medium holds these files, and no others.
func checkLoad(m *gap.Manifest, medium evidence.Folder, load map[string][]byte) error {
	var altered []string
	for _, f := range m.Files {
		if gap.FileOf(f.Name, load[f.Name]) != f {
			altered = append(altered, f.Name)
		}
	}
	if len(altered) > 0 || len(m.Files) != len(load) {
		return &gap.MediumError{Altered: append(altered, gap.ManifestFile)}
	}
	return m.Check(medium.FS())
}

// emptyMedium asks for a medium with nothing on it: what else is there nobody has
// looked at. Errors: [*NotEmptyError], or those of the room and of reading.
func emptyMedium(ctx context.Context, r room.Room) (evidence.Folder, error) {
	name, err := r.Medium(ctx, MediumOut)
	if err != nil {
		return "", err
	}
	medium := evidence.Folder(name)
	entries, err := fs.ReadDir(medium.FS(), ".")
	if err != nil {
		return "", &evidence.FileError{Name: name, Err: err}
	}
	var there []string
	for _, entry := range entries {
		there = append(there, entry.Name())
	}
	if len(there) > 0 {
		return "", &NotEmptyError{Medium: name, Files: there}
	}
	return medium, nil
}
