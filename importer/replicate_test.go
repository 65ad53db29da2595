// SPDX-License-Identifier: Apache-2.0

package importer_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/mockkms"
)

const west = "us-west-2"

// multiRegion is an enabled primary with these bytes and tags.
func (b *bench) multiRegion(t *testing.T, m *material.Material) importer.Key {
	t.Helper()
	k, err := b.Create(t.Context(), importer.CreateRequest{
		Spec: m.Spec(), MultiRegion: true, Description: "everywhere", Tags: map[string]string{"team": "a"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.bring(t, k, m, importer.Never())
}

// replicated gives a primary and its replica in the west, both enabled.
func (b *bench) replicated(t *testing.T, m *material.Material) (primary importer.Key, replica importer.Copy) {
	t.Helper()
	k := b.multiRegion(t, m)
	c, err := b.Replicate(t.Context(), k, west)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = c.Bring(t.Context(), c.Key, m, experiment.Quick(m.Spec()), importer.ImportRequest{Expiry: importer.Never()})
	if err != nil {
		t.Fatal(err)
	}
	return b.describe(t, k), c
}

func TestReplicate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		m := generate(t, material.SymmetricDefault)
		k := b.multiRegion(t, m)
		c, err := b.Replicate(t.Context(), k, west)
		if err != nil {
			t.Fatal(err)
		}
		if c.Key.Region() != west || !c.Key.Replica || c.Key.State != types.KeyStatePendingImport || c.Key.Description != "everywhere" || c.Key.MaterialID != k.MaterialID {
			t.Errorf("replica %+v", c.Key)
		}
		tags, err := clientOf(b.mock, west).ListResourceTags(t.Context(), &kms.ListResourceTagsInput{KeyId: aws.String(c.Key.ARN)})
		if err != nil || len(tags.Tags) != 1 {
			t.Errorf("tags %+v, error %v", tags, err)
		}
		receipt, _, err := c.Bring(t.Context(), c.Key, m, experiment.Quick(k.Spec), importer.ImportRequest{Expiry: importer.Never(), MaterialID: k.MaterialID})
		if err != nil || receipt.State != types.KeyStateEnabled {
			t.Errorf("receipt %+v, error %v", receipt, err)
		}

		// Again: the replica that exists.
		b.calls()
		again, err := b.Replicate(t.Context(), b.describe(t, k), west)
		if err != nil || again.Key.ARN != c.Key.ARN || count(b.calls(), "ReplicateKey") != 0 {
			t.Errorf("again %+v, error %v", again.Key, err)
		}
		_, err = b.Replicate(t.Context(), c.Key, "eu-west-1")
		wantError[*importer.ReplicaError](t, err)
		_, err = b.Replicate(t.Context(), b.rotatable(t), west)
		wantError[*importer.SingleRegionError](t, err)
	})
}

// A policy of its own goes with the key; the default is left to KMS.
func TestReplicateKeepsThePolicy(t *testing.T) {
	const own = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":["kms:*"],"Resource":"*"}]}`
	for name, policy := range map[string]string{"own": own, "default": ""} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			k := b.multiRegion(t, generate(t, material.SymmetricDefault))
			if policy != "" {
				if _, err := b.client.PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{KeyId: aws.String(k.ARN), Policy: aws.String(policy)}); err != nil {
					t.Fatal(err)
				}
			}
			var sent *string
			b.Importer.KMS = policyWatch{b.client, &sent}
			c, err := b.Replicate(t.Context(), k, west)
			if err != nil {
				t.Fatal(err)
			}
			if aws.ToString(sent) != policy {
				t.Errorf("%s: sent %q", name, aws.ToString(sent))
			}
			got, err := clientOf(b.mock, west).GetKeyPolicy(t.Context(), &kms.GetKeyPolicyInput{KeyId: aws.String(c.Key.ARN)})
			if err != nil || policy != "" && aws.ToString(got.Policy) != policy {
				t.Errorf("%s: policy %s, error %v", name, aws.ToString(got.Policy), err)
			}
		})
	}
}

// policyWatch keeps the policy that a replica is made with.
type policyWatch struct {
	importer.KMS
	policy **string
}

func (w policyWatch) ReplicateKey(ctx context.Context, in *kms.ReplicateKeyInput, o ...func(*kms.Options)) (*kms.ReplicateKeyOutput, error) {
	*w.policy = in.Policy
	return w.KMS.ReplicateKey(ctx, in, o...)
}

func TestReplicateLostAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k := b.multiRegion(t, generate(t, material.SymmetricDefault))
		b.mock.Inject(mockkms.Fault{Operation: "ReplicateKey", Kind: mockkms.FaultDropAfter})
		c, err := b.Replicate(t.Context(), k, west)
		if err != nil || c.Key.State != types.KeyStatePendingImport || count(b.calls(), "ReplicateKey") != 1 {
			t.Errorf("replica %+v, error %v", c.Key, err)
		}
	})
}

