// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/token"
)

// An Artefact is a file that a line of a record names, by its digest.
type Artefact struct {
	File    transcript.File
	What    string          // in words, such as "seal record"
	Record  int             // from 1
	Line    int             // from 1
	Signers []plan.Approval // of one that is signed
}

// made is what the lines have named so far.
type made struct {
	seals    map[string]transcript.Digest // by the ID of the escrow
	prints   map[string]string            // fingerprints of the material, by the ID of the escrow
	bags     map[string]map[int]string    // by the ID of the escrow and the number of the share
	bundles  map[transcript.Digest]fetched
	packages map[transcript.Digest]map[string]*token.Wrapped // by target
}

// fetched is what came in a bundle, by target.
type fetched map[string]*token.Parameters

// A naming is a line that names artefacts.
type naming struct {
	record, line int // from 1
	before       map[transcript.Digest]bool
}

// checkArtefacts holds files against the lines that name them, in the order of
// the lines.
func (v *verification) checkArtefacts() error {
	m := made{map[string]transcript.Digest{}, map[string]string{}, map[string]map[int]string{}, map[transcript.Digest]fetched{}, map[transcript.Digest]map[string]*token.Wrapped{}}
	for i, r := range v.Records {
		at := naming{record: i + 1, before: map[transcript.Digest]bool{}}
		for _, entry := range r.Transcript.Entries {
			at.line = entry.Seq + 1
			at.before[entry.Prev] = true
			if err := v.checkNamed(entry.Event, at, &m); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *verification) checkNamed(event transcript.Event, at naming, m *made) error {
	switch e := event.(type) {
	case transcript.Noted:
		return v.checkNoted(e, at)
	case transcript.Escrowed:
		m.prints[e.Escrow], m.bags[e.Escrow] = e.Fingerprint, map[int]string{}
		if v.gone(e.Escrow, EscrowFile(e.Escrow), at) {
			return nil
		}
		_, err := v.named(e.File, EscrowFile(e.Escrow), "escrow", at)
		return err
	case transcript.ReadBack:
		if bags := m.bags[e.Escrow]; bags != nil {
			bags[e.Share] = e.Bag
		}
	case transcript.Recovered:
		m.prints[e.Escrow] = e.Fingerprint
	case transcript.Generated:
		if key := e.Token.ID; key != "" {
			m.prints[key] = e.Fingerprint
			m.seals[key] = transcript.Digest{} // a key in a token has none
		}
	case transcript.Unlocked:
		m.prints[e.Key] = e.Fingerprint
		m.seals[e.Key] = transcript.Digest{}
	case transcript.Sealed:
		return v.checkSeal(e, at, m)
	case transcript.Bundled:
		return v.checkBundle(e, at, m)
	case transcript.Wrapped:
		return v.checkPackage(e, at, m)
	case transcript.Submitted:
		w := m.packages[e.Package][e.Target]
		if w != nil && sha256.Sum256(w.EncryptedKeyMaterial) != e.Wrapped {
			v.problem(RecordFile(at.record), at.line, "what was sent to %s is not what was wrapped for it", e.Target)
		}
	}
	return nil
}

// gone reports whether a file of an escrow is missing that was given up, and so
// need not be there: what is void stays on the offline machine.
func (v *verification) gone(escrow, name string, at naming) bool {
	given := false
	for _, r := range v.Records {
		for _, entry := range r.Transcript.Entries {
			switch e := entry.Event.(type) {
			case transcript.Voided:
				given = given || e.Escrow == escrow
			case transcript.Retired:
				given = given || e.Escrow == escrow
			}
		}
	}
	if !given || v.folder.Has(name) {
		return false
	}
	v.remark(name, 0, "%s names it in line %d; the escrow was given up, and it is not in the folder", RecordFile(at.record), at.line)
	return true
}

// named checks a file that a line names, and gives its content, or nil and a
// problem. want is what it has to be called.
func (v *verification) named(f transcript.File, want, what string, at naming) ([]byte, error) {
	if f.Name != want {
		v.problem(RecordFile(at.record), at.line, "it calls the %s %q, want %s", what, f.Name, want)
		return nil, nil
	}
	v.Artefacts = append(v.Artefacts, Artefact{File: f, What: what, Record: at.record, Line: at.line})
	content, err := v.read(f.Name, largest)
	if err != nil || content == nil {
		return nil, err
	}
	if sha256.Sum256(content) != f.SHA256 || int64(len(content)) != f.Size {
		v.problem(f.Name, 0, "not the one that %s names in line %d", RecordFile(at.record), at.line)
		return nil, nil
	}
	return content, nil
}

// largest is the limit in bytes for an artefact of any kind.
const largest = 1 << 20

// checkNoted holds what people noted against the folder. It need not be there:
// they may have noted what is on another medium.
func (v *verification) checkNoted(e transcript.Noted, at naming) error {
	for _, f := range e.Files {
		got, err := v.sum(f.Name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			v.remark(f.Name, 0, "%s names it in line %d, and it is not in the folder", RecordFile(at.record), at.line)
			continue
		case err != nil:
			return err
		case got != f:
			v.problem(f.Name, 0, "not the one that %s names in line %d", RecordFile(at.record), at.line)
		}
		v.known[f.Name] = true
		v.Artefacts = append(v.Artefacts, Artefact{File: f, What: "file that was noted", Record: at.record, Line: at.line})
	}
	return nil
}

// sum is what a file of the folder is, of any size. The error is one of
// fs.ErrNotExist for what is no plain name, or no regular file.
func (v *verification) sum(name string) (transcript.File, error) {
	absent := fmt.Errorf("%q: %w", name, fs.ErrNotExist)
	if name == "" || filepath.Base(name) != name {
		return transcript.File{}, absent
	}
	info, err := os.Lstat(v.folder.Path(name))
	if err != nil || !info.Mode().IsRegular() {
		return transcript.File{}, absent
	}
	file, err := os.Open(v.folder.Path(name))
	if err != nil {
		return transcript.File{}, fmt.Errorf("reading what was noted: %w", err)
	}
	defer file.Close()
	var h hash.Hash = sha256.New()
	n, err := io.Copy(h, file)
	if err != nil {
		return transcript.File{}, fmt.Errorf("reading what was noted: %w", err)
	}
	return transcript.File{Name: name, Size: n, SHA256: transcript.Digest(h.Sum(nil))}, nil
}

// signed checks the signatures of the latest artefact.
func (v *verification) signed(namespace string, content []byte) error {
	a := &v.Artefacts[len(v.Artefacts)-1]
	all, err := v.signatures(a.File.Name, gap.Signers(v.Plan, namespace), namespace, content)
	a.Signers = all
	return err
}

// part checks a file that an artefact names, and gives its content, or nil and a
// problem.
func (v *verification) part(f gap.File, want, what string, at naming) ([]byte, error) {
	return v.named(transcript.File{Name: f.Name, Size: f.Size, SHA256: transcript.Digest(f.SHA256)}, want, what, at)
}
