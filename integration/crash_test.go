// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// acknowledged is an import that KMS answered with success.
type acknowledged struct {
	key      string
	material *material.Material
}

// TestAcknowledgedImportsSurviveKill kills a serving mock while imports are
// under way, again and again on the same state, and demands that every import
// it acknowledged is there afterwards, byte for byte.
func TestAcknowledgedImportsSurviveKill(t *testing.T) {
	const (
		rounds   = 6
		clients  = 4
		perRound = 15 // acknowledged imports before the kill; clients stop only because of it
	)
	d := newDesk(t)
	var all []acknowledged
	for round := range rounds {
		s := d.serve()
		acks := make(chan acknowledged)
		var clientsDone sync.WaitGroup
		for range clients {
			clientsDone.Go(func() { importUntilRefused(t, s.url, acks) })
		}
		go func() { clientsDone.Wait(); close(acks) }()
		before := len(all)
		for a := range acks {
			all = append(all, a)
			if len(all) == before+perRound {
				s.kill()
			}
		}
		if len(all) < before+perRound {
			t.Fatalf("round %d: the mock refused after %d imports", round+1, len(all)-before)
		}
	}

	client := newClient(d.serve().url)
	for _, a := range all {
		checkMAC(t, client, a)
	}
}

// serve starts a mock on the desk's state file.
func (d *desk) serve() *server {
	d.t.Helper()
	s, err := serve(d.dir, "--state", d.path("state.db"), "--shared-wrapping-keys")
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(s.kill)
	return s
}

// importUntilRefused makes keys and imports material, as fast as it can, until
// the server is gone.
func importUntilRefused(t *testing.T, url string, acks chan<- acknowledged) {
	client := newClient(url)
	for {
		m, err := material.Generate(material.HMAC256)
		if err != nil {
			t.Error(err)
			return
		}
		key, err := bring(t.Context(), client, m)
		if err != nil {
			return
		}
		acks <- acknowledged{key, m}
	}
}

// bring does a whole import of symmetric material with the bare SDK. Requests are not retried: what
// is not acknowledged at once does not count.
func bring(ctx context.Context, client *kms.Client, m *material.Material) (key string, err error) {
	once := func(o *kms.Options) { o.RetryMaxAttempts = 1 }
	usage := types.KeyUsageTypeGenerateVerifyMac
	if m.Spec() == material.SymmetricDefault {
		usage = types.KeyUsageTypeEncryptDecrypt
	}
	created, err := client.CreateKey(ctx, &kms.CreateKeyInput{
		KeySpec:  types.KeySpec(m.Spec()),
		KeyUsage: usage,
		Origin:   types.OriginTypeExternal,
	}, once)
	if err != nil {
		return "", err
	}
	key = aws.ToString(created.KeyMetadata.Arn)
	params, err := client.GetParametersForImport(ctx, &kms.GetParametersForImportInput{
		KeyId:             &key,
		WrappingAlgorithm: types.AlgorithmSpecRsaesOaepSha256,
		WrappingKeySpec:   types.WrappingKeySpecRsa2048,
	}, once)
	if err != nil {
		return "", err
	}
	pub, err := wrap.ParsePublicKey(params.PublicKey)
	if err != nil {
		return "", err
	}
	encrypted, err := wrap.Wrap(pub, wrap.OAEPSHA256, m.Secret())
	if err != nil {
		return "", err
	}
	_, err = client.ImportKeyMaterial(ctx, &kms.ImportKeyMaterialInput{
		KeyId:                &key,
		EncryptedKeyMaterial: encrypted,
		ImportToken:          params.ImportToken,
		ExpirationModel:      types.ExpirationModelTypeKeyMaterialDoesNotExpire,
	}, once)
	return key, err
}

// checkMAC demands that KMS computes with the material it acknowledged.
func checkMAC(t *testing.T, client *kms.Client, a acknowledged) {
	t.Helper()
	message := []byte("are you there?")
	want, err := a.material.MAC(message)
	if err != nil {
		t.Fatal(err)
	}
	got, err := client.GenerateMac(t.Context(), &kms.GenerateMacInput{
		KeyId:        &a.key,
		MacAlgorithm: types.MacAlgorithmSpecHmacSha256,
		Message:      message,
	})
	switch {
	case err != nil:
		t.Errorf("an acknowledged import is gone: %v", err)
	case !bytes.Equal(got.Mac, want):
		t.Errorf("%s has other material than was imported", a.key)
	}
}

// TestTwoProcessesShareOneState has two rows of keymat --mock processes bring
// keys into one state file at the same time.
func TestTwoProcessesShareOneState(t *testing.T) {
	const rows, perRow = 2, 5
	d := newDesk(t)
	mock := []string{"--mock", "--mock-state", "state.db"}
	name := func(row, i int) string { return fmt.Sprintf("mac-%d-%d", row, i) }

	var running sync.WaitGroup
	for row := range rows {
		running.Go(func() {
			for i := range perRow {
				n := name(row, i)
				o := d.try(built.keymat, append([]string{"bring", "--spec", "HMAC_256", "--out", n, "--alias", "alias/" + n,
					"--never-expires", "--wrapping-key", "RSA_2048"}, mock...)...)
				if o.status != 0 {
					t.Errorf("%s: exit code %d, %s", n, o.status, o.stderr)
				}
			}
		})
	}
	running.Wait()

	for row := range rows {
		for i := range perRow {
			n := name(row, i)
			o := d.try(built.keymat, append([]string{"confirm", "alias/" + n, "--material", n}, mock...)...)
			if o.status != 0 {
				t.Errorf("%s: exit code %d, %s", n, o.status, o.stderr)
			}
		}
	}
}
