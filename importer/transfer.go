// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

// A Wrapper gives key material wrapped for these parameters. It may be asked
// more than once, so that the material need be in memory only meanwhile.
type Wrapper func(context.Context, *token.Parameters) (*token.Wrapped, error)

// WrapperOf is the Wrapper of material that is at hand.
func WrapperOf(m *material.Material) Wrapper {
	return func(_ context.Context, p *token.Parameters) (*token.Wrapped, error) { return token.Wrap(p, m) }
}

// Transfer is fetch, wrap and import in one go. A token that KMS takes no
// longer, or that was fetched ahead for [Importer.Parameters] and that KMS does
// not take at all, is replaced once: KMS refuses it before it does anything.
// r.Wrapped is made here and has to be nil.
func (i *Importer) Transfer(ctx context.Context, k Key, w Wrapper, pair wrap.Pair, r ImportRequest) (Receipt, error) {
	if err := r.Expiry.Check(i.now()); err != nil {
		return Receipt{}, err
	}
	p, ahead, err := i.parameters(ctx, k, pair)
	if err != nil {
		return Receipt{}, err
	}
	receipt, err := i.transferWith(ctx, p, w, r)
	if !isStale(err, ahead) {
		return receipt, err
	}
	if p, err = i.Fetch(ctx, k, pair); err != nil {
		return Receipt{}, err
	}
	return i.transferWith(ctx, p, w, r)
}

func (i *Importer) transferWith(ctx context.Context, p *token.Parameters, w Wrapper, r ImportRequest) (Receipt, error) {
	wrapped, err := w(ctx, p)
	if err != nil {
		return Receipt{}, err
	}
	r.Wrapped = wrapped
	return i.Import(ctx, r)
}

// parameters are those that were fetched ahead, or new ones. What was fetched
// for another key would end up in that key: it is an *AnswerError.
func (i *Importer) parameters(ctx context.Context, k Key, pair wrap.Pair) (p *token.Parameters, ahead bool, err error) {
	if i.Parameters != nil {
		p, err = i.Parameters(ctx, k, pair)
	}
	switch {
	case err != nil:
		return nil, false, err
	case p == nil || p.CheckAt(i.now()) != nil || p.Algorithm != pair.Algorithm || p.WrappingKeySpec != pair.KeySpec:
		p, err = i.Fetch(ctx, k, pair)
		return p, false, err
	}
	return p, true, checkParameters(p, k, pair, i.now())
}

// isStale reports that an import failed because of its token's age, or because
// of a token that was fetched ahead.
func isStale(err error, ahead bool) bool {
	_, old := errors.AsType[*token.ExpiredError](err)
	_, expired := errors.AsType[*types.ExpiredImportTokenException](err)
	_, invalid := errors.AsType[*types.InvalidImportTokenException](err)
	return old || expired || invalid && ahead
}
