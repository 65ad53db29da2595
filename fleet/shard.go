// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// MaxShards is into how many parts a manifest may be cut.
const MaxShards = 10_000

// ParseShard reads "3/16"; "" is all of the manifest.
func ParseShard(s string) (Shard, error) {
	if s == "" {
		return Shard{}, nil
	}
	part, of, _ := strings.Cut(s, "/")
	shard := Shard{}
	var err error
	if shard.Part, err = strconv.Atoi(part); err == nil {
		shard.Of, err = strconv.Atoi(of)
	}
	if err != nil || shard.Of < 1 || shard.Of > MaxShards || shard.Part < 1 || shard.Part > shard.Of || shard.String() != s {
		return Shard{}, &ShardError{Text: s}
	}
	return shard, nil
}

// A ShardError says that a text names no shard.
type ShardError struct{ Text string }

func (e *ShardError) Error() string {
	return fmt.Sprintf("%q is no shard: the third of sixteen is 3/16, and there are %d at most", e.Text, MaxShards)
}

// String is such as "3/16"; "" for all of the manifest.
func (s Shard) String() string {
	if s.Of == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Part, s.Of)
}

// Has tells whether the key of this name belongs to the shard: 64-bit FNV-1a of
// the name, modulo the number of shards.
func (s Shard) Has(name string) bool {
	if s.Of == 0 {
		return true
	}
	h := fnv.New64a()
	h.Write([]byte(name))
	return h.Sum64()%uint64(s.Of) == uint64(s.Part-1)
}
