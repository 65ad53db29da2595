// SPDX-License-Identifier: Apache-2.0

// Package evidence knows the folder of a ceremony: what each file in it is
// called, and how it is read. The folder of a machine, the medium that goes from
// one to another, and what is left for an auditor are such folders, with more or
// fewer of the files:
//
//	plan.yaml  plan.yaml.<person>.sig  allowed_signers
//	transcript.jsonl    head.json    head.json.<person>.sig     the first record
//	transcript-2.jsonl  head-2.json  head-2.json.<person>.sig   the second, and so on
//	<escrow>.escrow  seal-<escrow>.json                         and signatures of the latter
//	bundle-<n>.json  params-<n>-<target>.json                   what was fetched
//	package-<n>.json  wrapped-<n>-<target>.json                 what was wrapped
//	randomness.json                                             where the material came from
//	gap.manifest                                                on media alone, see package gap
//
// Nobody else spells these names. Nothing in such a folder is secret.
package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/internal/sshsig"
)

// A Folder is the path of a folder of a ceremony, or of a medium.
type Folder string

// A FileError says which file of a folder is not what it should be.
type FileError struct {
	Name string // its path
	Err  error
}

func (e *FileError) Error() string { return e.Name + ": " + e.Err.Error() }
func (e *FileError) Unwrap() error { return e.Err }

// A NoPlanError says that a folder is not that of a ceremony.
type NoPlanError struct {
	Folder  string // its path
	Missing bool   // there is no such folder
}

func (e *NoPlanError) Error() string {
	if e.Missing {
		return "there is no folder " + e.Folder
	}
	return fmt.Sprintf("there is no %s in %s", PlanFile, e.Folder)
}

// Is makes a NoPlanError an fs.ErrNotExist.
func (e *NoPlanError) Is(target error) bool { return target == fs.ErrNotExist }

// Path is where a file of the folder is.
func (f Folder) Path(name string) string { return filepath.Join(string(f), name) }

// FS is the folder as package gap takes it.
func (f Folder) FS() fs.FS { return os.DirFS(string(f)) }

// Read reads a file of the folder that has at most so many bytes. Errors: those
// of files.ReadLimited.
func (f Folder) Read(name string, max int64) ([]byte, error) {
	return files.ReadLimited(f.Path(name), nil, max)
}

// Has reports whether there is something of a name.
func (f Folder) Has(name string) bool {
	_, err := os.Lstat(f.Path(name))
	return err == nil
}

// Plan reads the plan. Errors: [*NoPlanError], [*FileError] around those of [plan.Read], or those
// of reading.
func (f Folder) Plan() (*plan.Plan, error) {
	content, err := f.Read(PlanFile, plan.MaxFile)
	if errors.Is(err, fs.ErrNotExist) {
		_, err := os.Stat(string(f))
		return nil, &NoPlanError{Folder: string(f), Missing: errors.Is(err, fs.ErrNotExist)}
	}
	if err != nil {
		return nil, err
	}
	p, err := plan.Read(bytes.NewReader(content))
	if err != nil {
		return nil, &FileError{f.Path(PlanFile), err}
	}
	return p, nil
}

// Signatures reads all signatures of a file, in the order of their names. Who
// they claim to be from is in the names alone.
func (f Folder) Signatures(name string) (all []plan.Signature, err error) {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return nil, fmt.Errorf("looking for signatures: %w", err)
	}
	for _, entry := range entries {
		person, ok := signer(name, entry.Name())
		if !ok {
			continue
		}
		armoured, err := f.Read(entry.Name(), sshsig.MaxSignature)
		if err != nil {
			return nil, err
		}
		all = append(all, plan.Signature{Signer: person, Armoured: armoured})
	}
	return all, nil
}

// signer is whose signature of a file has a name.
func signer(file, name string) (person string, ok bool) {
	rest, ok := strings.CutPrefix(name, file+".")
	if !ok {
		return "", false
	}
	person, ok = strings.CutSuffix(rest, ".sig")
	return person, ok && person != "" && !strings.Contains(person, ".")
}

// Records reads the records, in their order. Those that were damaged are among
// them, with their faults; the last may still be open. The result is empty where
// there is none. Errors are those of reading.
func (f Folder) Records() (all []*transcript.Transcript, err error) {
	for n := 1; ; n++ {
		content, err := f.Read(RecordFile(n), transcript.MaxFile)
		if errors.Is(err, fs.ErrNotExist) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, transcript.Verify(content))
	}
}

// Bundles are the numbers of the bundles, ascending.
func (f Folder) Bundles() ([]int, error) { return f.numbers("bundle") }

// Packages are the numbers of the packages, ascending.
func (f Folder) Packages() ([]int, error) { return f.numbers("package") }

func (f Folder) numbers(kind string) (all []int, err error) {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return nil, fmt.Errorf("looking for each %s: %w", kind, err)
	}
	numbered := regexp.MustCompile(`^` + kind + `-([1-9][0-9]{0,3})\.json$`)
	for _, entry := range entries {
		if match := numbered.FindStringSubmatch(entry.Name()); match != nil {
			n, err := strconv.Atoi(match[1])
			if err != nil {
				return nil, err
			}
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all, nil
}

// NewBundle is the first number that no file of a bundle has, import parameters
// included: those that a power cut left without their bundle keep their names.
func (f Folder) NewBundle() (int, error) { return f.unused(BundleFile, ParametersFile) }

// NewPackage is the first number that no file of a package has, wrapped material
// included.
func (f Folder) NewPackage() (int, error) { return f.unused(PackageFile, WrappedFile) }

func (f Folder) unused(whole func(n int) string, part func(n int, target string) string) (int, error) {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return 0, fmt.Errorf("looking for a new name: %w", err)
	}
	for n := 1; ; n++ {
		begins := strings.TrimSuffix(part(n, ""), ".json")
		if !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == whole(n) || strings.HasPrefix(e.Name(), begins) }) {
			return n, nil
		}
	}
}

// Bundle reads a bundle, and its bytes, which are what is signed. Errors:
// [*FileError] around those of [gap.ReadBundle], or those of reading.
func (f Folder) Bundle(n int) (*gap.Bundle, []byte, error) {
	return read(f, BundleFile(n), gap.ReadBundle)
}

// Package reads a package, and its bytes. Errors: [*FileError] around those of
// [gap.ReadPackage], or those of reading.
func (f Folder) Package(n int) (*gap.Package, []byte, error) {
	return read(f, PackageFile(n), gap.ReadPackage)
}

// Seal reads the seal record on an escrow, and its bytes. Errors: [*FileError]
// around those of [gap.ReadSeal], or those of reading.
func (f Folder) Seal(escrow string) (*gap.Seal, []byte, error) {
	return read(f, SealFile(escrow), gap.ReadSeal)
}

// Manifest reads the manifest of a medium. Errors: [*FileError] around those of
// [gap.ReadManifest], or those of reading.
func (f Folder) Manifest() (*gap.Manifest, error) {
	m, _, err := read(f, gap.ManifestFile, gap.ReadManifest)
	return m, err
}

func read[T any](f Folder, name string, decode func([]byte) (T, error)) (v T, content []byte, err error) {
	if content, err = f.Read(name, gap.MaxArtefact); err != nil {
		return v, nil, err
	}
	if v, err = decode(content); err != nil {
		return v, nil, &FileError{f.Path(name), err}
	}
	return v, content, nil
}
