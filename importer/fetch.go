// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

// Import parameters live 24 hours (KMS guide, "download the wrapping public key
// and import token"; recorded: exactly). The slack is for clocks that differ:
// beyond it AWS would have refused the request's signature.
const (
	parametersLifetime = 24 * time.Hour
	clockSlack         = 15 * time.Minute
)

// Fetch downloads a wrapping key and import token for the key and checks them
// against what was asked: key, RSA size and exponent, validity window. It fails
// with *OriginError, *StateError or *wrap.RefusedError before any call, and
// with *CallError or *AnswerError after it.
func (i *Importer) Fetch(ctx context.Context, k Key, pair wrap.Pair) (*token.Parameters, error) {
	if err := k.checkImportable(); err != nil {
		return nil, err
	}
	if err := wrap.Check(k.Spec, pair); err != nil {
		return nil, err
	}
	var out *kms.GetParametersForImportOutput
	err := i.whileYoung(ctx, k, func() (err error) {
		out, err = i.KMS.GetParametersForImport(ctx, &kms.GetParametersForImportInput{
			KeyId:             aws.String(k.ARN),
			WrappingAlgorithm: types.AlgorithmSpec(pair.Algorithm),
			WrappingKeySpec:   types.WrappingKeySpec(pair.KeySpec),
		})
		return err
	})
	if err != nil {
		return nil, &CallError{Operation: "GetParametersForImport", Key: k.ARN, Err: err}
	}
	p := &token.Parameters{
		KeyARN:          aws.ToString(out.KeyId),
		KeySpec:         k.Spec,
		Algorithm:       pair.Algorithm,
		WrappingKeySpec: pair.KeySpec,
		PublicKey:       out.PublicKey,
		ImportToken:     out.ImportToken,
		ValidTo:         aws.ToTime(out.ParametersValidTo).UTC(),
	}
	if err := checkParameters(p, k, pair, i.now()); err != nil {
		return nil, err
	}
	i.report(Fetched{Parameters: p})
	return p, nil
}

func checkParameters(p *token.Parameters, k Key, pair wrap.Pair, now time.Time) error {
	bad := func(field, got, want string) error {
		return &AnswerError{Operation: "GetParametersForImport", Field: field, Got: got, Want: want}
	}
	if p.KeyARN != k.ARN {
		return bad("KeyId", strconv.Quote(p.KeyARN), k.ARN)
	}
	pub, err := wrap.ParsePublicKey(p.PublicKey)
	if err != nil {
		return fmt.Errorf("GetParametersForImport answered a PublicKey that cannot be used: %w", err)
	}
	if pub.N.BitLen() != pair.KeySpec.Bits() {
		return bad("PublicKey", fmt.Sprintf("of %d bits", pub.N.BitLen()), string(pair.KeySpec))
	}
	if len(p.ImportToken) == 0 {
		return bad("ImportToken", "of 0 bytes", "a token")
	}
	if left := p.ValidTo.Sub(now); left <= 0 || left > parametersLifetime+clockSlack {
		return bad("ParametersValidTo", p.ValidTo.Format(time.RFC3339),
			"a time within 24 hours of this machine's clock, "+now.UTC().Format(time.RFC3339))
	}
	return nil
}
