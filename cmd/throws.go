// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"

	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/material/entropy"
)

// gatherInputs reads and asks for all that is to be mixed in.
func (a *app) gatherInputs(ctx context.Context, r randomness) (inputs []entropy.Input, err error) {
	for _, throws := range []struct {
		kind entropy.Kind
		ask  bool
		from string
		read func([]byte) (entropy.Input, error)
	}{
		{entropy.Dice, r.dice, r.diceFrom, entropy.NewDice},
		{entropy.Coins, r.coins, r.coinsFrom, entropy.NewCoins},
	} {
		var in entropy.Input
		switch {
		case throws.ask:
			in, err = a.desk().Throws(ctx, throws.kind)
		case throws.from != "":
			in, err = a.readThrows(throws.from, throws.read)
		default:
			continue
		}
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, in)
	}
	for _, name := range r.mix {
		content, err := files.ReadLimited(name, a.Stdin, entropy.MaxInput)
		if err != nil {
			return nil, err
		}
		in, err := entropy.NewFile(content)
		if err != nil {
			return nil, inFile(name, err)
		}
		inputs = append(inputs, in)
	}
	return inputs, nil
}

func (a *app) readThrows(name string, read func([]byte) (entropy.Input, error)) (entropy.Input, error) {
	text, err := files.ReadLimited(name, a.Stdin, entropy.MaxInput)
	if err != nil {
		return entropy.Input{}, err
	}
	defer clear(text)
	in, err := read(text)
	if err != nil {
		return entropy.Input{}, inFile(name, err)
	}
	return in, nil
}

// enoughBits is what makes input hard to guess.
const enoughBits = 128

// tellInputs says what was brought, and warns of what looks odd about it. None
// of that makes the material weaker than without.
func (a *app) tellInputs(inputs []entropy.InputRecord) {
	total, unknown := 0, false
	for _, in := range inputs {
		if in.Kind == entropy.File {
			unknown = true
			a.say("took %d bytes of a file, of which nothing is known", in.Count)
			continue
		}
		total += in.BitsIfFair
		a.say("took %d throws of %s: %d bits, if they are fair", in.Count, in.Kind, in.BitsIfFair)
		for _, hint := range in.Hints {
			a.warn("of the %s: %s; fair ones do so once in a thousand times, and the material is none the weaker", in.Kind, hint)
		}
	}
	if total < enoughBits && !unknown {
		a.say("less than %d bits can be found by trying, with the help of the commitment: 50 dice have 129", enoughBits)
	}
}
