// SPDX-License-Identifier: Apache-2.0

package shelf_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/internal/shelf"
	"github.com/keymat/keymat/material"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const (
	keyARN  = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd"
	mrk     = "arn:aws:kms:eu-central-1:111122223333:key/mrk-1234"
	replica = "arn:aws:kms:us-east-1:111122223333:key/mrk-1234"
)

// id is a KeyMaterialId.
func id(digit string) string { return strings.Repeat(digit, 64) }

// A desk is a folder with escrows and records.
type desk struct {
	*testing.T
	dir string
}

func newDesk(t *testing.T) desk { return desk{t, t.TempDir()} }

func (d desk) write(name string, data []byte) {
	d.Helper()
	path := filepath.Join(d.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		d.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		d.Fatal(err)
	}
}

// seal writes an escrow of m.
func (d desk) seal(name string, m *material.Material) *escrow.File {
	d.Helper()
	f, err := escrow.SealKey(m, noon, material.NewSecret(bytes.Repeat([]byte{7}, 32)))
	if err != nil {
		d.Fatal(err)
	}
	var data bytes.Buffer
	if err := f.Encode(&data); err != nil {
		d.Fatal(err)
	}
	d.write(name, data.Bytes())
	return f
}

func (d desk) generate(spec material.Spec) *material.Material {
	d.Helper()
	m, err := material.Generate(spec)
	if err != nil {
		d.Fatal(err)
	}
	return m
}

// drill writes the record of a drill of f some days after noon.
func (d desk) drill(name string, f *escrow.File, days int, arn, materialID string, v escrow.DrillVerdict) {
	d.Helper()
	drilled, err := f.Drilled()
	if err != nil {
		d.Fatal(err)
	}
	record := escrow.Drill{
		At: noon.AddDate(0, 0, days), By: "a@b", Tool: "keymat", Escrow: drilled, KeyARN: arn, MaterialID: materialID, Method: "m", Verdict: v,
	}
	var data bytes.Buffer
	if err := record.Encode(&data); err != nil {
		d.Fatal(err)
	}
	d.write(name, data.Bytes())
}

func (d desk) read() *shelf.Shelf {
	d.Helper()
	s, err := shelf.Read([]string{d.dir})
	if err != nil {
		d.Fatal(err)
	}
	return s
}

// wantFound compares holders as "name basis days", absent ones as "- basis days",
// and the last and the last proven drill as days after noon.
func (d desk) wantFound(w shelf.Wanted, last, proven string, holders ...string) {
	d.Helper()
	s := d.read()
	for _, problem := range s.Problems {
		d.Errorf("problem: %v", problem)
	}
	found := s.Find(w)
	var got []string
	for _, h := range found.Holders {
		name := "-"
		if h.Path != "" {
			name = filepath.Base(h.Path)
		}
		got = append(got, strings.TrimSpace(name+" "+string(h.Basis)+" "+days(h.AsOf)))
	}
	if fmt.Sprint(got) != fmt.Sprint(holders) {
		d.Errorf("holders %q, want %q", got, holders)
	}
	if got := drillDays(found.Last); got != last {
		d.Errorf("last drill %q, want %q", got, last)
	}
	if got := drillDays(found.Proven); got != proven {
		d.Errorf("last proven drill %q, want %q", got, proven)
	}
}

func days(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return fmt.Sprint(int(at.Sub(noon).Hours() / 24))
}

func drillDays(d *shelf.Drilled) string {
	if d == nil {
		return ""
	}
	return days(d.At)
}

func TestKeyPairByPublicKey(t *testing.T) {
	d := newDesk(t)
	m := d.generate(material.ECCNISTP256)
	f := d.seal("a/deep/pair.escrow", m)
	d.seal("other.escrow", d.generate(material.ECCNISTP256))
	w := shelf.Wanted{KeyARN: keyARN, KeySpec: "ECC_NIST_P256", SPKI: m.Fingerprint().String()}
	d.wantFound(w, "", "", "pair.escrow public key")
	d.drill("1.drill", f, 1, "", "", escrow.DrillOpened)
	d.wantFound(w, "1", "", "pair.escrow public key")
	d.drill("2.drill", f, 2, keyARN, "", escrow.DrillProven)
	d.wantFound(w, "2", "2", "pair.escrow public key")
	w.SPKI = "" // a key without material has no public key
	d.wantFound(w, "2", "2", "pair.escrow drill 2")
	w.KeySpec = "ECC_NIST_P384"
	d.wantFound(w, "2", "2", "- drill 2")
}

// TestForeignPublicKey: an old record of another key pair counts for nothing
// when the key itself has spoken.
func TestForeignPublicKey(t *testing.T) {
	d := newDesk(t)
	f := d.seal("pair.escrow", d.generate(material.ECCNISTP256))
	d.drill("1.drill", f, 1, keyARN, "", escrow.DrillProven)
	other := d.generate(material.ECCNISTP256).Fingerprint().String()
	d.wantFound(shelf.Wanted{KeyARN: keyARN, KeySpec: "ECC_NIST_P256", SPKI: other}, "", "")
}

