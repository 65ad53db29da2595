// SPDX-License-Identifier: Apache-2.0

package phase_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/material"
)

const (
	primaryARN = "arn:aws:kms:eu-central-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"
	replicaARN = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"

	first, second, third = "11111111111111111111111111111111", "22222222222222222222222222222222", "33333333333333333333333333333333"
	fingerprint          = "cmac:0a1b2c3d4e"
)

// agreed is a plan of 2 of 3 shares and a multi-Region key with one replica.
func agreed(t *testing.T, oldAndNew ...string) *plan.Plan {
	t.Helper()
	drafted, err := plan.Draft(plan.Sketch{
		File: "plan.yaml", ID: "payments-2026", Title: "Payments: the root key", Date: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
		Spec: material.SymmetricDefault, Threshold: 2, Count: 3, Keys: []string{primaryARN, replicaARN},
	})
	if err != nil {
		t.Fatal(err)
	}
	key := ssh.MarshalAuthorizedKey(signerOf(t, "anybody").PublicKey())
	text := strings.ReplaceAll(string(drafted), "    # key: ssh-ed25519 AAAA…\n", "    key: "+string(key))
	return altered(t, text, oldAndNew)
}

// altered is a plan with some words in the place of others.
func altered(t *testing.T, text string, oldAndNew []string) *plan.Plan {
	t.Helper()
	for i := 0; i < len(oldAndNew); i += 2 {
		if !strings.Contains(text, oldAndNew[i]) {
			t.Fatalf("the plan has no %q", oldAndNew[i])
		}
		text = strings.Replace(text, oldAndNew[i], oldAndNew[i+1], 1)
	}
	p, err := plan.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func signerOf(t *testing.T, id string) ssh.Signer {
	t.Helper()
	seed := sha256.Sum256([]byte(id))
	signer, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// digest stands for the SHA-256 of something.
func digest(of string) transcript.Digest { return sha256.Sum256([]byte(of)) }

func file(name string) transcript.File {
	return transcript.File{Name: name, Size: 1, SHA256: digest(name)}
}

// A move is a line that people would add.
type move struct {
	event  transcript.Event
	actors []string
}

var (
	room   = []string{"operator-1", "witness"}
	office = []string{"importer", "witness"}
)

func by(actors []string, events ...transcript.Event) (moves []move) {
	for _, e := range events {
		moves = append(moves, move{e, actors})
	}
	return moves
}

func opens(p *plan.Plan, number int, m transcript.Machine) move {
	o := transcript.Opened{Ceremony: p.ID, PlanSHA256: p.Digest(), Rehearsal: p.Rehearsal}
	if number > 0 {
		o.Part = transcript.Part{Number: number, Machine: m}
	}
	return move{o, []string{"lead"}}
}

func passes(p *plan.Plan, g plan.Gate) move {
	return move{transcript.Confirmed{Gate: g, Text: "seen"}, p.Gates[g]}
}

func custodian(n int) string { return fmt.Sprintf("custodian-%d", n) }

// deals goes from an escrow to the seal on it.
func deals(p *plan.Plan, id string) []move {
	moves := by(room, transcript.Escrowed{Escrow: id, Fingerprint: fingerprint, File: file(id)},
		transcript.Copied{Escrow: id, Copy: "copy-1", SHA256: digest(id)}, transcript.Copied{Escrow: id, Copy: "copy-2", SHA256: digest(id)})
	for n := 1; n <= 3; n++ {
		moves = append(moves, by([]string{"operator-1", custodian(n)},
			transcript.Issued{Escrow: id, Share: n}, transcript.ReadBack{Escrow: id, Share: n, Bag: fmt.Sprint("B", n)})...)
	}
	moves = append(moves, passes(p, plan.GateSealed))
	return append(moves, by(room, transcript.Sealed{Escrow: id, SHA256: digest(id), Record: file("seal")})...)
}

func makes(p *plan.Plan) []move {
	moves := []move{opens(p, 0, ""), passes(p, plan.GateOpen)}
	moves = append(moves, by(room, transcript.Generated{KeySpec: material.SymmetricDefault, Source: plan.FromDRBG, Fingerprint: fingerprint})...)
	return append(append(moves, passes(p, plan.GateIdentity)), deals(p, first)...)
}

// fetched goes from a bundle up to the gate before it is used.
func fetched(p *plan.Plan, name string, targets ...string) []move {
	return append(by(room, transcript.Bundled{File: file(name), Targets: targets, ValidTo: "2026-12-02T09:00:00Z"}), passes(p, plan.GateBundle))
}

func wraps(bundle, name string, targets ...string) []move {
	return by(room, transcript.Wrapped{Bundle: digest(bundle), Escrow: first, Package: file(name), Targets: targets})
}

func leaves(p *plan.Plan) []move {
	return append(append(by(room, transcript.Destroyed{}), passes(p, plan.GateClose)), move{transcript.Closed{}, room})
}

func submits(target, of string) []move {
	return by(office, transcript.Submitted{Target: target, Package: digest(of), Wrapped: digest(of + target)})
}

func imports(target, of string) []move {
	return append(submits(target, of), by(office, transcript.Imported{Target: target, MaterialID: "id"}, transcript.Verified{Target: target, Method: "encrypt and decrypt"})...)
}

// sameDay is a ceremony in which nothing goes wrong.
func sameDay(p *plan.Plan) []move {
	a, b := p.Targets[0].ID, p.Targets[1].ID
	moves := append(makes(p), fetched(p, "bundle", a, b)...)
	moves = append(append(moves, wraps("bundle", "package", a, b)...), leaves(p)...)
	moves = append(moves, opens(p, 1, transcript.ImportMachine), passes(p, plan.GateImport))
	moves = append(append(moves, imports(a, "package")...), imports(b, "package")...)
	return append(moves, move{transcript.Closed{}, office})
}

// recovers opens an escrow with two shares.
func recovers(id string) move {
	return move{transcript.Recovered{Escrow: id, Shares: []int{1, 3}, Fingerprint: fingerprint}, []string{"operator-1", custodian(1), custodian(3)}}
}

// twoDay is one whose import tokens come on another day.
func twoDay(p *plan.Plan) []move {
	a, b := p.Targets[0].ID, p.Targets[1].ID
	moves := append(makes(p), leaves(p)...)
	moves = append(moves, opens(p, 1, transcript.OfflineMachine), passes(p, plan.GateOpen))
	moves = append(append(moves, fetched(p, "bundle", a, b)...), recovers(first))
	moves = append(append(moves, wraps("bundle", "package", a, b)...), leaves(p)...)
	moves = append(moves, opens(p, 2, transcript.ImportMachine), passes(p, plan.GateImport))
	moves = append(append(moves, imports(a, "package")...), imports(b, "package")...)
	return append(moves, move{transcript.Closed{}, office})
}

// replicaLater is one of a new multi-Region key, of which KMS makes replicas once
// the primary has its material.
func replicaLater(p *plan.Plan) []move {
	a, b := p.Targets[0].ID, p.Targets[1].ID
	moves := append(makes(p), fetched(p, "bundle", a)...)
	moves = append(append(moves, wraps("bundle", "package", a)...), leaves(p)...)
	moves = append(moves, opens(p, 1, transcript.ImportMachine), passes(p, plan.GateImport))
	moves = append(append(moves, imports(a, "package")...), move{transcript.Closed{}, office})
	moves = append(moves, opens(p, 2, transcript.OfflineMachine), passes(p, plan.GateOpen))
	moves = append(append(moves, fetched(p, "later", b)...), recovers(first))
	moves = append(append(moves, wraps("later", "later package", b)...), leaves(p)...)
	moves = append(moves, opens(p, 3, transcript.ImportMachine), passes(p, plan.GateImport))
	return append(append(moves, imports(b, "later package")...), move{transcript.Closed{}, office})
}

// yearsLater is one whose material comes from an escrow.
func yearsLater(p *plan.Plan) []move {
	a, b := p.Targets[0].ID, p.Targets[1].ID
	moves := append([]move{opens(p, 0, ""), passes(p, plan.GateOpen)}, fetched(p, "bundle", a, b)...)
	moves = append(append(moves, recovers(first)), wraps("bundle", "package", a, b)...)
	moves = append(append(moves, leaves(p)...), opens(p, 1, transcript.ImportMachine), passes(p, plan.GateImport))
	moves = append(append(moves, imports(a, "package")...), imports(b, "package")...)
	return append(moves, move{transcript.Closed{}, office})
}

// after is the state once the moves were made.
func after(t *testing.T, p *plan.Plan, moves []move) *phase.State {
	t.Helper()
	s := phase.Start(p)
	for i, m := range moves {
		if err := s.Apply(m.event, m.actors); err != nil {
			t.Fatalf("move %d, %s: %v", i, transcript.Name(m.event), err)
		}
	}
	return s
}

// upTo are the moves up to the first of a name, with it.
func upTo(t *testing.T, moves []move, name string) []move {
	t.Helper()
	for i, m := range moves {
		if transcript.Name(m.event) == name {
			return moves[: i+1 : i+1]
		}
	}
	t.Fatalf("no move is a %s", name)
	return nil
}

// A medium is what a record is written to in tests.
type medium struct{ bytes.Buffer }

func (*medium) Sync() error { return nil }

// written puts moves into records, as a ceremony does.
func written(t *testing.T, moves []move) (records []*transcript.Transcript) {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC) }
	var m *medium
	var r *transcript.Recorder
	for _, move := range moves {
		var err error
		context := transcript.Context{Actors: move.actors}
		switch e := move.event.(type) {
		case transcript.Opened:
			if r != nil {
				e.Part.After = r.Head().SHA256
			}
			m = &medium{}
			r, err = transcript.Begin([]transcript.Medium{m}, now, e, context)
		case transcript.Closed:
			err = r.End(nil, context)
			records = append(records, transcript.Verify(m.Bytes()))
		default:
			err = r.Append(e, context)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, closed := moves[len(moves)-1].event.(transcript.Closed); !closed {
		records = append(records, transcript.Verify(m.Bytes()))
	}
	return records
}
