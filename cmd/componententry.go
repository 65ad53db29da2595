// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
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
	return a.desk().Component(ctx, spec, fmt.Sprintf("Component %d of %d", i+1, r.count()))
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
