// SPDX-License-Identifier: Apache-2.0

package online

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"

	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/importer"
)

// remedies say what may follow when KMS refuses what was submitted, by the code
// of its answer. The bytes are those whose digest was read aloud where they were
// made: when KMS cannot open them, or finds other material in them than the key
// has had, somebody stands in between. Whatever is not listed is put right
// elsewhere, after which the same bytes go again.
var remedies = map[string]transcript.Remedy{
	"InvalidCiphertextException":    transcript.Incident,
	"IncorrectKeyMaterialException": transcript.Incident,
	"ExpiredImportTokenException":   transcript.WrapAgain,
	"InvalidImportTokenException":   transcript.WrapAgain,
}

// refused records that a submission failed: what KMS answered; or, where no answer
// came, a remark only, for it may have happened.
func (s *submission) refused(ctx context.Context, err error) error {
	if ctx.Err() != nil { // whoever interrupts knows no more than a power cut tells
		return err
	}
	if mayHaveHappened(err) {
		return errors.Join(err, s.note(s.room, "no answer came to what was submitted to %s: %v", s.target.ID, err))
	}
	code := codeOf(err)
	remedy, ok := remedies[code]
	if !ok {
		remedy = transcript.SendAgain
	}
	if err := s.add(transcript.Refused{Target: s.target.ID, Code: code, Remedy: remedy}, s.people()); err != nil {
		return err
	}
	return &RefusedError{Target: s.target.ID, Remedy: remedy, Err: err}
}

func mayHaveHappened(err error) bool {
	_, uncertain := errors.AsType[*importer.UncertainError](err)
	return uncertain || importer.MayHaveHappened(err)
}

// codeOf is what KMS calls an error, "" for none of its own.
func codeOf(err error) string {
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// passes reports whether an error goes away by itself: KMS was not reached, did
// not answer, or is too busy.
func passes(err error) bool {
	if e, ok := errors.AsType[*RefusedError](err); ok && e.Remedy != transcript.SendAgain {
		return false
	}
	return mayHaveHappened(err) || retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary
}