func TestSymmetricByMaterialID(t *testing.T) {
	d := newDesk(t)
	m := d.generate(material.SymmetricDefault)
	f := d.seal("app.escrow", m)
	w := shelf.Wanted{KeyARN: keyARN, KeySpec: "SYMMETRIC_DEFAULT", MaterialID: id("a")}
	d.wantFound(w, "", "")
	d.drill("1.drill", f, 1, keyARN, id("a"), escrow.DrillUnproven)
	d.wantFound(w, "1", "", "app.escrow unproven drill 1")
	d.drill("2.drill", f, 2, keyARN, id("a"), escrow.DrillProven)
	d.drill("3.drill", f, 3, keyARN, id("a"), escrow.DrillUnproven)
	d.wantFound(w, "3", "2", "app.escrow drill 2")
	d.wantFound(shelf.Wanted{MaterialID: id("a")}, "3", "2", "app.escrow drill 2")
	d.wantFound(shelf.Wanted{KeyARN: keyARN, KeySpec: "SYMMETRIC_DEFAULT", MaterialID: id("b")}, "", "")
	d.wantFound(shelf.Wanted{KeyARN: keyARN, KeySpec: "SYMMETRIC_DEFAULT"}, "", "")

	d.drill("0.drill", f, 5, keyARN, id("a"), escrow.DrillProven)
	d.drill("4.drill", f, 4, keyARN, id("a"), escrow.DrillProven)
	d.wantFound(w, "5", "5", "app.escrow drill 5")

	d.seal("second.escrow", m) // has the same check value
	d.wantFound(w, "5", "5", "app.escrow drill 5", "second.escrow fingerprint 5")
	if err := os.Remove(filepath.Join(d.dir, "app.escrow")); err != nil {
		t.Fatal(err)
	}
	d.wantFound(w, "5", "5", "second.escrow fingerprint 5", "- drill 5")
}

// TestUnprovenSpreadsNot: what was not compared says nothing of other escrows
// with the same short check value.
func TestUnprovenSpreadsNot(t *testing.T) {
	d := newDesk(t)
	m := d.generate(material.SymmetricDefault)
	d.drill("1.drill", d.seal("app.escrow", m), 1, keyARN, id("a"), escrow.DrillUnproven)
	d.seal("second.escrow", m)
	d.wantFound(shelf.Wanted{MaterialID: id("a")}, "1", "", "app.escrow unproven drill 1")
}

func TestMismatch(t *testing.T) {
	d := newDesk(t)
	f := d.seal("mac.escrow", d.generate(material.HMAC256))
	w := shelf.Wanted{KeyARN: keyARN, KeySpec: "HMAC_256"}
	d.drill("2.drill", f, 2, keyARN, "", escrow.DrillMismatch)
	d.wantFound(w, "", "")
	d.drill("1.drill", f, 1, keyARN, "", escrow.DrillProven)
	d.wantFound(w, "", "")
	d.drill("3.drill", f, 3, keyARN, "", escrow.DrillProven)
	d.wantFound(w, "3", "3", "mac.escrow drill 3")
}

// TestAlteredFile: the record is of the file that was drilled, to the last byte.
func TestAlteredFile(t *testing.T) {
	d := newDesk(t)
	f := d.seal("mac.escrow", d.generate(material.HMAC256))
	d.drill("1.drill", f, 1, keyARN, "", escrow.DrillProven)
	f.Created = f.Created.Add(time.Second)
	f.Fingerprint = "hmac:0000000000"
	var data bytes.Buffer
	if err := f.Encode(&data); err != nil {
		t.Fatal(err)
	}
	d.write("mac.escrow", data.Bytes())
	d.wantFound(shelf.Wanted{KeyARN: keyARN, KeySpec: "HMAC_256"}, "1", "1", "- drill 1")
}

func TestMultiRegionKey(t *testing.T) {
	d := newDesk(t)
	f := d.seal("mac.escrow", d.generate(material.HMAC256))
	d.drill("1.drill", f, 1, mrk, "", escrow.DrillProven)
	d.wantFound(shelf.Wanted{KeyARN: replica, KeySpec: "HMAC_256"}, "1", "1", "mac.escrow drill 1")
	d.wantFound(shelf.Wanted{KeyARN: keyARN, KeySpec: "HMAC_256"}, "", "")
	for _, other := range []string{strings.Replace(replica, "1111", "2222", 1), strings.Replace(replica, "mrk-1234", "mrk-1235", 1)} {
		d.wantFound(shelf.Wanted{KeyARN: other, KeySpec: "HMAC_256"}, "", "")
	}
	d.drill("1.drill", f, 1, keyARN, "", escrow.DrillProven)
	d.wantFound(shelf.Wanted{KeyARN: strings.Replace(keyARN, "eu-central-1", "us-east-1", 1), KeySpec: "HMAC_256"}, "", "")
}

