// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/keymat/keymat/ceremony/plan"
)

// Medium takes the path of a folder that exists.
func (c *Console) Medium(ctx context.Context, what string) (string, error) {
	return c.folder(ctx, c.to(c.operators(), "put in %s. The folder where it is mounted", what))
}

// folder asks until the answer is a folder, and makes its path absolute.
func (c *Console) folder(ctx context.Context, prompt string) (string, error) {
	for {
		answer, err := c.Prompter.Line(ctx, prompt)
		if err != nil {
			return "", err
		}
		if answer == "" {
			continue
		}
		folder, err := filepath.Abs(answer)
		if err != nil {
			return "", fmt.Errorf("finding the folder: %w", err)
		}
		if info, err := os.Stat(folder); err != nil {
			c.warn("%v", err)
		} else if !info.IsDir() {
			c.warn("%s is not a folder", folder)
		} else {
			return folder, nil
		}
	}
}

// Remount waits for two answers, so that nobody agrees to both at once.
func (c *Console) Remount(ctx context.Context, _, folder string) error {
	if _, err := c.Prompter.Line(ctx, c.to(c.operators(), "unmount what is at %s, and take it out. Enter once it is out", folder)); err != nil {
		return err
	}
	prompt := c.to(c.operators(), "put it in again, at the same place. Enter once it is mounted")
	for {
		if _, err := c.Prompter.Line(ctx, prompt); err != nil {
			return err
		}
		_, err := os.Stat(folder)
		if err == nil {
			return nil
		}
		c.warn("%v", err)
	}
}

// Bag asks those who keep the list of bags.
func (c *Console) Bag(ctx context.Context, what string) (string, error) {
	return c.Prompter.Line(ctx, c.to(c.bagKeepers(), "number of the bag of %s (Enter alone for none)", what))
}

// bagKeepers keep the list of bags: who has that role, or else the witnesses.
func (c *Console) bagKeepers() []string {
	if who := c.Having(plan.Bags); len(who) > 0 {
		return who
	}
	return c.Having(plan.Witness)
}

// operators are those of the task, or else whoever does it: on machines with a
// network there are no others. Custodians do nothing to a machine.
func (c *Console) operators() []string {
	if len(c.among(c.hands, plan.Custodian)) == len(c.hands) {
		return c.Having(plan.Operator)
	}
	if some := c.among(c.hands, plan.Operator); len(some) > 0 {
		return some
	}
	return c.hands
}
