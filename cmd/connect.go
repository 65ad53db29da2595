// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/awsclient"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/mockkms"
	"github.com/keymat/keymat/wrap"
)

// importer connects to the KMS that the flags name and gives the steps through
// it. refs are what the user named: a key's ARN decides the Region.
func (a *app) importer(ctx context.Context, refs ...string) (*importer.Importer, error) {
	client, err := a.connect(ctx, refs...)
	if err != nil {
		return nil, err
	}
	return a.importerOn(ctx, client), nil
}

// importerIn is the same in a Region that a key's ARN told.
func (a *app) importerIn(ctx context.Context, region string) (*importer.Importer, error) {
	client, err := a.connectIn(ctx, region)
	if err != nil {
		return nil, err
	}
	return a.importerOn(ctx, client), nil
}

func (a *app) importerOn(ctx context.Context, client importer.KMS) *importer.Importer {
	return &importer.Importer{
		KMS:     client,
		Observe: a.tell,
		Now:     a.now,
		Regions: func(region string) (importer.KMS, error) { return a.connectIn(ctx, region) },
	}
}

// keyAndMaterial is a KMS key beside the user's material for it, and how to
// wrap the one for the other.
type keyAndMaterial struct {
	*importer.Importer
	key      importer.Key
	material *material.Material
	wrapping wrap.Pair
}

// pairUp finds the key, and reads the material as one for this key.
func (a *app) pairUp(ctx context.Context, ref string, k keyFile, w wrapping) (on keyAndMaterial, err error) {
	if on.Importer, err = a.importer(ctx, ref); err != nil {
		return on, err
	}
	if on.key, err = on.Describe(ctx, ref); err != nil {
		return on, err
	}
	if on.wrapping, err = w.chooseToUse(on.key.Spec); err != nil {
		return on, err
	}
	on.material, err = a.readMaterial(ctx, k, on.key.Spec)
	return on, err
}

// connect gives a KMS client. It reads configuration but makes no call, and is
// itself called only by commands that need KMS.
func (a *app) connect(ctx context.Context, refs ...string) (*kms.Client, error) {
	region, err := a.regionFor(refs)
	if err != nil {
		return nil, err
	}
	return a.connectIn(ctx, region)
}

// connectIn gives a client for a Region; "" leaves it to the AWS settings.
func (a *app) connectIn(ctx context.Context, region string) (*kms.Client, error) {
	return a.connectAs(ctx, a.globals.profile, region)
}

// connectAs gives a client for a profile and a Region.
func (a *app) connectAs(ctx context.Context, profile, region string) (*kms.Client, error) {
	o := awsclient.Options{Region: region, Profile: profile, EndpointURL: a.globals.endpointURL, Debug: a.debug()}
	if a.usesEmbedded() {
		mock, err := a.embedded()
		if err != nil {
			return nil, err
		}
		o.Transport = mockkms.Transport(mock)
	}
	return awsclient.New(ctx, o)
}

// debug is where calls are told, one line each; nil unless asked for.
func (a *app) debug() io.Writer {
	if a.globals.verbose {
		return a.Stderr
	}
	return nil
}

// embedded is the KMS inside keymat, which is opened once.
func (a *app) embedded() (*mockkms.KMS, error) {
	if a.mock != nil {
		return a.mock, nil
	}
	store, _, err := a.openMock()
	if err != nil {
		return nil, err
	}
	a.mock = mockkms.New(mockkms.WithStore(store), mockkms.WithKeysAhead(aheadOnce), mockkms.WithWrappingKeys(mockkms.NewWrappingKeys()))
	a.AtEnd(a.mock.Close)
	return a.mock, nil
}

// aheadOnce lets a command that waits for a wrapping key make the next one
// meanwhile, of the size that is used when nobody says otherwise.
var aheadOnce = mockkms.KeysAhead{RSA4096: 1}

// regionFor is the Region to ask: the flag, or that of the first key ARN among
// refs. A flag that contradicts an ARN is refused: KMS would say "not found".
func (a *app) regionFor(refs []string) (string, error) {
	for _, ref := range refs {
		region := importer.RegionOf(ref)
		if region == "" {
			continue
		}
		if a.globals.region != "" && a.globals.region != region {
			return "", usagef("--region %s contradicts %s, which is in %s", a.globals.region, ref, region)
		}
		return region, nil
	}
	return a.globals.region, nil
}

// openMock opens the state of the embedded mock, which is made if need be.
func (a *app) openMock() (mockkms.Store, string, error) {
	path, err := a.mockStatePath()
	if err != nil {
		return nil, "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, "", err
	}
	store, err := mockkms.OpenStore(path)
	return store, path, err
}

// mockStatePath is where the embedded mock keeps its state: as told, or
// "mock.db" in keymat's state folder.
func (a *app) mockStatePath() (string, error) {
	if a.globals.mockState != "" {
		return a.globals.mockState, nil
	}
	folder, err := a.stateFolder()
	return filepath.Join(folder, "mock.db"), err
}

// stateFolder is where keymat keeps what the next run needs: "keymat" in the
// user's state folder (XDG_STATE_HOME on Unix). It need not exist.
func (a *app) stateFolder() (string, error) {
	if dir := a.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "keymat"), nil
	}
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		dir, err := os.UserConfigDir()
		return filepath.Join(dir, "keymat"), err
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".local", "state", "keymat"), err
}
