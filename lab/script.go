// SPDX-License-Identifier: Apache-2.0

package lab

import (
	_ "embed"
	"fmt"
	"io"
	"strings"
)

// scriptHead is how every script begins: it works in a folder of its own, and
// cleans up after itself.
//
//go:embed script.sh
var scriptHead string

// WriteScript writes what a student would type by hand, as a POSIX shell
// script: it stops at the first command that does not end as the lesson says,
// and schedules the keys it made for deletion in any case.
func WriteScript(w io.Writer, l Lesson) error {
	var b strings.Builder
	fmt.Fprintf(&b, "#!/bin/sh\n# %s: lesson %s of keymat lab, by hand.\n", l.Title, l.Name)
	b.WriteString(scriptHead)
	for at, s := range l.Steps {
		fmt.Fprintf(&b, "\nstep '%d. %s'\n", at+1, strings.ReplaceAll(s.Title, "'", `'\''`))
		for _, c := range s.Hand {
			b.WriteString(c.script())
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (c Command) script() string {
	switch {
	case c.Refused != "":
		return "refused '" + c.Refused + "' " + c.Line + "\n"
	case c.Makes != "":
		return c.Line + "\nmade \"$" + c.Makes + "\"\n"
	}
	return c.Line + "\n"
}
