// SPDX-License-Identifier: Apache-2.0

// Package stack puts CloudFormation templates into effect: a stack that is not
// there is created, one that is there is brought to the template.
package stack

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"
)

// API is what this package calls of CloudFormation. These are functions rather
// than the methods of an interface, so that the linker leaves the client's other
// operations out.
type API struct {
	Create   func(context.Context, *cloudformation.CreateStackInput, ...func(*cloudformation.Options)) (*cloudformation.CreateStackOutput, error)
	Update   func(context.Context, *cloudformation.UpdateStackInput, ...func(*cloudformation.Options)) (*cloudformation.UpdateStackOutput, error)
	Describe func(context.Context, *cloudformation.DescribeStacksInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error)
}

// Of gives the functions of a client.
func Of(c *cloudformation.Client) API {
	return API{Create: c.CreateStack, Update: c.UpdateStack, Describe: c.DescribeStacks}
}

// Stack is what shall be there.
type Stack struct {
	Name       string // [a-zA-Z][-a-zA-Z0-9]*, at most 128
	Template   string // at most 51,200 bytes; makes no IAM resources
	Parameters map[string]string
}

// Action is what became of a stack.
type Action string

// The actions.
const (
	Created   Action = "created"
	Updated   Action = "updated"
	Unchanged Action = "unchanged"
)

// Applied is the outcome of Apply.
type Applied struct {
	Action Action
	ID     string // ARN of the stack
}

// A CallError is an error of CloudFormation.
type CallError struct {
	Operation string
	Stack     string // name
	Err       error
}

func (e *CallError) Error() string {
	return fmt.Sprintf("%s of stack %s: %s", e.Operation, e.Stack, e.Err)
}
func (e *CallError) Unwrap() error { return e.Err }

// A FailedError says that CloudFormation gave a stack up.
type FailedError struct {
	Stack, ID, Status string
	Reason            string // as CloudFormation says; may be empty
}

func (e *FailedError) Error() string {
	message := fmt.Sprintf("stack %s ended in %s", e.Stack, e.Status)
	if e.Reason != "" {
		message += ": " + e.Reason
	}
	return message
}

// patience is for how long a stack is waited for. An alarm and a rule take less
// than two minutes.
const patience = 15 * time.Minute

// Exists reports whether there is a stack of that name.
func (a API) Exists(ctx context.Context, name string) (bool, error) {
	_, err := a.Describe(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(name)})
	if says(err, "does not exist") {
		return false, nil
	}
	if err != nil {
		return false, &CallError{Operation: "DescribeStacks", Stack: name, Err: err}
	}
	return true, nil
}

// Apply creates or updates the stack and waits until CloudFormation is done with
// it. A stack that cannot be created is removed again, one that cannot be updated
// stays as it was. Errors: *CallError, *FailedError.
func (a API) Apply(ctx context.Context, s Stack) (Applied, error) {
	exists, err := a.Exists(ctx, s.Name)
	if err != nil {
		return Applied{}, err
	}
	if exists {
		return a.update(ctx, s)
	}
	out, err := a.Create(ctx, &cloudformation.CreateStackInput{
		StackName:          aws.String(s.Name),
		TemplateBody:       aws.String(s.Template),
		Parameters:         s.parameters(),
		OnFailure:          types.OnFailureDelete,
		ClientRequestToken: aws.String(rand.Text()), // or a repeated request finds its own stack in the way
	})
	if err != nil {
		return Applied{}, &CallError{Operation: "CreateStack", Stack: s.Name, Err: err}
	}
	done := Applied{Action: Created, ID: aws.ToString(out.StackId)}
	return done, a.wait(ctx, s.Name, done.ID)
}

func (a API) update(ctx context.Context, s Stack) (Applied, error) {
	out, err := a.Update(ctx, &cloudformation.UpdateStackInput{
		StackName:          aws.String(s.Name),
		TemplateBody:       aws.String(s.Template),
		Parameters:         s.parameters(),
		ClientRequestToken: aws.String(rand.Text()),
	})
	if says(err, "No updates are to be performed") {
		return Applied{Action: Unchanged}, nil
	}
	if err != nil {
		return Applied{}, &CallError{Operation: "UpdateStack", Stack: s.Name, Err: err}
	}
	done := Applied{Action: Updated, ID: aws.ToString(out.StackId)}
	return done, a.wait(ctx, s.Name, done.ID)
}

// says reports whether CloudFormation refused with these words. It has no codes
// of their own for what is no error to us.
func says(err error, words string) bool {
	e, ok := errors.AsType[smithy.APIError](err)
	return ok && e.ErrorCode() == "ValidationError" && strings.Contains(e.ErrorMessage(), words)
}

func (s Stack) parameters() (all []types.Parameter) {
	for _, name := range slices.Sorted(maps.Keys(s.Parameters)) {
		all = append(all, types.Parameter{ParameterKey: aws.String(name), ParameterValue: aws.String(s.Parameters[name])})
	}
	return all
}
