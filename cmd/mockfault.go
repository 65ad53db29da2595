// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/mockkms"
)

// anyOperation stands for all operations.
const anyOperation = "any"

type faultOptions struct {
	fault mockkms.Fault
	clear bool
}

func newMockFaultCmd(a *app) *cobra.Command {
	var o faultOptions
	c := &cobra.Command{
		Use:   "fault [OPERATION|any] [KIND]",
		Short: "Let calls to a served mock fail",
		Long: `The next call of the operation fails: with throttle, internal (error) or deny as
KMS would say so, with error in the words you choose, with drop-before or
drop-after by a connection that breaks before or after the work was done.
Without arguments, the faults that have yet to strike are told.`,
		Example: `  keymat mock fault ImportKeyMaterial drop-after
  keymat mock fault any throttle --times 3 --skip 1
  keymat mock fault Decrypt error --code KeyUnavailableException --message "try later"
  keymat mock fault --clear`,
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			switch len(args) {
			case 0:
				return append(mockkms.OperationNames(), anyOperation), cobra.ShellCompDirectiveNoFileComp
			case 1:
				return faultKinds(), cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 || len(args) > 2 || o.clear && len(args) > 0 {
				return errors.New("an operation and a kind of fault are taken, or neither")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.mockFault(cmd, o, args) },
	}
	c.Flags().IntVar(&o.fault.Times, "times", 1, "calls that fail; -1 is all of them")
	c.Flags().IntVar(&o.fault.Skip, "skip", 0, "calls that pass before")
	c.Flags().StringVar(&o.fault.Code, "code", "", "error `code`, for kind error")
	c.Flags().StringVar(&o.fault.Message, "message", "", "error `text`, for kind error")
	c.Flags().BoolVar(&o.clear, "clear", false, "take back all faults")
	return c
}

func faultKinds() []string {
	var kinds []string
	for _, k := range mockkms.FaultKinds() {
		kinds = append(kinds, k.String())
	}
	return kinds
}

func (a *app) mockFault(cmd *cobra.Command, o faultOptions, args []string) error {
	mock, err := a.servedMockControl(cmd)
	if err != nil {
		return err
	}
	var left []mockkms.Fault
	switch {
	case o.clear:
		err = mock.ClearFaults(cmd.Context())
	case len(args) == 0:
		left, err = mock.Faults(cmd.Context())
	default:
		if o.fault.Operation = args[0]; args[0] == anyOperation {
			o.fault.Operation = ""
		}
		if o.fault.Kind.UnmarshalText([]byte(args[1])) != nil {
			return usagef("there is no fault %q; there are %s", args[1], strings.Join(faultKinds(), ", "))
		}
		if o.fault.Kind == mockkms.FaultError && o.fault.Code == "" {
			return usagef("say what the mock shall answer: --code CODE, and --message TEXT")
		}
		left, err = mock.Inject(cmd.Context(), o.fault)
	}
	if err != nil {
		return err
	}
	if len(left) == 0 {
		a.say("no fault has yet to strike")
	}
	return a.print(mockFaults{append([]mockkms.Fault{}, left...)})
}

// mockFaults are the faults that have yet to strike.
type mockFaults struct {
	Faults []mockkms.Fault `json:"faults"`
}

func (m mockFaults) text(w io.Writer) {
	for _, f := range m.Faults {
		fmt.Fprintln(w, inWords(f))
	}
}

// inWords is a fault such as "CreateKey throttle 3 times, after 2 calls".
func inWords(f mockkms.Fault) string {
	words := []string{cmp.Or(f.Operation, anyOperation), f.Kind.String()}
	if f.Code != "" {
		words = append(words, f.Code)
	}
	switch {
	case f.Times < 0:
		words = append(words, "always")
	case f.Times <= 1:
		words = append(words, "once")
	default:
		words = append(words, strconv.Itoa(f.Times), "times")
	}
	line := strings.Join(words, " ")
	if f.Skip > 0 {
		line += ", after " + cli.Count(f.Skip, "call")
	}
	return line
}
