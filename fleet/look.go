// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"github.com/keymat/keymat/fleet/manifest"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/inventory"
)

// atOnce is how many keys of a place are looked at at the same time. With some
// 20 ms per DescribeKey that makes 1,600 a second, below KMS's 2,000. It takes
// an alias as it takes an ID, so that no list of aliases is ever cheaper.
const atOnce = 32

// patienceWithPlace is how many keys of a place may go without any answer of
// KMS before the rest is not tried: each costs all the retries of the SDK.
const patienceWithPlace = 3

// A spot is a place as it is being looked at.
type spot struct {
	inventory.Place
	silent atomic.Int64 // keys in a row without an answer of KMS
	last   atomic.Value // the error of the last of them, in a silence
}

// silence is an error in a type of its own, for atomic.Value.
type silence struct{ err error }

// look asks KMS about one key, in as few calls as tell all that matters.
func (s *spot) look(ctx context.Context, k manifest.Key, now time.Time) Found {
	if s.silent.Load() >= patienceWithPlace {
		return Found{Err: s.last.Load().(silence).err}
	}
	im := s.importer()
	key, err := im.Describe(ctx, k.Ref)
	s.note(err)
	if _, missing := errors.AsType[*types.NotFoundException](err); missing {
		return Found{}
	}
	if err != nil {
		return Found{Err: err}
	}
	if key.Replica {
		return Found{Copies: []FoundCopy{{Key: key}}}
	}
	var f Found
	for _, c := range im.CopiesOf(ctx, key) {
		found := FoundCopy{Key: c.Key, Err: c.Err}
		if c.Err == nil && needsMaterials(k, c.Key, now) {
			found.Materials, found.Err = c.Materials(ctx, c.Key)
		}
		f.Copies = append(f.Copies, found)
	}
	return f
}

func (s *spot) importer() *importer.Importer {
	im := &importer.Importer{KMS: s.KMS, Now: s.Now}
	if s.Regions != nil {
		im.Regions = func(region string) (importer.KMS, error) { return s.Regions(region) }
	}
	return im
}

// note counts calls that KMS did not answer for reasons that other keys share.
func (s *spot) note(err error) {
	if err == nil || !sharedTrouble(err) {
		s.silent.Store(0)
		return
	}
	s.last.Store(silence{err})
	s.silent.Add(1)
}

// sharedTrouble tells errors of the connection and of the credentials, which
// meet every key of a place, from what KMS says of one key.
func sharedTrouble(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		_, own := errors.AsType[*importer.CallError](err)
		return own
	}
	switch api.ErrorCode() {
	case "UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException", "InvalidClientTokenId", "MissingAuthenticationToken",
		"IncompleteSignature", "OptInRequired", "SignatureDoesNotMatch", "ExpiredToken":
		return true
	}
	return false
}

// inParallel calls do for 0 to n-1, some at a time, and waits.
func inParallel(n, atOnce int, do func(int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(n, atOnce) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	group.Wait()
}
