// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
)

// A Call is a KMS operation in a Region. Operations are spelt as KMS spells
// them, except that a replica counts as two CreateKey where it comes to be, as
// its quota has it (Developer Guide, Request quotas).
type Call struct{ Region, Operation string }

// Calls are those a change makes when nothing goes wrong, at least: while KMS is
// slow to show what it did, more of those that look are made. region is that of
// the change's place.
func (c Change) Calls(region string) map[Call]int {
	calls := make(map[Call]int)
	for _, s := range c.Steps {
		s.count(calls, region, c.replicas())
	}
	return calls
}

// replicas are the Regions where the key has one, or will.
func (c Change) replicas() (regions []string) {
	for i, seen := range c.Seen {
		if i > 0 {
			regions = append(regions, importer.RegionOf(seen.KeyARN))
		}
	}
	for _, s := range c.Steps {
		if s.Do == DoReplicate {
			regions = append(regions, s.Region)
		}
	}
	return regions
}

// count adds the calls of a step. A test compares them with what arrives.
func (s Step) count(calls map[Call]int, primary string, replicas []string) {
	add := func(region string, n int, operations ...string) {
		for _, o := range operations {
			calls[Call{region, o}] += n
		}
	}
	switch s.Do {
	case DoCreate:
		add(s.Region, 1, "DescribeKey", "CreateKey")
		if s.Create.Alias != "" {
			add(s.Region, 1, "CreateAlias")
		}
	case DoImport:
		add(s.Region, 2, "DescribeKey")
		add(s.Region, 1, "GetParametersForImport", "ImportKeyMaterial")
		add(s.Region, 1, s.proof()...)
	case DoReplicate:
		add(primary, 1, "GetKeyPolicy", "ListResourceTags", "ReplicateKey")
		add(s.Region, 1, "DescribeKey")
		add(s.Region, 2, "CreateKey")
	case DoRotate:
		add(primary, 1, "RotateKeyOnDemand", "GetKeyRotationStatus")
		add(primary, 2, "Encrypt")
		for _, region := range append([]string{primary}, replicas...) {
			add(region, 1, "GetParametersForImport", "ImportKeyMaterial", "DescribeKey", "ListKeyRotations")
			add(region, 2, "Decrypt")
		}
	case DoDelete:
		add(s.Region, 1, "DeleteImportedKeyMaterial", "DescribeKey")
	}
}

// proof is the operation that shows that KMS has the very bytes, or which of
// several materials they are.
func (s Step) proof() []string {
	switch {
	case s.Spec.KeyPair():
		return []string{"GetPublicKey"}
	case s.Spec.Kind() == material.HMAC:
		return []string{"GenerateMac"}
	case s.MaterialID != "":
		return []string{"ListKeyRotations"}
	}
	return nil
}
