// SPDX-License-Identifier: Apache-2.0

package token

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/keymat/keymat/wrap"
)

// KindZip stands for the console's download where a FileError names a kind. Its fields are entries of the zip.
const KindZip = "ImportParameters.zip"

// ZipContents is what the AWS console's download of import parameters holds. The wrapping key and the token are always
// there; the rest is zero where neither the names of the files nor the README say it.
type ZipContents struct {
	PublicKey       []byte // DER SubjectPublicKeyInfo
	WrappingKeySpec wrap.KeySpec
	ImportToken     []byte
	KeyID           string         // of the KMS key: UUID or mrk-…
	KeyARN          string         // of the KMS key
	Algorithm       wrap.Algorithm // chosen in the console
	ValidTo         time.Time
}

// ReadZip reads the download of size bytes in r, as consoles make it today (WrappingPublicKey.bin, ImportToken.bin,
// README.txt) and as they did before (wrappingKey_ID_TIME, importToken_ID_TIME, README_ID_TIME.txt, the time sometimes
// missing; KMS Developer Guide, "Importing key material step 2", past and present). The files may be in a folder, as
// after zipping them again. An error is a [*FileError], or one of r's.
func ReadZip(r io.ReaderAt, size int64) (*ZipContents, error) {
	if size > MaxFile {
		return nil, &FileError{Kind: KindZip, Reason: fmt.Sprintf("larger than %d bytes", MaxFile)}
	}
	archive, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // no path from it is ever opened
		return nil, &FileError{Kind: KindZip, Reason: "not a zip file", Err: err}
	}
	parts, err := findParts(archive.File)
	if err != nil {
		return nil, err
	}
	z := &ZipContents{KeyID: parts.keyID}
	if z.PublicKey, err = readEntry(parts.publicKey, PublicKeyFile, MaxPublicKey); err != nil {
		return nil, err
	}
	pub, err := wrap.ParsePublicKey(z.PublicKey)
	if err != nil {
		return nil, fault(KindZip, PublicKeyFile, err)
	}
	if z.WrappingKeySpec, err = wrap.KeySpecOf(pub); err != nil {
		return nil, fault(KindZip, PublicKeyFile, err)
	}
	if z.ImportToken, err = readEntry(parts.importToken, ImportTokenFile, MaxImportToken); err != nil {
		return nil, err
	}
	if len(z.ImportToken) == 0 {
		return nil, &FileError{Kind: KindZip, Field: ImportTokenFile, Reason: "empty"}
	}
	if parts.readme == nil {
		return z, nil
	}
	text, err := readEntry(parts.readme, readmeFile, MaxFile)
	if err != nil {
		return nil, err
	}
	if err := z.addReadme(string(text)); err != nil {
		return nil, err
	}
	return z, nil
}

// readmeFile is today's name of the text file in the zip.
const readmeFile = "README.txt"

// parts are the entries of a download, and the key ID in their names if they are of the older kind.
type parts struct {
	publicKey, importToken, readme *zip.File
	keyID                          string
}

// findParts picks the three files by name and passes over everything else. Of each there may be one, and names with a
// key ID and time in them must agree: two downloads unpacked into one folder look alike.
func findParts(files []*zip.File) (parts, error) {
	// The time is such as 0809092909: month, day, hour, minute, second, so it tells no deadline.
	older := regexp.MustCompile(`^(wrappingKey|importToken|README)_((mrk-)?[0-9a-f-]{32,36})(_[0-9]+)?(\.bin|\.txt)?$`)
	var p parts
	var suffix string
	for _, f := range files {
		if f.FileInfo().IsDir() {
			continue
		}
		name := path.Base(strings.ReplaceAll(f.Name, `\`, "/"))
		var which **zip.File
		var label string
		match := older.FindStringSubmatch(name)
		switch {
		case name == PublicKeyFile, match != nil && match[1] == "wrappingKey":
			which, label = &p.publicKey, PublicKeyFile
		case name == ImportTokenFile, match != nil && match[1] == "importToken":
			which, label = &p.importToken, ImportTokenFile
		case name == readmeFile, match != nil && match[1] == "README":
			which, label = &p.readme, readmeFile
		default:
			continue
		}
		if *which != nil {
			return parts{}, &FileError{Kind: KindZip, Field: label, Reason: "there are two"}
		}
		*which = f
		if match == nil {
			continue
		}
		if p.keyID != "" && (match[2] != p.keyID || match[4] != suffix) {
			return parts{}, &FileError{Kind: KindZip, Field: label, Reason: "from another download than the rest"}
		}
		p.keyID, suffix = match[2], match[4]
	}
	if p.publicKey == nil {
		return parts{}, &FileError{Kind: KindZip, Field: PublicKeyFile, Reason: "missing"}
	}
	if p.importToken == nil {
		return parts{}, &FileError{Kind: KindZip, Field: ImportTokenFile, Reason: "missing"}
	}
	return p, nil
}

// readEntry unpacks at most limit bytes, whatever the directory of the zip promises.
func readEntry(f *zip.File, label string, limit int64) ([]byte, error) {
	broken := func(err error) error {
		return &FileError{Kind: KindZip, Field: label, Reason: "cannot be unpacked", Err: err}
	}
	r, err := f.Open()
	if err != nil {
		return nil, broken(err)
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, broken(err)
	}
	if int64(len(data)) > limit {
		return nil, &FileError{Kind: KindZip, Field: label, Reason: fmt.Sprintf("larger than %d bytes", limit)}
	}
	return data, nil
}

// Parameters completes the download to whole import parameters. What the zip does not say must be in given, and what
// both say must agree; public key and token are the zip's. An error is a [*FileError].
func (z *ZipContents) Parameters(given Parameters) (*Parameters, error) {
	p := given
	p.PublicKey, p.ImportToken = z.PublicKey, z.ImportToken
	if err := settle(&p.KeyARN, z.KeyARN, fieldKeyARN); err != nil {
		return nil, err
	}
	if z.KeyID != "" && keyID(p.KeyARN) != z.KeyID {
		return nil, disagree(fieldKeyARN, z.KeyID, p.KeyARN)
	}
	if err := settle(&p.Algorithm, z.Algorithm, fieldAlgorithm); err != nil {
		return nil, err
	}
	if err := settle(&p.WrappingKeySpec, z.WrappingKeySpec, fieldWrappingKeySpec); err != nil {
		return nil, err
	}
	if p.ValidTo.IsZero() {
		p.ValidTo = z.ValidTo
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return &p, nil
}

// settle fills in given from the zip, or holds one against the other.
func settle[T ~string](given *T, found T, field string) error {
	switch {
	case *given == "":
		*given = found
	case found != "" && found != *given:
		return disagree(field, string(found), string(*given))
	}
	return nil
}

func disagree(field, found, given string) error {
	return &FileError{Kind: KindZip, Field: field, Reason: fmt.Sprintf("the zip is for %s, not for %s", found, given)}
}
