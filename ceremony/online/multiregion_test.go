// SPDX-License-Identifier: Apache-2.0

package online_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/online"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/mockkms"
	"github.com/keymat/keymat/wrap"
)

// TestWaitingRotation: an enabled key gets new material, which waits.
func TestWaitingRotation(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]mockkms.FaultKind{"plainly": 0, "without an answer": mockkms.FaultDropAfter} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				k := b.create(t, importer.CreateRequest{Spec: material.SymmetricDefault})
				b.holds(t, k, generate(t, k.Spec))
				b.agree(t, material.SymmetricDefault, []string{k.ARN})
				out := b.desk.session(t, b.fetch(t))
				if fault != 0 { // and neither while it is looked for
					b.mock.Inject(mockkms.Fault{Operation: "ImportKeyMaterial", Kind: fault})
					b.mock.Inject(mockkms.Fault{Operation: "ListKeyRotations", Kind: mockkms.FaultInternal, Skip: 1, Times: 3})
				}
				if err := b.run(t, out); err != nil {
					t.Fatal(err)
				}
				if got := b.state(t).Targets()[0]; got.Method != online.MethodPending || got.MaterialID == "" {
					t.Errorf("got %+v", got)
				}
			})
		})
	}
}

// holds puts material into a key.
func (b *bench) holds(t *testing.T, k importer.Key, m *material.Material) {
	t.Helper()
	_, _, err := b.importer(t, region).Bring(t.Context(), k, m, wrap.Pair{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA2048}, importer.ImportRequest{Expiry: importer.Never()})
	if err != nil {
		t.Fatal(err)
	}
}

// replicate makes a replica of a key, and gives its ARN.
func (b *bench) replicate(t *testing.T, k importer.Key) string {
	t.Helper()
	if _, err := b.client(t, region).ReplicateKey(t.Context(), &kms.ReplicateKeyInput{KeyId: aws.String(k.ARN), ReplicaRegion: aws.String(replicaRegion)}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second) // while it is Creating
	return replicaOf(k.ARN)
}

func replicaOf(arn string) string { return strings.Replace(arn, region, replicaRegion, 1) }

// TestMultiRegion: the primary comes first, and a replica takes the same material.
func TestMultiRegion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k := b.create(t, importer.CreateRequest{Spec: material.SymmetricDefault, MultiRegion: true})
		b.holds(t, k, generate(t, k.Spec))
		replica := b.replicate(t, k)
		b.agree(t, material.SymmetricDefault, []string{k.ARN, replica})
		out := b.desk.session(t, b.fetch(t))
		if err := b.run(t, out); err != nil {
			t.Fatal(err)
		}
		wantEvents(t, b, 2, "open", "confirm", "submit", "import", "submit", "import", "verify", "verify", "close")
		targets := b.state(t).Targets()
		if targets[0].MaterialID == "" || targets[0].MaterialID != targets[1].MaterialID {
			t.Errorf("got %+v", targets)
		}
	})
}

// TestReplicaLater is a new multi-Region key, of which KMS makes no replica before
// the primary has its material.
func TestReplicaLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k := b.create(t, importer.CreateRequest{Spec: material.HMAC384, MultiRegion: true})
		b.agree(t, material.HMAC384, []string{k.ARN, replicaOf(k.ARN)})
		out, back := b.desk.session(t, b.fetch(t, "primary")), quickFolder(t)
		b.people.media = []string{out, back}
		works(t, b.open(t), b.people, "") // and it asks for no further medium
		wantEvents(t, b, 2, "open", "confirm", "submit", "import", "verify", "close")
		b.replicate(t, k)
		b.desk.takes(t, back)
		id := b.plan.Targets[1].ID
		if err := b.run(t, b.desk.session(t, b.fetch(t, id))); err != nil {
			t.Fatal(err)
		}
		if s := b.state(t); s.Progress() != "VERIFIED 2 of 2" {
			t.Errorf("at %s", s.Progress())
		}
		if f := evidence.Folder(b.importing); !f.Has("head-4.json") || f.Has(gap.ManifestFile) {
			t.Error("the folder is not what it should be")
		}
	})
}
