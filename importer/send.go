// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// sent is an import that has happened.
type sent struct {
	materialID string
	lostAnswer bool
}

// send makes the call. An import whose answer was lost is looked for first and
// sent again only if it has not happened: the token is then still unused.
func (i *Importer) send(ctx context.Context, r ImportRequest, before Key) (sent, error) {
	known, err := i.knownMaterials(ctx, r, before)
	if err != nil {
		return sent{}, err
	}
	const attempts = 3
	for attempt := 1; ; attempt++ {
		out, err := i.KMS.ImportKeyMaterial(ctx, r.input(before), retryOnlyThrottling)
		if err == nil {
			return sent{materialID: aws.ToString(out.KeyMaterialId)}, nil
		}
		failed := &CallError{Operation: "ImportKeyMaterial", Key: before.ARN, Err: err}
		if !MayHaveHappened(err) {
			return sent{}, failed
		}
		i.report(LostAnswer{Operation: "ImportKeyMaterial", Err: err})
		id, happened, err := i.look(ctx, r, before, known)
		switch {
		case err != nil:
			return sent{}, &UncertainError{KeyARN: before.ARN, Err: failed}
		case happened:
			return sent{materialID: id, lostAnswer: true}, nil
		case attempt == attempts:
			return sent{}, failed
		}
	}
}

func (r ImportRequest) input(k Key) *kms.ImportKeyMaterialInput {
	in := &kms.ImportKeyMaterialInput{
		KeyId:                aws.String(k.ARN),
		ImportToken:          r.Wrapped.ImportToken,
		EncryptedKeyMaterial: r.Wrapped.EncryptedKeyMaterial,
		ImportType:           r.Type,
	}
	in.ExpirationModel, in.ValidTo = r.Expiry.model()
	if r.MaterialID != "" {
		in.KeyMaterialId = aws.String(r.MaterialID)
	}
	if r.Description != "" {
		in.KeyMaterialDescription = aws.String(r.Description)
	}
	return in
}

// look finds out whether an import without an answer happened. It gives KMS
// a few seconds, because it is eventually consistent. Where the effect cannot
// be told from what was there before, it says no: sending the same material
// with the same expiry once more changes nothing.
func (i *Importer) look(ctx context.Context, r ImportRequest, before Key, known []KeyMaterial) (id string, happened bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	i.poll(ctx, "the effect of an import whose answer was lost", func() bool {
		switch {
		case r.stages(before):
			id, happened, err = i.findNew(ctx, before, known)
		case r.aside(before):
			id, happened, err = i.findAside(ctx, r, before, known)
		default:
			id, happened, err = i.findEffect(ctx, r, before)
		}
		return happened || err != nil
	})
	return id, happened, err
}

func (i *Importer) findEffect(ctx context.Context, r ImportRequest, before Key) (string, bool, error) {
	now, err := i.Describe(ctx, before.ARN)
	if err != nil {
		return "", false, err
	}
	changed := now.State != before.State || !now.Expiry.Equal(before.Expiry)
	return now.MaterialID, changed && now.State == types.KeyStateEnabled && now.Expiry.Equal(r.Expiry), nil
}

// findAside finds a change of a material beside the current one. When it was
// there before with the expiry asked for, nothing can be told.
func (i *Importer) findAside(ctx context.Context, r ImportRequest, before Key, known []KeyMaterial) (string, bool, error) {
	all, err := i.Materials(ctx, before)
	was, _ := withID(known, r.MaterialID)
	is, _ := withID(all, r.MaterialID)
	changed := is.Imported != was.Imported || !is.Expiry.Equal(was.Expiry)
	return r.MaterialID, changed && is.Imported && is.Expiry.Equal(r.Expiry), err
}

func (i *Importer) findNew(ctx context.Context, before Key, known []KeyMaterial) (string, bool, error) {
	all, err := i.Materials(ctx, before)
	for _, m := range all {
		if _, was := withID(known, m.ID); !was {
			return m.ID, true, err
		}
	}
	return "", false, err
}

// knownMaterials lists what the key has, where an import concerns something
// that DescribeKey does not show.
func (i *Importer) knownMaterials(ctx context.Context, r ImportRequest, k Key) ([]KeyMaterial, error) {
	if !r.stages(k) && !r.aside(k) {
		return nil, nil
	}
	return i.Materials(ctx, k)
}

// UncertainError says that an import got no answer and that looking for its
// effect failed too: it may have happened. Running it again is safe.
type UncertainError struct {
	KeyARN string
	Err    error
}

func (e *UncertainError) Error() string {
	return fmt.Sprintf("the import into %s got no answer and may have happened: %v", e.KeyARN, e.Err)
}

func (e *UncertainError) Unwrap() error { return e.Err }
