// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/material/entropy"
)

// combineComponents gathers components, first from files and then from their
// custodians, and combines them.
func (a *app) combineComponents(ctx context.Context, spec material.Spec, r randomness, record *entropy.Record) (*material.Material, error) {
	var components []entropy.Component
	defer func() {
		for _, c := range components {
			c.Destroy()
		}
	}()
	for i := range r.count() {
		c, entered, err := a.nextComponent(ctx, spec, r, i)
		if err != nil {
			return nil, err
		}
		components = append(components, c)
		record.Components = append(record.Components, entropy.ComponentRecord{Check: c.Check, Entered: entered})
		a.say("component %d of %d has the check value %s", i+1, r.count(), c.Check)
	}
	return entropy.Combine(components...)
}

func (a *app) nextComponent(ctx context.Context, spec material.Spec, r randomness, i int) (entropy.Component, entropy.Entered, error) {
	if i < len(r.componentFiles) {
		c, err := a.readComponent(spec, r.componentFiles[i])
		return c, entropy.FromFile, err
	}
	return a.askComponent(ctx, spec, fmt.Sprintf("Component %d of %d", i+1, r.count()))
}

// readComponent reads a component from a file, which must have its check value
// in it: nobody typed it twice.
func (a *app) readComponent(spec material.Spec, name string) (entropy.Component, error) {
	text, err := files.ReadLimited(name, a.Stdin, entropy.MaxComponentText)
	if err != nil {
		return entropy.Component{}, err
	}
	defer clear(text)
	c, checked, err := entropy.ParseComponent(spec, text)
	if err == nil && !checked {
		c.Destroy()
		err = &uncheckedError{}
	}
	if err != nil {
		return entropy.Component{}, inFile(name, err)
	}
	return c, nil
}

// uncheckedError says that nothing would notice a slip in a component.
type uncheckedError struct{}

func (*uncheckedError) Error() string { return "the component has no check value" }

// askComponent asks a custodian for a component without showing it, and then
// for its check value or for all of it again. What does not fit is asked for
// once more.
func (a *app) askComponent(ctx context.Context, spec material.Spec, which string) (entropy.Component, entropy.Entered, error) {
	for {
		c, checked, err := a.typedComponent(ctx, spec, fmt.Sprintf("%s (%d hexadecimal digits, not shown)", which, entropy.ComponentDigits(spec)))
		if err == nil && checked {
			return c, entropy.TypedWithCheck, nil
		}
		var entered entropy.Entered
		if err == nil {
			entered, err = a.checkTyped(ctx, c, which)
		}
		if err == nil {
			return c, entered, nil
		}
		c.Destroy()
		if !isComponentSlip(err) {
			return entropy.Component{}, "", brokenOff(err)
		}
		a.warn("%v; it was not taken", err)
	}
}

func (a *app) typedComponent(ctx context.Context, spec material.Spec, prompt string) (entropy.Component, bool, error) {
	typed, err := a.prompter().Secret(ctx, prompt)
	if err != nil {
		return entropy.Component{}, false, err
	}
	defer clear(typed)
	return entropy.ParseComponent(spec, typed)
}

// checkTyped has the custodian show that a component was typed right.
func (a *app) checkTyped(ctx context.Context, c entropy.Component, which string) (entropy.Entered, error) {
	check, err := a.prompter().Line(ctx, which+", its check value (Enter alone to type the component again instead)")
	if err != nil {
		return "", err
	}
	if check != "" {
		if !c.Matches(check) {
			return "", &entropy.CheckValueError{}
		}
		return entropy.TypedWithCheck, nil
	}
	again, _, err := a.typedComponent(ctx, c.Spec, which+" again")
	defer again.Destroy()
	if err == nil && !again.Equal(c) {
		err = &differentError{}
	}
	return entropy.TypedTwice, err
}

// differentError says that something was typed in two ways.
type differentError struct{}

func (*differentError) Error() string { return "the two entries differ" }

// isComponentSlip reports whether typing it again may help.
func isComponentSlip(err error) bool {
	_, text := errors.AsType[*entropy.ComponentError](err)
	_, check := errors.AsType[*entropy.CheckValueError](err)
	_, differ := errors.AsType[*differentError](err)
	return text || check || differ
}
