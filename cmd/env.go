// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"github.com/spf13/cobra"

	"github.com/keymat/keymat/internal/cli"
)

// Our own environment variables. None of them ever holds a secret.
const (
	envMock      = "KEYMAT_MOCK"
	envMockState = "KEYMAT_MOCK_STATE"
	envEscrows   = "KEYMAT_ESCROWS"
)

var environment = [][2]string{
	{envMock, "1: use the embedded mock, as --mock does"},
	{envMockState, "file that holds the mock's state, as --mock-state does"},
	{envEscrows, "files and folders to find escrows in, as --escrow does; separated as in PATH"},
	{"XDG_STATE_HOME", "folder under which the mock's state is kept otherwise, and what runs have to clean up"},
	{"SSH_AUTH_SOCK", "the ssh-agent that signs for keymat ceremony"},
	{"NO_COLOR", "anything: no colours on the terminal"},
	{"AWS_REGION, AWS_PROFILE, AWS_ACCESS_KEY_ID, …", "read by the AWS SDK, as for the AWS CLI"},
	{"AWS_ENDPOINT_URL_KMS", "talk to the KMS at this URL, such as that of keymat mock serve"},
	{"AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT", "read by the AWS SDK"},
}

func newEnvironmentTopic() *cobra.Command { return cli.EnvironmentTopic(program, environment) }

func newExitCodesTopic() *cobra.Command {
	return cli.ExitCodesTopic(`  0    done
  1    failed; the error says why, the hint what to do
  2    wrong usage; nothing was done
  3    the answer is no: KMS does not hold this material, a rule does not hold,
       a key expires within the time asked about, a machine is not fit, or a plan
       or record is not good
  4    partly done, and safe to run again
  130  interrupted`)
}
