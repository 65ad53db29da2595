// SPDX-License-Identifier: Apache-2.0

package report

import (
	"slices"
	"strings"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// inToken is what keeps the material where that is a token: in place of escrow and
// shares.
func inToken(e *Evidence) section {
	s := section{ID: "shares", Title: "Token and backups"}
	s.say("The material was made in a token, and is kept there: there is no escrow, and there are no shares. What follows is what the token says of itself.")
	s.show(e.tokenKeys(), "The records tell of no key in a token.")
	s.show(e.unlocked(), "")
	t := e.Plan.Token
	holders := table{Caption: "Who can log in to the token, by the plan", Columns: []string{"Token", "Kept at", "Type a part of the PIN each"}}
	holders.add(id(t.Label), id(t.Site), plain(list(e.calledAll(t.PIN))))
	s.show(holders, "")
	backups := table{Caption: "Backups of the token: no program has seen one of them, and people attest them", Columns: []string{"Backup", "What", "Serial number", "Kept at", "By", "Attested"}}
	for _, b := range t.Backups {
		backups.add(id(b.ID), plain(b.Label), id(b.Serial), id(b.Site), plain(e.called(b.Holder)), e.backedUp(b.ID))
	}
	s.show(backups, "The plan has no backup of the token: "+t.WithoutBackup+".")
	s.Blocks = append(s.Blocks, block{Facts: []fact{{"Backups confirmed", e.passing(plan.GateSealed)}}})
	return s
}

// tokenKeys are the keys that were made in a token, with what it says of them.
func (e *Evidence) tokenKeys() table {
	t := table{Caption: "Keys that were made in the token", Columns: []string{"Key (CKA_ID)", "Label", "Fingerprint", "Token", "Attributes that it says are true", "State"}}
	for _, l := range e.lines() {
		made, ok := l.Event.(transcript.Generated)
		if !ok || made.Token.ID == "" {
			continue
		}
		k := made.Token
		t.add(id(k.ID), id(k.Label), id(made.Fingerprint), plain(k.Token.String()).from([]ref{l.ref}), plain(strings.Join(k.Attributes, ", ")), e.tokenKeyState(k.ID))
	}
	return t
}

func (e *Evidence) tokenKeyState(key string) cell {
	if e.State == nil {
		return unsure("not known")
	}
	i := slices.IndexFunc(e.State.Escrows(), func(x phase.Escrow) bool { return x.ID == key })
	if i < 0 {
		return unsure("not known")
	}
	switch e.State.Escrows()[i].Condition {
	case phase.Kept:
		return good("kept: the token brings the material back")
	case phase.Dead:
		return unsure("void: the line that says so tells whether it was destroyed")
	}
	return unsure("its backups are not all attested")
}

// unlocked says when people logged in to the token again.
func (e *Evidence) unlocked() table {
	t := table{Caption: "When the key was found in the token again", Columns: []string{"Key (CKA_ID)", "Token", "Fingerprint"}}
	for _, l := range e.lines() {
		if found, ok := l.Event.(transcript.Unlocked); ok {
			t.add(id(found.Key), plain(found.Token.String()).from([]ref{l.ref}), id(found.Fingerprint))
		}
	}
	return t
}

// backedUp says whether people attest a backup of the key that is kept.
func (e *Evidence) backedUp(backup string) cell {
	if e.State != nil {
		if kept, ok := e.State.Kept(); ok && slices.Contains(kept.Copies, backup) {
			return plain("attested").from(e.linesWith(func(entry transcript.Entry) bool {
				b, ok := entry.Event.(transcript.BackedUp)
				return ok && b.Key == kept.ID && b.Backup == backup
			}))
		}
	}
	return unsure("not in this record")
}

// tokenLimits is what no reader may take a key in a token for.
func tokenLimits(e *Evidence) []string {
	if !e.Plan.KeptInToken() {
		return nil
	}
	return []string{
		"That the token is what it says it is, and does what it says: maker, model, serial number and attributes are its own word, and so is where its random numbers come from.",
		"That the backups exist, or have the key in them: no program has seen them. People attest it.",
		"That the key was wrapped for nobody else: it can be wrapped, or it could not be brought into KMS, and whoever has the token and the whole PIN can wrap it under a key of their own.",
	}
}
