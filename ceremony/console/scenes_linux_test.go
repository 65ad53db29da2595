// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/keymat/keymat/ceremony/console"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/sshsig"
	"github.com/keymat/keymat/material"
)

const digest = "e58294f2e9a227486e8b061b31cc528fd7fa3f19d1d464c004f00fb5c9a4c8d8"

var two = []string{"operator-1", "witness"}

// scenes are what is asked, by name.
var scenes = map[string]func(context.Context, *console.Console) (any, error){
	"announce": func(_ context.Context, c *console.Console) (any, error) {
		c.Announce(phase.Task{Step: phase.Issue, Machine: transcript.OfflineMachine, Share: 2, People: []string{"custodian-2", "operator-1", "operator-2"}})
		c.Progress = "CLOSED"
		c.Announce(phase.Task{Step: phase.Recover, Machine: transcript.OfflineMachine, Quorum: 2, People: []string{"custodian-1", "custodian-2", "custodian-3"}})
		c.Tell("written to %s\nand read \x1b[2Jback, from the medium and not from memory, which is what counts, and found to be the same", "/mnt")
		c.Tell("  topmost  Istanbul")
		return nil, nil
	},
	"present": func(ctx context.Context, c *console.Console) (any, error) {
		return c.Present(ctx, []string{"custodian-1", "custodian-2"}, "Two shares open the escrow.")
	},
	"task": func(ctx context.Context, c *console.Console) (any, error) {
		t := phase.Task{Step: phase.Generate, Machine: transcript.OfflineMachine, People: two}
		c.Announce(t)
		return c.Present(ctx, two, t.String())
	},
	"identity": func(ctx context.Context, c *console.Console) (any, error) {
		c.Announce(phase.Task{Step: phase.Confirm, Gate: plan.GateIdentity, Machine: transcript.OfflineMachine, People: two})
		return c.Confirm(ctx, plan.GateIdentity, two, "fingerprint cmac:0a1b2c3d4e")
	},
	"discard": func(ctx context.Context, c *console.Console) (any, error) {
		for _, t := range []phase.Task{{Step: phase.Discard, Share: 2}, {Step: phase.Discard, Copy: "copy-1"}, {Step: phase.Attest, Targets: []string{"primary"}}, {Step: phase.Retire}} {
			t.Machine, t.People = transcript.OfflineMachine, two
			c.Announce(t)
		}
		return c.Confirm(ctx, "", two, "share 2 was burnt")
	},
	"bundle": func(ctx context.Context, c *console.Console) (any, error) {
		return c.Confirm(ctx, plan.GateBundle, two, "bundle-1.json sha256:"+digest)
	},
	"open": func(ctx context.Context, c *console.Console) (any, error) {
		return c.Confirm(ctx, plan.GateOpen, two, "keymat 1.0")
	},
	"heard": func(ctx context.Context, c *console.Console) (any, error) {
		return c.Heard(ctx, "the digest of the bundle")
	},
	"decide": func(ctx context.Context, c *console.Console) (any, error) {
		return c.Decide(ctx, "Share 1 is not right.", []string{"repeat", "void"})
	},
	"sign": func(ctx context.Context, c *console.Console) (any, error) {
		who, _ := c.Plan.Person(os.Getenv(argument))
		signature, err := c.Sign(ctx, who, plan.Namespace, []byte("the plan"))
		if err != nil || signature == nil {
			return "no signature", err
		}
		return "signed", sshsig.Verify([]byte("the plan"), signature, plan.Namespace, who.Key)
	},
	"archive": func(ctx context.Context, c *console.Console) (any, error) {
		c.Announce(phase.Task{Step: phase.Recover, Machine: transcript.OfflineMachine, Quorum: 2, People: []string{"custodian-1", "custodian-2"}})
		return c.Medium(ctx, "a medium with the escrow")
	},
	"medium": func(ctx context.Context, c *console.Console) (any, error) { return c.Medium(ctx, "copy-1") },
	"remount": func(ctx context.Context, c *console.Console) (any, error) {
		return nil, c.Remount(ctx, "copy-1", os.Getenv(argument))
	},
	"bag": func(ctx context.Context, c *console.Console) (any, error) { return c.Bag(ctx, "share 1") },
	"show": func(ctx context.Context, c *console.Console) (any, error) {
		_, shares, err := sealed()
		if err != nil {
			return nil, err
		}
		s := shares[0]
		defer s.Text().Expose(func(text []byte) error { fmt.Printf("%s\n", text); return nil })
		return nil, c.ShowShare(ctx, c.Plan.Shares.Holders[0], s, "Share 1 of 3")
	},
	"print": func(ctx context.Context, c *console.Console) (any, error) {
		_, shares, err := sealed()
		if err != nil {
			return nil, err
		}
		return nil, c.ShowShare(ctx, c.Plan.Shares.Holders[1], shares[1], "Share 2 of 3")
	},
	"in a file": func(ctx context.Context, c *console.Console) (any, error) {
		_, shares, err := sealed()
		if err != nil {
			return nil, err
		}
		return nil, c.ShowShare(ctx, c.Plan.Shares.Holders[2], shares[2], "Share 3 of 3")
	},
	"read": func(ctx context.Context, c *console.Console) (any, error) {
		f, _, err := sealed()
		if err != nil {
			return nil, err
		}
		s, err := c.ReadShare(ctx, c.Plan.Shares.Holders[0], f)
		return s.Index, err
	},
	"read file": func(ctx context.Context, c *console.Console) (any, error) {
		f, _, err := sealed()
		if err != nil {
			return nil, err
		}
		s, err := c.ReadShare(ctx, c.Plan.Shares.Holders[2], f)
		return s.Index, err
	},
	"throws": func(ctx context.Context, c *console.Console) (any, error) {
		inputs, err := c.Throws(ctx, os.Getenv(argument) == "required")
		var all []string
		for _, in := range inputs {
			all = append(all, fmt.Sprint(in.Count, " ", in.Kind))
			in.Destroy()
		}
		return strings.Join(all, ", "), err
	},
	"pin": func(ctx context.Context, c *console.Console) (any, error) {
		who, ok := c.Plan.Person("custodian-1")
		if !ok {
			return nil, errors.New("no custodian")
		}
		part, err := c.PIN(ctx, who, "ceremony")
		return len(part), err
	},
	"component": func(ctx context.Context, c *console.Console) (any, error) {
		who, ok := c.Plan.Person("custodian-1")
		if !ok {
			return nil, errors.New("no custodian")
		}
		component, entered, err := c.Component(ctx, who, material.SymmetricDefault)
		defer component.Destroy()
		return fmt.Sprint(component, " ", entered), err
	},
}
