// SPDX-License-Identifier: Apache-2.0

package offline_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/tink-crypto/tink-go/v2/kwp/subtle"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

// pool makes the wrapping keys of KMS once for all tests: which is which does not
// matter, as long as no ceremony meets one twice.
var pool = sync.OnceValue(func() (keys []*rsa.PrivateKey) {
	for range 4 {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys = append(keys, key)
	}
	return keys
})

// wrappingKey is the next that KMS gives out.
func (c *ceremony) wrappingKey() *rsa.PrivateKey {
	key := pool()[len(c.keys)%len(pool())]
	c.keys = append(c.keys, key)
	return key
}

// fetch has the fetchers bring a medium with a bundle of a number for targets, whose
// tokens are valid for so long.
func (c *ceremony) fetch(number int, valid time.Duration, targets ...string) {
	c.t.Helper()
	c.in = c.newMedium("in")
	b := &gap.Bundle{Origin: gap.OriginOf(c.plan)}
	for _, target := range c.plan.Targets {
		if !slices.Contains(targets, target.ID) {
			continue
		}
		name := evidence.ParametersFile(number, target.ID)
		content := c.parameters(target, valid)
		c.write(c.in, name, content)
		b.Fetched = append(b.Fetched, gap.Fetched{
			Target: target.ID, At: c.clock, Caller: "arn:aws:sts::111122223333:assumed-role/fetch/fetcher-1", RequestID: "f0e1d2c3-0000-4000-8000-000000000001",
			Key:  gap.Key{State: "PendingImport", Spec: string(c.plan.Material.Spec), Usage: string(c.plan.Material.Usage), Origin: "EXTERNAL"},
			File: gap.FileOf(name, content),
		})
	}
	content, err := b.Encode()
	if err != nil {
		c.t.Fatal(err)
	}
	c.fetched[evidence.BundleFile(number)] = content
	c.write(c.in, evidence.BundleFile(number), content)
	for _, id := range gap.Signers(c.plan, gap.NamespaceBundle) {
		c.sign(c.in, evidence.BundleFile(number), gap.NamespaceBundle, id)
	}
	c.finish(c.in, gap.In)
}

func (c *ceremony) parameters(target plan.Target, valid time.Duration) []byte {
	c.t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&c.wrappingKey().PublicKey)
	if err != nil {
		c.t.Fatal(err)
	}
	params := &token.Parameters{
		KeyARN: target.Key, KeySpec: c.plan.Material.Spec, Algorithm: target.Wrapping.Algorithm, WrappingKeySpec: target.Wrapping.KeySpec,
		PublicKey: der, ImportToken: fmt.Appendf(nil, "token %d", len(c.keys)), ValidTo: c.clock.Add(valid),
	}
	var b bytes.Buffer
	if err := params.Encode(&b); err != nil {
		c.t.Fatal(err)
	}
	content, err := gap.Stamp(token.KindParameters, b.Bytes(), c.plan.Rehearsal)
	if err != nil {
		c.t.Fatal(err)
	}
	return content
}

// finish writes the manifest of a medium.
func (c *ceremony) finish(folder string, d gap.Direction) {
	c.t.Helper()
	manifest, err := gap.Collect(os.DirFS(folder), gap.OriginOf(c.plan), d)
	if err != nil {
		c.t.Fatal(err)
	}
	content, err := manifest.Encode()
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(folder, gap.ManifestFile, content)
}

// unwrapped is what KMS gets of a target's material, by the wrapping key that was
// given out as the n-th, from 0.
func (c *ceremony) unwrapped(folder, target string, number, n int) material.Secret {
	c.t.Helper()
	pack, _, err := evidence.Folder(folder).Package(number)
	if err != nil {
		c.t.Fatal(err)
	}
	content, err := evidence.Folder(folder).Read(evidence.WrappedFile(number, target), token.MaxFile)
	if err != nil {
		c.t.Fatal(err)
	}
	wrapped, err := pack.Material(c.plan, target, content)
	if err != nil {
		c.t.Fatal(err)
	}
	plain, err := unwrap(c.keys[n], wrapped.Algorithm, wrapped.EncryptedKeyMaterial)
	if err != nil {
		c.t.Fatal(err)
	}
	return material.NewSecret(plain)
}

// unwrap is what KMS does.
func unwrap(key *rsa.PrivateKey, a wrap.Algorithm, encrypted []byte) ([]byte, error) {
	if !a.Hybrid() {
		return rsa.DecryptOAEP(sha256.New(), nil, key, encrypted, nil)
	}
	aesKey, err := rsa.DecryptOAEP(sha256.New(), nil, key, encrypted[:key.Size()], nil)
	if err != nil {
		return nil, err
	}
	kek, err := subtle.NewKWP(aesKey)
	if err != nil {
		return nil, err
	}
	return kek.Unwrap(encrypted[key.Size():])
}