func TestRotateEveryRegion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k, replica := b.replicated(t, generate(t, material.SymmetricDefault))
		m := generate(t, material.SymmetricDefault)
		r := rotation(m)
		r.Expiry = importer.In(90*24*time.Hour, time.Now())
		done, err := b.Rotate(t.Context(), k, r)
		if err != nil {
			t.Fatal(err)
		}
		if len(done.Copies) != 2 {
			t.Fatalf("copies %+v", done.Copies)
		}
		for _, c := range done.Copies {
			if c.Receipt.MaterialID != done.To || !c.Receipt.Expiry.Equal(r.Expiry) || c.Opening.Verdict != importer.Proven {
				t.Errorf("copy %+v", c)
			}
		}
		all, err := replica.Materials(t.Context(), replica.Key)
		if err != nil || len(all) != 2 || all[1].ID != done.To || all[1].State != types.KeyMaterialStateCurrent || all[1].Missing(time.Now()) {
			t.Errorf("materials of the replica %+v, error %v", all, err)
		}

		// Everything is there: nothing is imported into the replica again.
		again, err := b.Rotate(t.Context(), b.describe(t, k), r)
		if err != nil || !again.Unchanged || !again.Copies[1].Receipt.At.IsZero() {
			t.Errorf("again %+v, error %v", again, err)
		}

		_, err = replica.Rotate(t.Context(), replica.Key, r)
		wantError[*importer.ReplicaError](t, err)
	})
}

// Half-done: staged at the primary alone, by another tool.
func TestRotateGoesOnInTheReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k, _ := b.replicated(t, generate(t, material.SymmetricDefault))
		m := generate(t, material.SymmetricDefault)
		stageMaterial(t, b, k, m)
		done, err := b.Rotate(t.Context(), k, rotation(m))
		if err != nil || !done.Resumed || len(done.Copies) != 2 || done.Copies[1].Opening.Verdict != importer.Proven {
			t.Errorf("got %+v, error %v", done, err)
		}
	})
}

// A Region that cannot be reached stops everything before it begins.
func TestRotateNeedsEveryRegion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k, _ := b.replicated(t, generate(t, material.SymmetricDefault))
		b.Importer.Regions = nil
		_, err := b.Rotate(t.Context(), k, rotation(generate(t, material.SymmetricDefault)))
		if got, want := errText(err), "there is no client for Region us-west-2"; got != want {
			t.Errorf("error %q, want %q", got, want)
		}
		if all, err := b.Materials(t.Context(), k); err != nil || len(all) != 1 {
			t.Errorf("materials %+v, error %v", all, err)
		}
	})
}

func TestSwapAlias(t *testing.T) {
	for _, spec := range []material.Spec{material.HMAC256, material.ECCNISTP256} {
		t.Run(string(spec), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				k, err := b.Create(t.Context(), importer.CreateRequest{Spec: spec, Alias: "alias/a", Description: "mine"})
				if err != nil {
					t.Fatal(err)
				}
				k = b.bring(t, k, generate(t, spec), importer.Never())
				r := importer.SwapRequest{Alias: "alias/a", Material: generate(t, spec), Pair: experiment.Quick(spec), Expiry: importer.Never()}
				done, err := b.SwapAlias(t.Context(), k, r)
				if err != nil || done.Proof.Verdict != importer.Proven {
					t.Fatalf("got %+v, error %v", done, err)
				}
				now, err := b.Describe(t.Context(), "alias/a")
				if err != nil || now.ARN != done.New.ARN || now.ARN == k.ARN || now.Description != "mine" || now.Usage != k.Usage {
					t.Errorf("the alias names %+v, error %v", now, err)
				}
				if old := b.describe(t, k); old.State != types.KeyStateEnabled {
					t.Errorf("old key %+v", old)
				}
				_, err = b.SwapAlias(t.Context(), k, r)
				wantError[*importer.AliasElsewhereError](t, err)
			})
		})
	}
}

func TestSwapAliasSaysWhatRemains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k, err := b.Create(t.Context(), importer.CreateRequest{Spec: material.HMAC256, Alias: "alias/a"})
		if err != nil {
			t.Fatal(err)
		}
		b.mock.Inject(mockkms.Fault{Operation: "UpdateAlias", Kind: mockkms.FaultDenied})
		_, err = b.SwapAlias(t.Context(), k, importer.SwapRequest{Alias: "alias/a", Material: generate(t, k.Spec), Pair: experiment.Quick(k.Spec), Expiry: importer.Never()})
		wantError[*importer.UnfinishedError](t, err)

		copied, _ := b.replicated(t, generate(t, material.HMAC256))
		_, err = b.SwapAlias(t.Context(), copied, importer.SwapRequest{Alias: "alias/a", Expiry: importer.Never()})
		wantError[*importer.CopiesError](t, err)
	})
}
