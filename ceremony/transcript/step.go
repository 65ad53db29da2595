// SPDX-License-Identifier: Apache-2.0

package transcript

import (
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/material"
)

// The events of the offline machine. IDs of escrows are in text, 32 hexadecimal
// digits; shares count from 1; copies and targets go by their IDs in the plan.

// Generated says that there is material, in memory alone, or in a token.
type Generated struct {
	KeySpec     material.Spec `json:"key_spec"`
	Source      plan.Source   `json:"source"`
	Fingerprint string        `json:"fingerprint"`
	Token       TokenKey      `json:"token,omitzero"` // for plan.FromPKCS11
}

// Escrowed says that the material was sealed into an escrow.
type Escrowed struct {
	Escrow      string `json:"escrow"`
	Fingerprint string `json:"fingerprint"`
	File        File   `json:"file"`
}

// Copied says that the escrow was written to a medium, read back and opened.
type Copied struct {
	Escrow string `json:"escrow"`
	Copy   string `json:"copy"`
	SHA256 Digest `json:"sha256"` // of what was read back
}

// Issued says that a custodian got a share, or that it was put into a bag for
// one who is absent.
type Issued struct {
	Escrow string `json:"escrow"`
	Share  int    `json:"share"`
	Bag    string `json:"bag"` // serial number, "" for no bag
}

// ReadBack says that a share was entered from what the custodian keeps, and is
// right.
type ReadBack struct {
	Escrow string `json:"escrow"`
	Share  int    `json:"share"`
	Bag    string `json:"bag"` // that it is in from now on, "" for no bag
}

// Sealed says that the material is recoverable from what people keep.
type Sealed struct {
	Escrow string `json:"escrow"`
	SHA256 Digest `json:"sha256"` // of the escrow
	Record File   `json:"record"` // the seal record
}

// Recovered says that a quorum opened the escrow: the material is in memory
// again.
type Recovered struct {
	Escrow      string `json:"escrow"`
	Shares      []int  `json:"shares"`
	Fingerprint string `json:"fingerprint"`
}

// Bundled says that what was fetched has come, signed and by the plan.
type Bundled struct {
	File    File     `json:"file"`
	Targets []string `json:"targets"`
	ValidTo string   `json:"valid_to"` // the earliest deadline of its import tokens, RFC 3339 in UTC
}

// Wrapped says that the material was wrapped for targets of a bundle.
type Wrapped struct {
	Bundle  Digest   `json:"bundle"`
	Escrow  string   `json:"escrow"` // that the material is recoverable from, or the key in the token
	Package File     `json:"package"`
	Targets []string `json:"targets"`
}

// Destroyed says that nothing of material and key is left in memory.
type Destroyed struct{}

// Voided says that an escrow with its shares, or the material itself, will not
// be used.
type Voided struct {
	Escrow   string `json:"escrow"` // "" for none
	Material bool   `json:"material"`
	Reason   string `json:"reason"`
}

// Interrupted says that the machine lost what it had in memory.
type Interrupted struct {
	Reason string `json:"reason"`
}

// Retired says that an escrow and its shares were replaced by another.
type Retired struct {
	Escrow string `json:"escrow"`
	By     string `json:"by"`
}

// Discarded says that a share or a copy of an escrow is gone: one that was brought
// back and destroyed, or of which somebody attests that nobody has it.
type Discarded struct {
	Escrow string   `json:"escrow"`
	Share  int      `json:"share"` // 0 for a copy
	Copy   string   `json:"copy"`  // "" for a share
	How    Disposal `json:"how"`
	Text   string   `json:"text"` // what was seen, or who attests what
	Bag    string   `json:"bag"`  // that it came back in, "" for no bag
}

// A Disposal is how something was discarded.
type Disposal string

// The disposals.
const (
	Returned  Disposal = "returned" // it was brought back, and destroyed before all who were there
	Elsewhere Disposal = "attested" // somebody attests that it was destroyed or lost elsewhere
)

// Attested says what people found out about a KMS key that the material was
// brought into.
type Attested struct {
	Target string   `json:"target"`
	State  KeyState `json:"state"`
	Text   string   `json:"text"` // what they confirmed
}

// A KeyState is what people found a KMS key to be: a KeyState of KMS (API
// reference, KeyMetadata), or that KMS knows no such key.
type KeyState string

// The states that say what became of the material.
const (
	KeyNotFound        KeyState = "NotFound"
	KeyPendingDeletion KeyState = "PendingDeletion"
	KeyPendingImport   KeyState = "PendingImport"
	KeyDisabled        KeyState = "Disabled"
	KeyEnabled         KeyState = "Enabled"
)

// Known says whether s is one of the states.
func (s KeyState) Known() bool {
	return s == KeyNotFound || s == KeyPendingDeletion || s == KeyPendingImport || s.Keeps()
}

// Keeps says whether a key in this state holds its material, and nothing ends that.
func (s KeyState) Keeps() bool { return s == KeyDisabled || s == KeyEnabled }

func (Generated) event() string   { return "generate" }
func (Escrowed) event() string    { return "escrow" }
func (Copied) event() string      { return "copy" }
func (Issued) event() string      { return "issue" }
func (ReadBack) event() string    { return "readback" }
func (Sealed) event() string      { return "seal" }
func (Recovered) event() string   { return "recover" }
func (Bundled) event() string     { return "bundle" }
func (Wrapped) event() string     { return "wrap" }
func (Destroyed) event() string   { return "destroy" }
func (Voided) event() string      { return "void" }
func (Interrupted) event() string { return "interrupt" }
func (Retired) event() string     { return "retire" }
func (Discarded) event() string   { return "discard" }
func (Attested) event() string    { return "attest" }
