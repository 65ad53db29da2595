// SPDX-License-Identifier: Apache-2.0

package entry

import (
	"context"
	"errors"
	"fmt"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/material/entropy"
)

// Component asks for a component of material of a spec, and then for its check
// value or for all of it again, unless the check value stood behind it. What does
// not fit is asked for once more. The caller destroys the result. Errors:
// [ErrBrokenOff], those of [entropy.CheckComponents], and the prompter's.
func (d Desk) Component(ctx context.Context, spec material.Spec, which string) (entropy.Component, entropy.Entered, error) {
	for {
		c, checked, err := d.component(ctx, spec, fmt.Sprintf("%s (%d hexadecimal digits, not shown)", which, entropy.ComponentDigits(spec)))
		if err == nil && checked {
			return c, entropy.TypedWithCheck, nil
		}
		var entered entropy.Entered
		if err == nil {
			entered, err = d.check(ctx, c, which)
		}
		if err == nil {
			return c, entered, nil
		}
		c.Destroy()
		if !IsSlip(err) {
			return entropy.Component{}, "", BrokenOff(err)
		}
		d.Warn("%v; it was not taken", err)
	}
}

func (d Desk) component(ctx context.Context, spec material.Spec, prompt string) (entropy.Component, bool, error) {
	typed, err := d.Prompter.Secret(ctx, prompt)
	if err != nil {
		return entropy.Component{}, false, err
	}
	defer clear(typed)
	return entropy.ParseComponent(spec, typed)
}

// check has somebody show that a component was typed right.
func (d Desk) check(ctx context.Context, c entropy.Component, which string) (entropy.Entered, error) {
	check, err := d.Prompter.Line(ctx, which+", its check value (Enter alone to type the component again instead)")
	if err != nil {
		return "", err
	}
	if check != "" {
		if !c.Matches(check) {
			return "", &entropy.CheckValueError{}
		}
		return entropy.TypedWithCheck, nil
	}
	return entropy.TypedTwice, d.Again(ctx, c, which+" again")
}

// Again asks for a component that somebody has a copy of. Errors:
// [*DifferentError], those of [entropy.ParseComponent], and the prompter's.
func (d Desk) Again(ctx context.Context, c entropy.Component, prompt string) error {
	again, _, err := d.component(ctx, c.Spec, prompt)
	defer again.Destroy()
	if err == nil && !again.Equal(c) {
		err = &DifferentError{}
	}
	return err
}

// A DifferentError says that something was typed in two ways.
type DifferentError struct{}

func (*DifferentError) Error() string { return "the two entries differ" }

// IsSlip reports whether typing a component again may help.
func IsSlip(err error) bool {
	_, text := errors.AsType[*entropy.ComponentError](err)
	_, check := errors.AsType[*entropy.CheckValueError](err)
	_, differ := errors.AsType[*DifferentError](err)
	return text || check || differ
}
