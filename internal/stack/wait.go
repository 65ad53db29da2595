// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// wait waits with the SDK's waiter until CloudFormation is done with a stack.
// The name of one that was removed leads to nothing: it is asked for by its ID.
func (a API) wait(ctx context.Context, name, id string) error {
	waiter := cloudformation.NewStackUpdateCompleteWaiter(describer(a.Describe), func(o *cloudformation.StackUpdateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = 2*time.Second, 15*time.Second
		o.Retryable = inProgress
	})
	out, err := waiter.WaitForOutput(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(id)}, patience)
	if err != nil {
		return &CallError{Operation: "DescribeStacks", Stack: name, Err: err}
	}
	switch s := out.Stacks[0]; s.StackStatus {
	case types.StackStatusCreateComplete, types.StackStatusUpdateComplete:
		return nil
	default:
		return &FailedError{Stack: name, ID: id, Status: string(s.StackStatus), Reason: aws.ToString(s.StackStatusReason)}
	}
}

// describer is what the waiter asks for.
type describer func(context.Context, *cloudformation.DescribeStacksInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error)

// DescribeStacks calls d.
func (d describer) DescribeStacks(ctx context.Context, in *cloudformation.DescribeStacksInput, o ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error) {
	return d(ctx, in, o...)
}

// inProgress reports whether a stack is still being worked on: the names of
// those states, and of no others, end so.
func inProgress(_ context.Context, _ *cloudformation.DescribeStacksInput, out *cloudformation.DescribeStacksOutput, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	return len(out.Stacks) != 1 || strings.HasSuffix(string(out.Stacks[0].StackStatus), "_IN_PROGRESS"), nil
}
