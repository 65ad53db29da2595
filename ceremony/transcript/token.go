// SPDX-License-Identifier: Apache-2.0

package transcript

import (
	"fmt"
	"strings"
)

// The events of a ceremony whose material is in a token: it is never in memory, and
// there is no escrow. Keys in the token go by their CKA_ID, 32 hexadecimal digits.

// A Token is what a PKCS #11 token says of itself (CK_TOKEN_INFO).
type Token struct {
	Label    string `json:"label"`
	Maker    string `json:"maker"`
	Model    string `json:"model"`
	Serial   string `json:"serial"`
	Firmware string `json:"firmware"`
	Hardware string `json:"hardware"`
	SoftHSM  bool   `json:"softhsm"` // it is a program that keeps its keys in files
}

// String is such as "ceremony (SoftHSM 2.6, a program, serial number 1234)".
func (t Token) String() string {
	if t.SoftHSM {
		return fmt.Sprintf("%s (SoftHSM %s, a program, serial number %s)", t.Label, t.Firmware, t.Serial)
	}
	return fmt.Sprintf("%s (%s %s, firmware %s, serial number %s)", t.Label, t.Maker, t.Model, t.Firmware, t.Serial)
}

// A TokenKey is a key in a token, as the token says.
type TokenKey struct {
	ID         string   `json:"id"`         // CKA_ID
	Label      string   `json:"label"`      // CKA_LABEL
	Attributes []string `json:"attributes"` // those that are true, such as "CKA_SENSITIVE"
	Token      Token    `json:"token"`
}

// Unlocked says that people logged in to the token, and that the key was found in
// it, with this fingerprint.
type Unlocked struct {
	Key         string `json:"key"`
	Fingerprint string `json:"fingerprint"`
	Token       Token  `json:"token"`
}

// Locked says that nobody is logged in to the token any more.
type Locked struct {
	Reason string `json:"reason"` // why that was not the people's doing, "" where it was
}

// BackedUp says that people attest a backup of the token, with the key in it. This
// program has not seen it.
type BackedUp struct {
	Key    string `json:"key"`
	Backup string `json:"backup"` // its ID in the plan
	Serial string `json:"serial"`
	Text   string `json:"text"` // what they attest
}

// Entrusted says that the material is recoverable from the token, and from the
// backups that people attest.
type Entrusted struct {
	Key     string   `json:"key"`
	Backups []string `json:"backups"` // their IDs in the plan
}

func (Unlocked) event() string  { return "unlock" }
func (Locked) event() string    { return "lock" }
func (BackedUp) event() string  { return "backup" }
func (Entrusted) event() string { return "entrust" }

// tellToken is Tell for the token that keeps the material.
func tellToken(event Event) (t Told) {
	switch e := event.(type) {
	case Unlocked:
		t = Told{Name: "unlocked", Text: fmt.Sprintf("the token %s, in which the key %s has the fingerprint %s", e.Token, e.Key, e.Fingerprint)}
	case Locked:
		t = Told{Name: "locked", Text: "nobody is logged in to the token any more"}
		if e.Reason != "" {
			t.Text, t.Exceptional = t.Text+": "+e.Reason, true
		}
	case BackedUp:
		t = Told{Name: "backup attested", Text: fmt.Sprintf("%s of the key %s, in the token with the serial number %s, which this program has not seen: %s", e.Backup, e.Key, e.Serial, e.Text)}
	case Entrusted:
		t = Told{Name: "sealed", Text: fmt.Sprintf("the material is the key %s of the token; attested backups: %s", e.Key, none(e.Backups))}
	}
	return t
}

// none is a list, or the word for an empty one.
func none(ids []string) string {
	if len(ids) == 0 {
		return "none"
	}
	return strings.Join(ids, ", ")
}
