// SPDX-License-Identifier: Apache-2.0

// Package manifest reads the file in which people say which KMS keys they want,
// with which imported material and for how long.
//
// A manifest is YAML, read strictly: an unknown, repeated or misplaced key is an
// error that says where and what. No secret belongs in one: it names escrows,
// which are encrypted, by their paths. The package does no input or output.
package manifest

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// Kind is the "kind" of a manifest.
const Kind = "keymat/fleet"

// Version is the version of the format that is read.
const Version = 1

// MaxSize is the largest manifest in bytes that [Read] takes: some 300,000 keys.
const MaxSize = 64 << 20

// A Manifest says what is wanted. The defaults are merged into the keys.
type Manifest struct {
	Name   string
	Places []Place
	Keys   []Key // in the order of the file
}

// A Place is an account and Region, and the AWS settings that reach it.
type Place struct {
	Name    string
	Profile string // of the shared AWS configuration; empty for the default
	Role    string // ARN of the role to assume; empty for none
	Region  string
}

// A Key is what is wanted of one KMS key and all its copies.
type Key struct {
	Line int // in the file, from 1

	Name  string
	Place string // name of the Place of the key, or of its primary
	Ref   string // alias name, alias ARN, key ID or key ARN
	Want  Want

	// For Imported.
	Escrow  string   // path of the material's; of the one before the rotation where Rotate asks for one
	Older   []string // paths of those of materials before that, the oldest first
	Expires Lifetime
	Rotate  *Rotation // nil for none

	// For keys that are made. Where a key exists, Spec and Usage have to be its own.
	Spec        material.Spec      // empty: that of the escrow
	Usage       types.KeyUsageType // empty: the usual one of the spec
	MultiRegion bool
	Replicas    []string // Regions
	Description string
	Tags        map[string]string // shared between keys: not to be written to

	Wrapping wrap.Pair // either half may be left open
}

// Want is the state a key's material shall be in.
type Want string

// The states.
const (
	Imported Want = "imported"
	Deleted  Want = "deleted"
)

// Lifetime says when material shall expire. One of Never, At and Span is set.
type Lifetime struct {
	Never bool
	At    time.Time // UTC
	Span  time.Duration

	// RenewBelow: with a Span, the material is imported again for another one once
	// less than this is left.
	RenewBelow time.Duration
}

// Rotation asks for a key to be rotated to other material.
type Rotation struct {
	On     time.Time // UTC; done by any rotation that completed then or later
	Escrow string    // path of the new material's
}

// usualRenewal is which part of a span is left when it is renewed, unless the
// manifest says otherwise: 30 days of 365.
const usualRenewal = 12
