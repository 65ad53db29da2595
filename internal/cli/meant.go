// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// near is how many letters of a name may be wrong, missing or too many for it to be taken for a known one.
const near = 2

// misused is the error for a call of a program with args, of whose commands called is the one that was found.
func misused(called *cobra.Command, args []string, err error) *UsageError {
	e := &UsageError{Err: flagsError(err), Unparsed: true, Command: called.CommandPath()}
	flag, isFlag := errors.AsType[*pflag.NotExistError](err)
	parent, rest, _ := called.Root().Find(args)
	if called.Name() == helpName {
		parent, rest, _ = called.Root().Find(called.Flags().Args())
		e.Command = called.Root().CommandPath()
	}
	switch {
	case parent.HasAvailableSubCommands() && len(rest) > 0 && !strings.HasPrefix(rest[0], "-"):
		if isFlag { // of the command that there is not
			e.Err = fmt.Errorf("unknown command %q for %q", rest[0], parent.CommandPath())
		}
		e.Meant = meantCommand(parent, rest[0])
	case isFlag:
		e.Meant = meantFlag(called, flag.GetSpecifiedName())
	}
	return e
}

func meantFlag(c *cobra.Command, name string) (meant string) {
	best := near + 1
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if d := distance(name, f.Name); d < best && !f.Hidden {
			best, meant = d, "--"+f.Name
		}
	})
	return meant
}

func meantCommand(parent *cobra.Command, name string) (meant string) {
	best := near + 1
	for _, c := range parent.Commands() {
		if d := distance(name, c.Name()); d < best && !c.Hidden {
			best, meant = d, c.CommandPath()
		}
	}
	return meant
}

// distance is how far a name is from a known one, in letters; the beginning of a known one is near it.
func distance(name, known string) int {
	name = strings.ToLower(name)
	if len(name) > near && strings.HasPrefix(known, name) {
		return near
	}
	// A name of a few letters is near to any other.
	if d := levenshtein.ComputeDistance(name, known); d < len(name) {
		return d
	}
	return near + 1
}

const helpName = "help"

// strictHelp makes the command help refuse topics that there are not. Cobra shows the help of the program instead.
func strictHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		if c.Name() == helpName {
			c.Args = knownTopic
		}
	}
}

func knownTopic(help *cobra.Command, args []string) error {
	found, rest, err := help.Root().Find(args)
	if err != nil || len(rest) > 0 && found.HasSubCommands() {
		return fmt.Errorf("there is no help about %q", strings.Join(args, " "))
	}
	return nil
}
