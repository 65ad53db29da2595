// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"cmp"
	"context"
	"errors"

	"github.com/keymat/keymat/ceremony/online"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/ceremonycmd"
	"github.com/keymat/keymat/internal/awsclient"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/mockkms"
)

// stations are the machines of a ceremony that talk to KMS.
func (a *app) stations() []ceremonycmd.Station {
	return []ceremonycmd.Station{
		{Name: transcript.FetchMachine, Explain: explainOnline, Open: func(ctx context.Context, o ceremonycmd.Opening) (ceremonycmd.Machine, error) {
			return online.OpenFetcher(o.Folder, a.now, a.ceremonyService(ctx))
		}},
		{Name: transcript.ImportMachine, Explain: explainOnline, Open: func(ctx context.Context, o ceremonycmd.Opening) (ceremonycmd.Machine, error) {
			return online.Open(o.Folder, o.Mirrors, a.now, o.Tool, a.ceremonyService(ctx))
		}},
	}
}

// ceremonyService is the KMS that the flags and the environment name. Mocks know no
// callers.
func (a *app) ceremonyService(ctx context.Context) online.Service {
	s := online.Service{Embedded: a.usesEmbedded(), In: func(ctx context.Context, region string) (online.KMS, error) { return a.connectIn(ctx, region) }}
	if !s.Embedded {
		s.Endpoint = cmp.Or(a.globals.endpointURL, a.endpointSetting())
	}
	s.Mock = s.Embedded || s.Endpoint != "" && answersAsMock(ctx, s.Endpoint)
	if !s.Mock {
		s.Caller = func(ctx context.Context, region string) (string, error) {
			return awsclient.Caller(ctx, awsclient.Options{Region: region, Profile: a.globals.profile, Debug: a.debug()})
		}
	}
	return s
}

// answersAsMock reports whether what is at a URL has a clock that can be moved.
func answersAsMock(ctx context.Context, endpoint string) bool {
	ctx, cancel := context.WithTimeout(ctx, clockPatience)
	defer cancel()
	_, err := mockkms.NewRemote(endpoint, nil).Clock(ctx)
	return err == nil
}

// explainOnline covers ceremonies where they talk to KMS.
func explainOnline(err error) (cli.Advice, bool) {
	if e, ok := errors.AsType[*online.RefusedError](err); ok {
		return explainRefusal(e)
	}
	if e, ok := errors.AsType[*online.DifferentError](err); ok {
		return hint("use nothing of it: either the key of %s is not the one of the plan, or somebody exchanged the material on the way", e.Target), true
	}
	if _, ok := errors.AsType[*online.LateError](err); ok {
		return hint("close this record, and carry it to the offline machine: a quorum wraps the material again, for a new token"), true
	}
	if e, ok := errors.AsType[*online.ServiceError](err); ok {
		if e.Rehearsal {
			return hint("start keymat mock serve on this machine, make the keys of the plan in it, and name it with --endpoint-url"), true
		}
		return hint("leave out --mock"), true
	}
	if _, ok := errors.AsType[*online.PlanError](err); ok {
		return hint("keymat ceremony plan verify says who has to approve the plan; their signatures belong beside it"), true
	}
	if _, ok := errors.AsType[*online.SignatureError](err); ok {
		return hint("have them sign, and try again"), true
	}
	if _, ok := errors.AsType[*online.NotEmptyError](err); ok {
		return hint("take a medium on which there is nothing: what else is on it nobody has looked at"), true
	}
	if _, ok := errors.AsType[*online.NotReadyError](err); ok {
		return hint("put in the medium that the offline machine wrote last"), true
	}
	return cli.Advice{}, false
}

// explainRefusal says what may follow what KMS refused.
func explainRefusal(e *online.RefusedError) (cli.Advice, bool) {
	switch e.Remedy {
	case transcript.Incident:
		return hint("this is an incident: the bytes are those that were wrapped offline, and KMS cannot open them. Try nothing again, keep all machines and media as they are, and have it looked into"), true
	case transcript.WrapAgain:
		return hint("the material is safe in its escrow: close this record, and carry it to the offline machine, where a quorum wraps it again for a new token"), true
	}
	advice := explainCause(e.Err)
	advice.Hints = append(advice.Hints, "put that right, and submit the same bytes again")
	return advice, true
}
