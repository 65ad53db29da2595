// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/keymat/keymat/ceremony/console"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/offline"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/entry"
)

// explainRun covers what goes wrong on the day, between people and media.
func explainRun(program string, err error) (cli.Advice, bool) {
	if _, ok := errors.AsType[*console.RefusedError](err); ok {
		return cli.Hint("find out what is not as it should be, and write it on the sheet for exceptions; the gate can be tried again"), true
	}
	if _, ok := errors.AsType[*console.KeylessError](err); ok {
		return cli.Hint("whoever signs has a key in the plan; a plan is changed, and signed anew, before the ceremony only"), true
	}
	if errors.Is(err, entry.ErrBrokenOff) {
		return cli.Hint("try again, from the first word or digit"), true
	}
	if advice, ok := explainPeople(err); ok {
		return advice, true
	}
	if advice, ok := explainMedia(program, err); ok {
		return advice, true
	}
	if _, ok := errors.AsType[*offline.TokenError](err); ok {
		return cli.Hint("the material is safe in its escrow: have a new token fetched, and take in that bundle instead"), true
	}
	if _, ok := errors.AsType[*offline.SessionError](err); ok {
		return cli.Hint("end the session; in another one a quorum opens the escrow, and the ceremony goes on"), true
	}
	if _, ok := errors.AsType[*offline.FaultyPlanError](err); ok {
		return cli.Hint("%s ceremony plan lint says what is wrong with the plan", program), true
	}
	if _, ok := errors.AsType[*offline.SourceError](err); ok {
		return cli.Hint("this program reaches no token: hold the ceremony with keymat-hsm ceremony run, which takes the library of the token's maker"), true
	}
	if _, ok := errors.AsType[*offline.WrappingKeyError](err); ok {
		return cli.Hint("wrap nothing for it: somebody may have exchanged it on the way; have another bundle fetched, on another machine"), true
	}
	if _, ok := errors.AsType[*phase.IncidentError](err); ok {
		return cli.Hint("nothing may be tried again: keep all three machines and all media as they are, and have the incident looked into"), true
	}
	return cli.Advice{}, false
}

// explainPeople covers those who are not there, or must not do something.
func explainPeople(err error) (cli.Advice, bool) {
	if e, ok := errors.AsType[*offline.AbsentError](err); ok {
		return cli.Hint("do something else first, and wait for %s", e.Person), true
	}
	if e, ok := errors.AsType[*offline.SignatureError](err); ok {
		return cli.Advice{Hints: signing(e), Exit: cli.ExitFailed}, true
	}
	if _, ok := errors.AsType[*phase.PeopleError](err); ok {
		return cli.Hint("name all who are here when you are asked; nobody stands in for two"), true
	}
	if _, ok := errors.AsType[*offline.MisreadError](err); ok {
		return cli.Hint("have the custodian write the share down once more, letter by letter; three wrong words are always found, more than that nearly always"), true
	}
	if _, ok := errors.AsType[*offline.OtherShareError](err); ok {
		return cli.Hint("look at the number on the card: each custodian enters their own share"), true
	}
	return cli.Advice{}, false
}

// signing says how each missing signature is made.
func signing(e *offline.SignatureError) (hints []string) {
	for _, a := range e.Approvals {
		if a.Required && a.Problem != "" {
			hints = append(hints, a.Person+" signs with: ssh-keygen -Y sign -f KEY -n "+namespaceOf(e.Name)+" "+e.Name+", and renames the signature to "+e.Name+"."+a.Person+".sig")
		}
	}
	return hints
}

// namespaceOf is the namespace in which a file of a ceremony is signed, by its name.
func namespaceOf(name string) string {
	for _, kind := range []struct{ begins, namespace string }{
		{"bundle-", gap.NamespaceBundle}, {"package-", gap.NamespacePackage}, {"seal-", gap.NamespaceSeal}, {"plan", plan.Namespace},
	} {
		if strings.HasPrefix(filepath.Base(name), kind.begins) {
			return kind.namespace
		}
	}
	return transcript.Namespace
}

// explainMedia covers media that hold something else than they should.
func explainMedia(program string, err error) (cli.Advice, bool) {
	if _, ok := errors.AsType[*gap.MediumError](err); ok {
		return cli.Hint("take another medium, empty, and have it written again where it comes from: nothing of this one is used"), true
	}
	if _, ok := errors.AsType[*gap.HeardError](err); ok {
		return cli.Hint("have all 32 words read aloud again; if they still differ, this is not what was fetched: refuse it"), true
	}
	if _, ok := errors.AsType[*gap.RehearsalError](err); ok {
		return cli.Hint("keep the media of rehearsals apart, and destroy them"), true
	}
	if _, ok := errors.AsType[*gap.OtherPlanError](err); ok {
		return cli.Hint("compare the digests of both plans: %s ceremony plan verify", program), true
	}
	if _, ok := errors.AsType[*gap.AlteredError](err); ok {
		return cli.Hint("keep the medium: somebody may have changed it on the way, which is an exception to record"), true
	}
	if _, ok := errors.AsType[*offline.OldMediumError](err); ok {
		return cli.Hint("put in a new medium: that one is destroyed with the old escrow"), true
	}
	if _, ok := errors.AsType[*offline.SameMediumError](err); ok {
		return cli.Hint("each copy goes on a medium of its own"), true
	}
	if _, ok := errors.AsType[*offline.BundlesError](err); ok {
		return cli.Hint("the fetchers put one new bundle on the medium: have them do so"), true
	}
	if _, ok := errors.AsType[*offline.MissingError](err); ok {
		return cli.Hint("have the medium written again where it comes from, or put in the right one"), true
	}
	return cli.Advice{}, false
}
