// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/keymat/keymat/internal/cli"
)

// globals are the flags of every command, beside those of cli.Talk.
type globals struct {
	region      string
	profile     string
	endpointURL string
	mock        bool
	mockState   string
	verbose     bool
}

func (g *globals) register(f *pflag.FlagSet, getenv func(string) string) {
	mock, _ := strconv.ParseBool(getenv(envMock))
	f.StringVar(&g.region, "region", "", "AWS `region`; otherwise that of the key's ARN, or of your AWS settings")
	f.StringVar(&g.profile, "profile", "", "AWS `profile` of the shared configuration")
	f.StringVar(&g.endpointURL, "endpoint-url", "", "talk to the KMS at this `URL`, such as that of keymat mock serve")
	f.BoolVar(&g.mock, "mock", mock, "use the KMS inside keymat instead of AWS")
	f.StringVar(&g.mockState, "mock-state", getenv(envMockState), "`file` that holds the state of the embedded mock")
	f.BoolVarP(&g.verbose, "verbose", "v", false, "say more on stderr, such as each call to KMS")
}

// Tree is the tree of commands, for documentation. It is not meant to be run.
func Tree() *cobra.Command {
	return newRoot(newApp(Env{Getenv: func(string) string { return "" }}))
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   program,
		Short: "Bring your own key material into AWS KMS",
		Long: `keymat generates key material, keeps a copy you can recover, wraps it, imports
it into AWS KMS, proves that it worked, and brings it back when it was deleted
or has expired. It works against AWS, or with --mock against a KMS of its own.`,
		Example: `  keymat lab
  keymat bring --alias alias/app --spec SYMMETRIC_DEFAULT --out app.key --never-expires
  keymat reimport alias/app --material app.key --expires 90d`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.Flags(root.PersistentFlags())
	a.globals.register(root.PersistentFlags(), a.Getenv)
	root.AddGroup(
		&cobra.Group{ID: groupStart, Title: "Start here:"},
		&cobra.Group{ID: groupSteps, Title: "Step by step, across an air gap if need be:"},
		&cobra.Group{ID: groupLife, Title: "A key's life:"},
		&cobra.Group{ID: groupTools, Title: "Tools:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add(groupStart, newLabCmd(a), newBringCmd(a))
	add(groupSteps, newGenerateCmd(a), newCreateCmd(a), newFetchCmd(a), newWrapCmd(a), newImportCmd(a), newConfirmCmd(a))
	add(groupLife, newStatusCmd(a), newEscrowCmd(a), newReimportCmd(a), newRenewCmd(a), newRotateCmd(a), newMonitorCmd(a), newAuditCmd(a), newDeleteMaterialCmd(a), newFleetCmd(a), newCeremonyCmd(a))
	add(groupTools, newVerifyCmd(a), newInspectCmd(a), newMockCmd(a), cli.VersionCommand(&a.Run))
	root.SetCompletionCommandGroupID(groupTools)
	root.SetHelpCommandGroupID(groupTools)
	root.AddCommand(newIAMTopic(), newEnvironmentTopic(), newExitCodesTopic())
	return root
}

const (
	groupStart = "start"
	groupSteps = "steps"
	groupLife  = "life"
	groupTools = "tools"
)

// oneArg demands exactly one argument and says which.
func oneArg(name string) cobra.PositionalArgs { return cli.OneArg(name) }
