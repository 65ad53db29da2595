// SPDX-License-Identifier: Apache-2.0

package experiment

import (
	"bytes"
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

// Quick is the pair that wraps material of a spec in the shortest time: the
// smallest wrapping key that its strongest algorithm allows.
func Quick(spec material.Spec) wrap.Pair {
	quick := wrap.Strongest(spec)
	for _, p := range wrap.Allowed(spec) {
		if p.Algorithm == quick.Algorithm && p.KeySpec.Bits() < quick.KeySpec.Bits() {
			quick = p
		}
	}
	return quick
}

// Material makes new material, which Finish destroys.
func (t *Trial) Material(spec material.Spec) *material.Material {
	m, err := material.Generate(spec)
	t.Must(err)
	t.materials = append(t.materials, m)
	return m
}

// Fetch gets import parameters for a key.
func (t *Trial) Fetch(k Key, pair wrap.Pair) *token.Parameters {
	out := Do(t, "fetch a wrapping key and an import token for "+k.Label, Success, t.client(k).GetParametersForImport, &kms.GetParametersForImportInput{
		KeyId:             aws.String(k.ARN),
		WrappingAlgorithm: types.AlgorithmSpec(pair.Algorithm),
		WrappingKeySpec:   types.WrappingKeySpec(pair.KeySpec),
	})
	return &token.Parameters{
		KeyARN: k.ARN, KeySpec: k.Spec, Algorithm: pair.Algorithm, WrappingKeySpec: pair.KeySpec,
		PublicKey: out.PublicKey, ImportToken: out.ImportToken, ValidTo: aws.ToTime(out.ParametersValidTo).UTC(),
	}
}

// Wrap wraps material under the parameters' public key.
func (t *Trial) Wrap(p *token.Parameters, m *material.Material) *token.Wrapped {
	if t.stopped() {
		return new(token.Wrapped)
	}
	w, err := token.Wrap(p, m)
	if err != nil {
		t.stop(err)
		return new(token.Wrapped)
	}
	return w
}

// Importing is the request that imports a wrapped package into a key, for good.
func Importing(k Key, w *token.Wrapped) *kms.ImportKeyMaterialInput {
	return &kms.ImportKeyMaterialInput{
		KeyId:                aws.String(k.ARN),
		ImportToken:          w.ImportToken,
		EncryptedKeyMaterial: w.EncryptedKeyMaterial,
		ExpirationModel:      types.ExpirationModelTypeKeyMaterialDoesNotExpire,
	}
}

// Import sends a wrapped package to a key; change alters the request before it
// is sent, and may be nil.
func (t *Trial) Import(what string, want Answer, k Key, w *token.Wrapped, change func(*kms.ImportKeyMaterialInput)) *kms.ImportKeyMaterialOutput {
	in := Importing(k, w)
	if change != nil {
		change(in)
	}
	return Do(t, what, want, t.client(k).ImportKeyMaterial, in)
}

// Bring fetches, wraps and imports material: what most trials begin with.
func (t *Trial) Bring(k Key, m *material.Material) *kms.ImportKeyMaterialOutput {
	return t.Import("import the material into "+k.Label, Success, k, t.Wrap(t.Fetch(k, Quick(k.Spec)), m), nil)
}

// Encrypt encrypts under a symmetric key.
func (t *Trial) Encrypt(k Key, plaintext string) []byte {
	return Do(t, "encrypt under "+k.Label, Success, t.client(k).Encrypt, &kms.EncryptInput{KeyId: aws.String(k.ARN), Plaintext: []byte(plaintext)}).CiphertextBlob
}

// Decrypt decrypts under a symmetric key and, where that is to succeed, checks
// that the plaintext is the one given.
func (t *Trial) Decrypt(what string, want Answer, k Key, ciphertext []byte, plaintext string) {
	out := Do(t, what, want, t.client(k).Decrypt, &kms.DecryptInput{KeyId: aws.String(k.ARN), CiphertextBlob: ciphertext})
	if want == Success && !t.stopped() {
		t.Same("the plaintext", []byte(plaintext), out.Plaintext)
	}
}

// Same compares bytes that are shown to nobody.
func (t *Trial) Same(what string, want, got []byte) {
	const same = "the same bytes"
	observed := same
	if !bytes.Equal(want, got) {
		observed = "other bytes"
	}
	t.Check(what, same, observed)
}

// Describe looks at a key.
func (t *Trial) Describe(k Key) *types.KeyMetadata {
	out := Do(t, "look at "+k.Label, Success, t.client(k).DescribeKey, &kms.DescribeKeyInput{KeyId: aws.String(k.ARN)})
	if out.KeyMetadata == nil {
		return new(types.KeyMetadata)
	}
	return out.KeyMetadata
}

// State looks at a key and compares its state.
func (t *Trial) State(k Key, want types.KeyState) {
	t.Check("the state of "+k.Label, string(want), string(t.Describe(k).KeyState))
}

// client is the one for the key's Region.
func (t *Trial) client(k Key) *kms.Client {
	if k.Region == t.bench.Region || t.stopped() {
		return t.KMS
	}
	return t.In(k.Region)
}

// DefaultPatience is how long [Trial.Await] waits. An on-demand rotation took
// KMS from 48 seconds to several minutes (recorded).
const DefaultPatience = 10 * time.Minute

// pause is the time between two looks.
const pause = 200 * time.Millisecond

// Await looks again and again until it sees what is wanted, or the bench's
// patience ends. Only the last look is recorded.
func (t *Trial) Await(what, want string, look func() (string, error)) {
	patience := t.bench.Patience
	if patience == 0 {
		patience = DefaultPatience
	}
	var got string
	for deadline := time.Now().Add(patience); !t.stopped(); sleep(t.ctx, pause) {
		var err error
		if got, err = look(); err != nil {
			t.stop(err)
			return
		}
		if got == want || time.Now().After(deadline) {
			t.Check(what, want, got)
			return
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Advance moves the KMS's clock. Without one that can be moved the trial is
// impossible.
func (t *Trial) Advance(d time.Duration) {
	switch {
	case t.stopped():
	case t.bench.Clock == nil:
		t.Impossible("time cannot be moved here, and nobody waits that long")
	default:
		t.Must(t.bench.Clock.Advance(t.ctx, d))
	}
}

// Now is the time at the KMS, UTC.
func (t *Trial) Now() time.Time {
	if t.bench.Clock == nil || t.stopped() {
		return time.Now().UTC()
	}
	now, err := t.bench.Clock.Now(t.ctx)
	t.Must(err)
	return now
}
