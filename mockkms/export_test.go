// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"maps"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
)

// OpenImpatiently is OpenStore with less time for other processes.
func OpenImpatiently(path string, patience time.Duration) (Store, error) {
	s := &boltStore{file: newSharedFile(path)}
	s.file.patience = patience
	if err := s.View(func(Tx) error { return nil }); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// SetFormatVersion pretends that another program wrote a store.
func SetFormatVersion(path, version string) error {
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Update(func(tx *bolt.Tx) error { return tx.Bucket(metaBucket).Put(formatKey, []byte(version)) })
}

// NewForeignFile makes a bbolt file that is none of ours.
func NewForeignFile(path string) error {
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		return err
	}
	return db.Close()
}

// OperationNames lists the table of operations.

// HasQuota reports whether requests of an operation are counted.
func HasQuota(operation string) bool {
	return requestQuotas[operation] > 0 || slices.Contains(cryptographic, operation) || strings.HasPrefix(operation, "GenerateDataKeyPair")
}

// ConditionKeys lists the condition keys that the mock answers for.
func ConditionKeys() []string {
	return slices.Sorted(maps.Keys(conditionKeys))
}

// Members splits a valid JSON object.
func Members(object []byte) map[string][]byte { return split(object).members() }
