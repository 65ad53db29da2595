// SPDX-License-Identifier: Apache-2.0

package experiment

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
)

// Tag is the key of the tag that every key of a trial carries. Its value names
// the run, [Bench.Run].
const Tag = "keymat:experiment"

// Window is the shortest waiting period before KMS deletes a key, in days (API
// reference, ScheduleKeyDeletion).
const Window = 7

// A Key is a KMS key made for a trial.
type Key struct {
	Label  string // "key A": how steps speak of it
	ARN    string
	Region string
	Spec   material.Spec
}

// Leaving is a key that KMS will delete.
type Leaving struct {
	ARN      string    `json:"key"`
	Deletion time.Time `json:"deletion,omitzero"` // UTC; zero: its window begins when its replicas are gone
}

// When says when the key goes: "on 2026-11-29", or after what.
func (l Leaving) When() string {
	if l.Deletion.IsZero() {
		return fmt.Sprintf("%d days after its replicas", Window)
	}
	return "on " + l.Deletion.UTC().Format(time.DateOnly)
}

// A LeftError says that a key stays in the account, and why.
type LeftError struct {
	ARN string
	Err error
}

func (e *LeftError) Error() string {
	return fmt.Sprintf("scheduling the deletion of %s: %v", e.ARN, e.Err)
}

func (e *LeftError) Unwrap() error { return e.Err }

// NewKey makes a key of EXTERNAL origin in the bench's Region; change alters
// the request before it is sent, and may be nil.
func (t *Trial) NewKey(spec material.Spec, change func(*kms.CreateKeyInput)) Key {
	return t.AskForKey("create "+t.nextLabel(), Success, spec, change)
}

// AskForKey is NewKey where KMS may be expected to refuse: whatever it makes,
// Finish cleans up. Calling CreateKey through [Do] would leave keys behind.
func (t *Trial) AskForKey(what string, want Answer, spec material.Spec, change func(*kms.CreateKeyInput)) Key {
	k := Key{Label: t.nextLabel(), Region: t.bench.Region, Spec: spec}
	in := &kms.CreateKeyInput{
		Origin:      types.OriginTypeExternal,
		KeySpec:     types.KeySpec(spec),
		KeyUsage:    importer.DefaultUsage(spec),
		Description: aws.String("keymat: " + t.Name),
		Tags:        []types.Tag{{TagKey: aws.String(Tag), TagValue: aws.String(t.bench.Run)}},
	}
	if change != nil {
		change(in)
	}
	t.make(&k, func() *types.KeyMetadata { return Do(t, what, want, t.KMS.CreateKey, in).KeyMetadata })
	return k
}

// Replicate makes the replica of a multi-Region key in the second Region.
// Without one the trial is impossible.
func (t *Trial) Replicate(primary Key) Key {
	if t.bench.Second == "" {
		t.Impossible("it needs a second Region, and none is given")
	}
	k := Key{Label: "the replica of " + primary.Label, Region: t.bench.Second, Spec: primary.Spec}
	t.make(&k, func() *types.KeyMetadata {
		return Do(t, "replicate "+primary.Label+" to "+k.Region, Success, t.KMS.ReplicateKey, &kms.ReplicateKeyInput{
			KeyId:         aws.String(primary.ARN),
			ReplicaRegion: aws.String(k.Region),
			Description:   aws.String("keymat: " + t.Name),
			Tags:          []types.Tag{{TagKey: aws.String(Tag), TagValue: aws.String(t.bench.Run)}},
		}).ReplicaKeyMetadata
	})
	return k
}

// nextLabel is "key A" to "key Z", then "key 27" and so on.
func (t *Trial) nextLabel() string {
	n := len(t.keys)
	if n < 26 {
		return "key " + string(rune('A'+n))
	}
	return fmt.Sprintf("key %d", n+1)
}

// make makes a key that Finish cleans up. The ledger hears of it before, as
// the answer may get lost, and after.
func (t *Trial) make(k *Key, call func() *types.KeyMetadata) {
	if t.stopped() {
		return
	}
	ledger := t.bench.Ledger
	if ledger == nil {
		ledger = noLedger{}
	}
	if err := ledger.Making(k.Region); err != nil {
		t.stop(err)
		return
	}
	made := call()
	if made != nil {
		k.ARN = aws.ToString(made.Arn)
		t.keys = append(t.keys, *k)
		t.Must(ledger.Made(k.ARN))
	}
	switch {
	case made != nil && t.uncertain: // an earlier attempt may have made one more
		t.Must(ledger.Making(k.Region))
	case made == nil && !t.uncertain:
		t.Must(ledger.NotMade(k.Region))
	}
}

// noLedger remembers nothing.
type noLedger struct{}

func (noLedger) Making(string) error  { return nil }
func (noLedger) NotMade(string) error { return nil }
func (noLedger) Made(string) error    { return nil }
func (noLedger) Gone(string) error    { return nil }
