// SPDX-License-Identifier: Apache-2.0

package rehearsal

import (
	"errors"
	"fmt"
	"time"

	"github.com/keymat/keymat/ceremony/offline"
	"github.com/keymat/keymat/ceremony/online"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/material"
)

// tokenLife is how long an import token is valid (KMS guide, "Importing key
// material step 2").
const tokenLife = 24 * time.Hour

// expiredToken lets a token end on its way to the offline machine, and the next one
// on its way back.
func expiredToken(s *stage) *disturbance {
	const onTheWayIn, onTheWayOut = "the offline machine refused a token with too little time left", "the importer did not submit what was too late"
	d := &disturbance{}
	d.owe(onTheWayIn)
	d.owe(onTheWayOut)
	fetched, submitted := false, false
	d.after = func(t phase.Task) error {
		if t.Step == phase.Fetch && !fetched {
			fetched = true
			return s.world.wait(tokenLife - s.plan.Limits.TokenMinRemaining + time.Minute)
		}
		return nil
	}
	d.before = func(t phase.Task) error {
		if t.Step == phase.Submit && !submitted {
			submitted = true
			return s.world.wait(tokenLife)
		}
		return nil
	}
	d.failed = func(t phase.Task, err error) bool {
		_, late := errors.AsType[*offline.TokenError](err)
		_, over := errors.AsType[*offline.SessionError](err)
		refused, again := errors.AsType[*online.RefusedError](err)
		switch {
		case late:
			d.met(onTheWayIn)
			s.discard()
			return true
		case over:
			return true
		case again && refused.Remedy == transcript.WrapAgain:
			d.met(onTheWayOut)
			return true
		}
		return false
	}
	d.check = quorumOpened
	return d
}

// twoDay lets a night pass after the first session.
func twoDay(s *stage) *disturbance {
	d := &disturbance{check: quorumOpened}
	slept := false
	d.after = func(t phase.Task) error {
		if t.Step == phase.End && !slept {
			slept = true
			return s.world.wait(tokenLife)
		}
		return nil
	}
	return d
}

func quorumOpened(s *stage, _ *phase.State) []string {
	for _, e := range s.entries(s.latest()) {
		if _, ok := e.Event.(transcript.Recovered); ok {
			return nil
		}
	}
	return []string{"no quorum opened the escrow"}
}

// powerCut switches the machine off in the middle of each kind of step, and after
// it, once each. RSA material, which takes long to make, is spared the former.
func powerCut(s *stage) *disturbance {
	const happened = "the power was cut in the middle of steps, and between them"
	d := &disturbance{}
	d.owe(happened)
	cut := map[string]bool{}
	once := func(what string) error {
		if cut[what] {
			return nil
		}
		cut[what] = true
		if len(cut) > 10 {
			d.met(happened)
		}
		return errPower
	}
	d.power = func(at transcript.Machine, t phase.Task, question string) error {
		if s.plan.Material.Spec.Kind() == material.RSA {
			return nil
		}
		return once(fmt.Sprint("in ", at, t.Step, t.Gate))
	}
	d.after = func(t phase.Task) error { return once(fmt.Sprint("after ", t.Machine, t.Step, t.Gate)) }
	return d
}