// TestReceipts reads a log of results, of which one tells of an escrow.
func TestReceipts(t *testing.T) {
	d := newDesk(t)
	f := d.seal("app.escrow", d.generate(material.SymmetricDefault))
	receipt := fmt.Sprintf(`{"key_arn": %q, "key_material_id": %q, "imported_at": "2026-03-05T12:00:00Z", "verdict": "not proven",
		"escrow": {"file": "x", "id": %q, "key_spec": %q, "fingerprint": %q, "ciphertext_sha256": %q}}`,
		keyARN, id("a"), f.ID, f.KeySpec, f.Fingerprint, f.CiphertextSHA256())
	d.write("results.json", []byte(`{"changed": false}`+receipt+"\n"))
	w := shelf.Wanted{KeyARN: keyARN, KeySpec: "SYMMETRIC_DEFAULT", MaterialID: id("a")}
	d.wantFound(w, "", "", "app.escrow receipt 4")
	d.drill("1.drill", f, 1, keyARN, id("a"), escrow.DrillProven)
	d.wantFound(w, "1", "1", "app.escrow drill 1")
	d.drill("1.drill", f, 1, "", "", escrow.DrillOpened)
	d.wantFound(w, "1", "", "app.escrow receipt 4")
	d.write("results.json", []byte(strings.Replace(receipt, "not proven", "mismatch", 1)))
	d.wantFound(w, "", "")
}

// TestWhatIsLeftAlone: folders hold many things.
func TestWhatIsLeftAlone(t *testing.T) {
	d := newDesk(t)
	f := d.seal("elsewhere/mac.escrow", d.generate(material.HMAC256))
	d.drill("1.drill", f, 1, keyARN, "", escrow.DrillProven)
	d.write("empty", nil)
	d.write("app.key", []byte("{ is how this key of 32 bytes begins"))
	d.write("jwk", []byte(`{"kty":"oct","k":"`+strings.Repeat("A", 100)+`"}`))
	d.write("list", []byte(`{"escrow": [1, 2]}`))
	d.write("film", append([]byte("{"), make([]byte, 4<<20)...))
	if err := os.Symlink("/nowhere", filepath.Join(d.dir, "link")); err != nil {
		t.Fatal(err)
	}
	d.wantFound(shelf.Wanted{KeyARN: keyARN, KeySpec: "HMAC_256"}, "1", "1", "mac.escrow drill 1")
}

// TestLinks: Kubernetes mounts files as links.
func TestLinks(t *testing.T) {
	d := newDesk(t)
	m := d.generate(material.ECCNISTP256)
	d.seal("pair.escrow", m)
	mount := filepath.Join(t.TempDir(), "mount")
	if err := os.Mkdir(mount, 0o700); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "folder")
	for name, target := range map[string]string{filepath.Join(mount, "link.escrow"): filepath.Join(d.dir, "pair.escrow"), folder: mount} {
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
	}
	d.dir = folder
	d.wantFound(shelf.Wanted{KeyARN: keyARN, KeySpec: "ECC_NIST_P256", SPKI: m.Fingerprint().String()}, "", "", "link.escrow public key")
}

func TestProblems(t *testing.T) {
	d := newDesk(t)
	d.seal("good.escrow", d.generate(material.HMAC256))
	d.write("cut.escrow", []byte(`{"kind": "keymat/escrow", "version": 1,`))
	d.write("newer.escrow", []byte(`{"kind": "keymat/escrow", "version": 2}`))
	s := d.read()
	if len(s.Escrows) != 1 || filepath.Base(s.Escrows[0].Path) != "good.escrow" {
		t.Errorf("escrows %v", s.Escrows)
	}
	var said []string
	for _, problem := range s.Problems {
		said = append(said, strings.TrimPrefix(problem.Error(), d.dir+string(filepath.Separator)))
	}
	want := []string{
		"cut.escrow: it looks like an escrow or a record, but what follows byte 0 is broken",
		"newer.escrow: keymat/escrow: version: 2 is newer than 1, which is what this program reads",
	}
	if fmt.Sprint(said) != fmt.Sprint(want) {
		t.Errorf("problems %q, want %q", said, want)
	}
}

// TestNamed: a file that is named has to be of use.
func TestNamed(t *testing.T) {
	d := newDesk(t)
	d.seal("good.escrow", d.generate(material.HMAC256))
	d.write("notes.txt", []byte("nothing"))
	d.write("large.json", append([]byte("{"), make([]byte, 4<<20)...))
	d.write("full.json", append([]byte("{"), make([]byte, 4<<20-1)...))
	name := func(name string) string { return filepath.Join(d.dir, name) }
	s, err := shelf.Read([]string{name("good.escrow")})
	if err != nil || len(s.Escrows) != 1 {
		t.Errorf("a file that was named: %v, %v", s, err)
	}
	for _, useless := range []string{"notes.txt", "full.json"} {
		_, err = shelf.Read([]string{name("good.escrow"), name(useless)})
		if e, ok := errors.AsType[*shelf.NothingError](err); !ok || e.Path != name(useless) {
			t.Errorf("%s: %v", useless, err)
		}
	}
	_, err = shelf.Read([]string{name("large.json")})
	if _, ok := errors.AsType[*files.TooLargeError](err); !ok {
		t.Errorf("a large file: %v", err)
	}
	if _, err = shelf.Read([]string{name("missing")}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}
