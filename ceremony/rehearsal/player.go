// SPDX-License-Identifier: Apache-2.0

package rehearsal

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/sshsig"
)

// players are the simulated people around one machine. They do as they are told,
// unless a disturbance comes over them, and go by what was shown on the screens:
// each screen is kept in a file, so that they remember it when a rehearsal goes on.
type players struct {
	*stage
	machine transcript.Machine
	task    phase.Task // that is being done
}

var _ room.Room = (*players)(nil)

// asked lets the power fail when people are asked something.
func (p *players) asked(ctx context.Context, what string) error {
	if p.disturbed.power != nil {
		if err := p.disturbed.power(p.machine, p.task, what); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Announce shows what comes next.
func (p *players) Announce(t phase.Task) {
	p.task = t
	p.Tell("== %s", t)
}

// Tell shows something on the screen of the machine.
func (p *players) Tell(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	p.observe(Shown{p.machine, line})
	screen, err := os.OpenFile(p.screen(p.machine), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprintln(screen, line)
		err = closing(err, screen.Close)
	}
	if err != nil {
		p.fault = closing(p.fault, func() error { return err })
	}
}

// Present is all of them, but for those whom the disturbance keeps away.
func (p *players) Present(ctx context.Context, who []string, why string) ([]string, error) {
	if err := p.asked(ctx, "present"); err != nil {
		return nil, err
	}
	there := slices.DeleteFunc(slices.Clone(who), func(id string) bool { return slices.Contains(p.disturbed.absent, id) })
	return there, nil
}

// Confirm has everybody look, and say so.
func (p *players) Confirm(ctx context.Context, g plan.Gate, who []string, seen string) (string, error) {
	if err := p.asked(ctx, "confirm "+string(g)); err != nil {
		return "", err
	}
	at := ""
	if g != "" {
		at = string(g) + ": "
	}
	p.Tell("%s%s confirm: %s", at, strings.Join(who, ", "), seen)
	if g == plan.GateOpen {
		return p.world.now().Format(time.RFC3339) + " " + seen, nil
	}
	return seen, nil
}

// Heard is what was read aloud of a file from the screens of the other machines, in
// words.
func (p *players) Heard(ctx context.Context, what string) (string, error) {
	if err := p.asked(ctx, "heard"); err != nil {
		return "", err
	}
	digest, err := p.readAloud(regexp.MustCompile(`[a-z]+-[0-9]+\.json`).FindString(what))
	if err != nil {
		return "", err
	}
	if p.disturbed.heard != nil {
		digest = p.disturbed.heard(p.machine, digest)
	}
	return digest, nil
}

// Decide lets the lead do what a disturbance asks for, and otherwise try again.
func (p *players) Decide(ctx context.Context, question string, options []string) (int, error) {
	if err := p.asked(ctx, "decide"); err != nil {
		return 0, err
	}
	decision, err := p.decision(ctx, options)
	if err != nil {
		return 0, err
	}
	chosen := max(0, slices.Index(options, decision))
	p.Tell("%s The lead decides: %s", question, options[chosen])
	return chosen, nil
}

func (p *players) decision(ctx context.Context, options []string) (string, error) {
	if slices.Equal(options, []string{"no", "yes"}) && p.returned() {
		return "yes", nil
	}
	if p.task.Step == phase.Accept && slices.Contains(options, "end the session") && !p.bundleAwaits() {
		return "end the session", nil
	}
	if p.task.Step == phase.Attest {
		return p.lookedUp(ctx, options)
	}
	for _, wanted := range append(p.disturbed.decisions, "repeat", "again") {
		if slices.Contains(options, wanted) {
			return wanted, nil
		}
	}
	return options[0], nil
}

// lookedUp is which of some states the KMS key is in that the task is about.
func (p *players) lookedUp(ctx context.Context, options []string) (string, error) {
	for _, t := range p.plan.Targets {
		if !slices.Contains(p.task.Targets, t.ID) {
			continue
		}
		k, err := p.world.key(ctx, p.plan, t)
		if err != nil {
			return "", err
		}
		for _, option := range options {
			if strings.HasPrefix(option, string(k.State)+": ") {
				return option, nil
			}
		}
	}
	return "", nil
}

// Sign signs with somebody's key.
func (p *players) Sign(ctx context.Context, who plan.Person, namespace string, message []byte) ([]byte, error) {
	if err := p.asked(ctx, "sign"); err != nil {
		return nil, err
	}
	signer, err := p.cast.signer(who.ID)
	if err != nil {
		return nil, err
	}
	return sshsig.Sign(message, namespace, signer)
}

// Bag is a serial number: the same whenever people look at the bag of a share.
func (p *players) Bag(ctx context.Context, what string) (string, error) {
	if err := p.asked(ctx, "bag"); err != nil {
		return "", err
	}
	serial := "TEB-" + regexp.MustCompile(`[^0-9]+`).ReplaceAllString("1000"+what, "")
	if p.disturbed.bag != nil {
		serial = p.disturbed.bag(serial)
	}
	return serial, nil
}

// screen is the file with what a machine showed.
func (s *stage) screen(m transcript.Machine) string {
	return filepath.Join(s.dir, "screens", string(m)+".txt")
}
