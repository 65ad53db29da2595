// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"crypto/sha256"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// A Plan is all that is decided before the day of a ceremony. [Read] makes it.
type Plan struct {
	ID        string    // names the ceremony in every file of it
	Title     string    // for people
	Date      time.Time // the day on which it begins, 00:00 UTC
	Rehearsal bool      // throw-away material: what comes of it must never be imported into AWS
	Purpose   Purpose   // [ForImport] where the file does not say
	Session   Session

	Material Material
	Targets  []Target // at least one to import; the first of a multi-Region key is its primary
	Escrow   Escrow   // zero for [FromPKCS11], as Shares are: see Token
	Shares   Shares
	Token    *Token // keeps the material, for [FromPKCS11] alone
	Sites    []Site
	People   []Person
	Gates    map[Gate][]string // IDs of those who confirm, for each of [Purpose.Gates]
	Limits   Limits
	Expected *Expected // what the material has to be, for [FromEscrow], and for [FromPKCS11] where an earlier ceremony made it

	data   []byte // as it was read: what is signed
	places map[string]Place
	terms  []Term
}

// Digest is the SHA-256 of the file, as sha256sum prints it in hexadecimal.
func (p *Plan) Digest() [sha256.Size]byte { return sha256.Sum256(p.data) }

// Person finds somebody by ID.
func (p *Plan) Person(id string) (Person, bool) {
	for _, person := range p.People {
		if person.ID == id {
			return person, true
		}
	}
	return Person{}, false
}

// A Session says whether the offline machine stays on, with the material in
// memory, until the import token has come.
type Session string

// The sessions. On the second of two days a quorum opens the escrow.
const (
	SameDay Session = "same-day"
	TwoDay  Session = "two-day"
)

// Material is what is brought into KMS.
type Material struct {
	Spec       material.Spec
	Usage      Usage
	Source     Source
	Dice       Dice
	Components []string // IDs of those who bring or draw a component each, for [FromComponents] alone
}

// A Usage is what the KMS key is for, spelt as KMS spells KeyUsage.
type Usage string

// The usages of importable keys.
const (
	EncryptDecrypt    Usage = "ENCRYPT_DECRYPT"
	SignVerify        Usage = "SIGN_VERIFY"
	GenerateVerifyMAC Usage = "GENERATE_VERIFY_MAC"
	KeyAgreement      Usage = "KEY_AGREEMENT"
)

// A Source is where the material comes from.
type Source string

// The sources.
const (
	FromDRBG       Source = "drbg"       // the generator of the offline machine
	FromComponents Source = "components" // the XOR of components, each known to one person
	FromPKCS11     Source = "pkcs11"     // a token that generates and wraps it
	FromEscrow     Source = "escrow"     // an escrow of an earlier ceremony, which a quorum opens
)

// Dice says whether throws of dice are mixed into what the generator gives.
type Dice string

// The policies.
const (
	NoDice       Dice = "none"
	OptionalDice Dice = "optional"
	RequiredDice Dice = "required"
)

// A Target is a KMS key, in one Region, that gets the material.
type Target struct {
	ID          string // names the target within the ceremony
	Partition   string // such as "aws"
	Account     string // 12 digits
	Region      string
	Key         string // ARN, or alias name
	ReplicaOf   string // ID of the target that is the primary of this multi-Region replica; "" otherwise
	Wrapping    wrap.Pair
	Import      ImportType
	ValidTo     time.Time // when KMS forgets the material, UTC; zero for never
	Description string    // of the material in KMS, at most 256 characters
}

// An ImportType says what ImportKeyMaterial is told about the material.
type ImportType string

// The import types, which KMS calls NEW_KEY_MATERIAL and EXISTING_KEY_MATERIAL.
const (
	ImportNew      ImportType = "new"
	ImportExisting ImportType = "existing"
)

// Escrow is the recoverable copy.
type Escrow struct {
	Profile escrow.Profile // one that shares open
	Scheme  escrow.Scheme
	Copies  []Copy
}

