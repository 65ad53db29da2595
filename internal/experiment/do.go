// SPDX-License-Identifier: Apache-2.0

package experiment

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// Do makes a call and compares the answer with the one wanted. What says in
// the words of the rule what is done: "import it into key B". Call is a method
// of a client that the trial gave out. The output is empty, never nil, when the
// call was refused or the trial has stopped.
//
//	out := experiment.Do(t, "encrypt under key A", experiment.Success, t.KMS.Encrypt, &kms.EncryptInput{…})
func Do[In, Out any](t *Trial, what string, want Answer, call func(context.Context, *In, ...func(*kms.Options)) (*Out, error), in *In) *Out {
	if t.stopped() {
		return new(Out)
	}
	r := recorded{Observation: Observation{What: what, Expected: want.String(), At: time.Now().UTC()}}
	out, err := call(context.WithValue(t.ctx, recordHere{}, &r), in)
	o := r.Observation
	o.Observed, o.AsExpected = describe(err), want.fits(err)
	t.uncertain = r.uncertain
	switch {
	case t.ctx.Err() != nil:
		t.stop(context.Cause(t.ctx))
	case o.AsExpected:
		t.note(o)
	case accident(err):
		t.note(o)
		t.stop(fmt.Errorf("%s: %w", what, err))
	default:
		t.note(o)
		t.stop(&SurpriseError{o})
	}
	if out == nil || err != nil {
		return new(Out)
	}
	return out
}

// Check compares something that was observed without a call of its own, such
// as a field of an answer or the result of a computation.
func (t *Trial) Check(what, want, got string) {
	if t.stopped() {
		return
	}
	o := Observation{What: what, Expected: want, Observed: got, AsExpected: want == got, At: time.Now().UTC()}
	t.note(o)
	if !o.AsExpected {
		t.stop(&SurpriseError{o})
	}
}

func (t *Trial) note(o Observation) {
	t.steps = append(t.steps, o)
	if t.bench.Observe != nil {
		t.bench.Observe(t, o)
	}
}

// recordHere is the key of the *recorded in a call's context.
type recordHere struct{}

// recorded is what the client notes of a call.
type recorded struct {
	Observation
	uncertain bool // an attempt got no answer, and may have been carried out
}

// recording is the client with calls that note operation, Region, request ID
// and time in the observation their context carries.
func recording(client *kms.Client) *kms.Client {
	return kms.New(client.Options(), func(o *kms.Options) {
		o.APIOptions = append(o.APIOptions[:len(o.APIOptions):len(o.APIOptions)], func(s *middleware.Stack) error {
			return errors.Join(
				s.Initialize.Add(middleware.InitializeMiddlewareFunc("recordObservation", record), middleware.After),
				s.Deserialize.Add(middleware.DeserializeMiddlewareFunc("recordAttempt", recordAttempt), middleware.Before),
			)
		})
	})
}

// record stands behind what else a client does to begin with, so that waiting
// for one's turn is no part of the time a call took.
func record(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	r, ok := ctx.Value(recordHere{}).(*recorded)
	if !ok {
		return next.HandleInitialize(ctx, in)
	}
	r.At = time.Now().UTC()
	out, metadata, err := next.HandleInitialize(ctx, in)
	r.Seconds = time.Since(r.At).Seconds()
	r.Operation = awsmiddleware.GetOperationName(ctx)
	r.Region = awsmiddleware.GetRegion(ctx)
	r.RequestID, _ = awsmiddleware.GetRequestIDMetadata(metadata)
	return out, metadata, err
}

// recordAttempt stands around the sending of each attempt, which does not come
// to it where there are no credentials.
func recordAttempt(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	out, metadata, err := next.HandleDeserialize(ctx, in)
	if r, ok := ctx.Value(recordHere{}).(*recorded); ok && unanswered(err) {
		r.uncertain = true
	}
	return out, metadata, err
}

// unanswered reports whether an attempt that ended in err may have been carried
// out all the same: it got as far as KMS, and KMS did not say that it refused.
func unanswered(err error) bool {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorFault() == smithy.FaultServer
	}
	network, ok := errors.AsType[*net.OpError](err)
	return err != nil && !(ok && network.Op == "dial")
}
