// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

// fetchFromFiles puts import parameters together from what another tool
// downloaded. What the files do not say, the flags have to.
func (a *app) fetchFromFiles(ctx context.Context, o fetchOptions) (*token.Parameters, error) {
	read, source := readZip, o.fromZip
	if o.fromDir != "" {
		read, source = readRawDir, o.fromDir
	}
	found, written, err := read(source)
	if err != nil {
		return nil, err
	}
	given := token.Parameters{Algorithm: o.wrapping.algorithm, WrappingKeySpec: o.wrapping.key}
	if given.Algorithm == "" && found.Algorithm == "" {
		return nil, usagef("say for which algorithm the wrapping key was fetched: --algorithm RSAES_OAEP_SHA_256")
	}
	if given.ValidTo, err = o.deadline(found.ValidTo, written); err != nil {
		return nil, err
	}
	if given.KeyARN, given.KeySpec, err = a.identify(ctx, o); err != nil {
		return nil, err
	}
	p, err := found.Parameters(given)
	if err != nil {
		return nil, inFile(source, err)
	}
	if err := wrap.Check(p.KeySpec, wrap.Pair{Algorithm: p.Algorithm, KeySpec: p.WrappingKeySpec}); err != nil {
		return nil, err
	}
	a.say("read a %s wrapping key and an import token, taken to be valid until %s", p.WrappingKeySpec, deadline(p.ValidTo, a.now()))
	return p, nil
}

// identify gives ARN and spec of the key, asking KMS where the flags do not say.
func (a *app) identify(ctx context.Context, o fetchOptions) (string, material.Spec, error) {
	if importer.RegionOf(o.key) != "" && o.spec != "" {
		return o.key, o.spec, nil
	}
	im, err := a.importer(ctx, o.key)
	if err != nil {
		return "", "", err
	}
	key, err := im.Describe(ctx, o.key)
	return key.ARN, key.Spec, err
}

// deadline is until when downloaded parameters are valid: as told, as the
// download says, or 24 hours after the file was written.
func (o fetchOptions) deadline(said, written time.Time) (time.Time, error) {
	if o.validTo != "" {
		t, err := time.Parse(time.RFC3339, o.validTo)
		if err != nil {
			return t, usagef("--valid-to takes a time like 2027-01-31T12:00:00Z, not %q", o.validTo)
		}
		return t.UTC(), nil
	}
	if !said.IsZero() {
		return said, nil
	}
	return written.Add(24 * time.Hour).UTC().Truncate(time.Second), nil
}

func readZip(name string) (*token.ZipContents, time.Time, error) {
	data, err := files.ReadLimited(name, nil, token.MaxFile)
	if err != nil {
		return nil, time.Time{}, err
	}
	found, err := token.ReadZip(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, time.Time{}, inFile(name, err)
	}
	return found, modified(name), nil
}

// readRawDir reads the files of AWS's own procedure, which are those of the
// zip without the README.
func readRawDir(dir string) (*token.ZipContents, time.Time, error) {
	name := filepath.Join(dir, token.PublicKeyFile)
	pub, err := files.ReadLimited(name, nil, token.MaxPublicKey)
	if err != nil {
		return nil, time.Time{}, err
	}
	key, err := wrap.ParsePublicKey(pub)
	if err != nil {
		return nil, time.Time{}, inFile(name, err)
	}
	spec, err := wrap.KeySpecOf(key)
	if err != nil {
		return nil, time.Time{}, inFile(name, err)
	}
	importToken, err := files.ReadLimited(filepath.Join(dir, token.ImportTokenFile), nil, token.MaxImportToken)
	return &token.ZipContents{PublicKey: pub, WrappingKeySpec: spec, ImportToken: importToken}, modified(name), err
}

// modified is when a file was last written; now where that is not known.
func modified(name string) time.Time {
	if info, err := os.Stat(name); err == nil {
		return info.ModTime()
	}
	return time.Now()
}