// A Copy is one medium with the escrow on it.
type Copy struct {
	ID     string
	Medium string // in words, with its serial number
	Site   string // ID of where it is kept
}

// Shares are what opens the escrow.
type Shares struct {
	Threshold int // how many it takes
	Count     int // how many there are
	Holders   []Holder
}

// A Holder keeps one share; whoever keeps two comes twice.
type Holder struct {
	Share     int    // from 1
	Custodian string // a person's ID
	Mode      Mode
	Site      string // ID of where the share is kept
}

// A Mode is how a custodian gets a share.
type Mode string

// The modes.
const (
	OnForm  Mode = "form"  // copied by hand from the screen to a blank form
	Printed Mode = "print" // printed on a local printer
	InFile  Mode = "file"  // a file encrypted to the custodian's key
)

// A Site is a place where copies and shares are kept.
type Site struct {
	ID    string
	Name  string
	Needs []string // what it takes to get at what is kept there: IDs of sites, or [TheKey]
}

// TheKey in [Site.Needs] stands for the material itself: the site cannot be
// opened without the KMS key that holds it.
const TheKey = "key"

// A Person takes part.
type Person struct {
	ID        string
	Name      string
	Roles     []Role
	Key       ssh.PublicKey // signs; nil for who signs nothing
	ReportsTo string        // ID of a person, or a name of somebody who takes no part; "" if nobody
	Site      string        // ID of where the person works; "" if nowhere in particular
}

// Has reports whether a person has a role.
func (p Person) Has(r Role) bool {
	for _, role := range p.Roles {
		if role == r {
			return true
		}
	}
	return false
}

// A Role is what somebody does in a ceremony.
type Role string

// The roles.
const (
	Lead      Role = "lead"           // decides on exceptions
	Operator  Role = "operator"       // works the offline machine, never alone
	Witness   Role = "witness"        // keeps the printed script, the clock and the log of exceptions
	Custodian Role = "custodian"      // keeps a share
	Fetcher   Role = "fetcher"        // fetches the wrapping key and import token
	Importer  Role = "importer"       // submits the wrapped package
	Bags      Role = "bag-controller" // keeps the list of tamper-evident bags
	Auditor   Role = "auditor"        // looks on, from outside
)

// Roles returns all roles.
func Roles() []Role {
	return []Role{Lead, Operator, Witness, Custodian, Fetcher, Importer, Bags, Auditor}
}

// A Gate is a point that a ceremony passes only when people have confirmed.
type Gate string

// The gates, in the order in which they come.
const (
	GatePlan     Gate = "plan"     // the plan is approved: these people sign it
	GateOpen     Gate = "open"     // everybody is there, and the machine is what it should be
	GateIdentity Gate = "identity" // the fingerprint of the material was read aloud
	GateSealed   Gate = "sealed"   // every share was read back, every copy opened
	GateBundle   Gate = "bundle"   // the digest of what was fetched was compared aloud
	GateClose    Gate = "close"    // the material is destroyed; the record's digest was read aloud
	GateImport   Gate = "import"   // the digest of the package is the one that was read out offline
)

// Gates returns all gates, in the order in which they come.
func Gates() []Gate {
	return []Gate{GatePlan, GateOpen, GateIdentity, GateSealed, GateBundle, GateClose, GateImport}
}

// Limits bound what takes time. The first two are 0 where a plan does without: one that is not [ForImport].
type Limits struct {
	TokenMinRemaining time.Duration // of the import token when the material is wrapped
	ImportMargin      time.Duration // by which the import comes before the token's deadline
	MaxSession        time.Duration // of the offline machine, from opening to power-off
}

// Expected is what an earlier ceremony has recorded of the material.
type Expected struct {
	Escrow      escrow.ID // or the ID of the key in the token
	Fingerprint string    // as in the header of the escrow
	MaterialID  string    // 64 hexadecimal digits, KMS's KeyMaterialId; "" where KMS has given none

	// The shares that open it, where they are not [Plan.Shares]: for [ForRefresh]. See [Plan.Opening].
	Threshold int
	Holders   []Holder
}
