// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"fmt"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/internal/term"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/material/entropy"
)

// Throws takes dice and coins, each as often as people like.
func (c *Console) Throws(ctx context.Context, required bool) (inputs []entropy.Input, err error) {
	defer func() {
		if err != nil {
			for _, in := range inputs {
				in.Destroy()
			}
			inputs = nil
		}
	}()
	c.paragraph("Throws are mixed into what the generator draws, which makes the material none the weaker. They are not shown, and not kept.")
	number := c.number()
	for {
		done := term.Option{Label: "none"}
		if len(inputs) > 0 {
			done.Label = "that is all"
		}
		options := []term.Option{{Key: "d", Label: "throw dice"}, {Key: "c", Label: "throw coins"}, done}
		if required && len(inputs) == 0 {
			options = options[:2]
		}
		choice, err := c.Prompter.Choose(ctx, number+" What do you throw?", options)
		if err != nil || choice == 2 {
			return inputs, err
		}
		in, err := c.desk().Throws(ctx, []entropy.Kind{entropy.Dice, entropy.Coins}[choice])
		if leaves(ctx, err) {
			return inputs, err
		}
		if err != nil {
			c.warn("%v", err)
			continue
		}
		c.Tell("%d throws of %s: %d bits, if they are fair.", in.Count, in.Kind, in.BitsIfFair())
		inputs = append(inputs, in)
	}
}

// PIN takes a part of a PIN, once nobody else can see the keyboard.
func (c *Console) PIN(ctx context.Context, who plan.Person, token string) ([]byte, error) {
	if err := c.alone(ctx, []string{who.ID}, "type"); err != nil {
		return nil, err
	}
	prompt := fmt.Sprintf("%s %s: your part of the PIN of the token %q", c.number(), c.name(who.ID), token)
	for {
		part, err := c.Prompter.Secret(ctx, prompt)
		if err != nil || len(part) > 0 {
			return part, err
		}
	}
}

// Component takes a component once nobody else can see the keyboard.
func (c *Console) Component(ctx context.Context, who plan.Person, spec material.Spec) (entropy.Component, entropy.Entered, error) {
	if err := c.alone(ctx, []string{who.ID}, "type"); err != nil {
		return entropy.Component{}, "", err
	}
	return c.desk().Component(ctx, spec, c.number()+" Component of "+c.name(who.ID))
}
