// SPDX-License-Identifier: Apache-2.0

// Package fleet brings many KMS keys, of several accounts and Regions, into
// the state that one manifest asks for. It looks at the world and makes a Plan,
// a value that people can review and keep; and it carries a plan out, paced to
// the quotas, with a journal that lets it be stopped anywhere and run again.
package fleet

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// Plan is what would be done to bring the keys of a manifest into the state it
// asks for, and why. Times are UTC.
type Plan struct {
	ID       string    // 32 hex digits, random; names the plan in journals
	Made     time.Time // at KMS, when the world was looked at
	Manifest Source
	Shard    Shard // the zero value: all of the manifest
	Places   []Place
	Changes  []Change // in the manifest's order
}

// Source is the manifest that a plan was made from.
type Source struct {
	Name   string // the manifest's own name for the fleet
	SHA256 string // of its bytes, lower-case hex
}

// Place is an account and Region, and the AWS settings that reach it.
type Place struct {
	Name    string // the manifest's name for it, unique
	Profile string // of the shared AWS configuration; empty for the default
	Role    string // ARN of the role to assume; empty for none
	Region  string // such as "eu-central-1"
	Account string // 12 digits, as far as the keys' ARNs tell; places of one account and Region share its quotas
}

// Change is what becomes of one key of the manifest, with all its copies.
type Change struct {
	Name   string // of the key in the manifest, unique
	Place  string // name of the Place of the key, or of its primary
	Action Action
	Why    string // for people: what is found, and what is asked for
	Seen   []Seen // every copy as the plan found it, the primary first; empty for a key to be made
	Steps  []Step // in the order in which they are taken; none for Nothing and Cannot
}

// Action sums up a change.
type Action string

// The actions. A change takes the name of the greatest of its steps: what makes a
// key is told before what renews its material.
const (
	Create   Action = "create"   // the key is made, and its material imported
	Import   Action = "import"   // a key that never had material gets it
	Reimport Action = "reimport" // material that is missing comes back
	Renew    Action = "renew"    // material that is there gets another expiry
	Rotate   Action = "rotate"   // other material is imported, and the key rotated to it
	Delete   Action = "delete"   // the material is deleted
	Nothing  Action = "nothing"  // all is as asked
	Cannot   Action = "cannot"   // Why says why
)

// Seen is a copy of a key as it was when the plan was made. Apply refuses to
// touch one that has changed since by another hand.
type Seen struct {
	KeyARN     string
	State      types.KeyState
	MaterialID string          // current one; symmetric keys only
	Expiry     importer.Expiry // of the current material; zero when there is none
}

// Step is one thing to do to one copy of a key.
type Step struct {
	Do     Do
	Region string
	KeyARN string // empty until a create or replicate step of the same change has made the key

	Create importer.CreateRequest // for DoCreate

	// For DoImport, DoRotate.
	Spec       material.Spec
	Escrow     Escrow
	Wrapping   wrap.Pair
	Expiry     importer.Expiry
	MaterialID string // KeyMaterialId that the bytes have to make; empty for any. DoDelete: the one to delete
}

// Do is a kind of step.
type Do string

// The kinds of steps, each one method of [importer.Importer].
const (
	DoCreate    Do = "create"    // Create
	DoReplicate Do = "replicate" // Replicate, into Region
	DoImport    Do = "import"    // Bring where the copy never had material, else Reimport
	DoRotate    Do = "rotate"    // Rotate, which sees to the replicas
	DoDelete    Do = "delete"    // DeleteMaterial
)

// Escrow names the file that holds the material of a step.
type Escrow struct {
	Path   string
	SHA256 string // of its ciphertext, lower-case hex, as the file's public header says
}

// Shard is one of Of equal parts of a manifest, counted from 1. Keys are dealt
// by name, so that each keeps its shard whatever becomes of the others.
type Shard struct{ Part, Of int }
