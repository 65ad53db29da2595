// SPDX-License-Identifier: Apache-2.0

package entry

import (
	"bytes"
	"context"
	"fmt"

	"github.com/keymat/keymat/material/entropy"
)

// Throws asks for throws of dice or coins, line by line; Enter alone ends. A line
// with a slip in it is asked for again. The caller destroys the result. Errors:
// [*entropy.InputSizeError], also for none at all; [ErrBrokenOff]; the
// prompter's.
func (d Desk) Throws(ctx context.Context, kind entropy.Kind) (entropy.Input, error) {
	read := entropy.NewDice
	if kind == entropy.Coins {
		read = entropy.NewCoins
	}
	all := make([]byte, 0, entropy.MaxInput) // never grows, which would leave copies
	defer func() { clear(all) }()
	for count := 0; ; {
		line, err := d.Prompter.Secret(ctx, fmt.Sprintf("%s, %d so far; Enter alone ends", throwing[kind], count))
		if err != nil {
			return entropy.Input{}, BrokenOff(err)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			return read(all)
		}
		in, err := read(line)
		if err == nil && len(all)+len(line) > cap(all) {
			clear(line)
			return entropy.Input{}, &entropy.InputSizeError{Kind: kind, Count: len(all) + len(line)}
		}
		if err != nil {
			d.Warn("%v; the line was not taken", err)
		} else {
			all = append(all, line...)
			count += in.Count
			in.Destroy()
		}
		clear(line)
	}
}

var throwing = map[entropy.Kind]string{
	entropy.Dice:  "Throws of dice (1 to 6)",
	entropy.Coins: "Throws of coins (h or t)",
}
