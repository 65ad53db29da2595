// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
)

// Opening says whether a copy of a rotated key opens ciphertexts of before and
// after the rotation.
type Opening struct {
	Verdict Verdict
	Reason  string // why it is not proven
}

// A probe is a random value that a key encrypted, to find out later whether
// the ciphertext opens. Without ciphertext, refused says why there is none.
type probe struct {
	plaintext, ciphertext []byte
	refused               string
}

// probeContext tells whoever reads the trail what these calls were for.
func probeContext() map[string]string { return map[string]string{"keymat": "rotation check"} }

// seal makes a probe. Whoever rotates keys need not be allowed to use them:
// then there is none.
func (i *Importer) seal(ctx context.Context, k Key) (probe, error) {
	p := probe{plaintext: make([]byte, nonceLength)}
	rand.Read(p.plaintext)
	out, err := i.KMS.Encrypt(ctx, &kms.EncryptInput{KeyId: aws.String(k.ARN), Plaintext: p.plaintext, EncryptionContext: probeContext()})
	if isDenied(err) {
		return probe{refused: "Encrypt is not allowed"}, nil
	}
	if err != nil {
		return probe{}, &CallError{Operation: "Encrypt", Key: k.ARN, Err: err}
	}
	p.ciphertext = out.CiphertextBlob
	return p, nil
}

// open decrypts a probe and tells whether it is what was encrypted, under the
// material with this ID; "" is any.
func (i *Importer) open(ctx context.Context, k Key, p probe, materialID string) (Opening, error) {
	if p.refused != "" {
		return Opening{Verdict: Unproven, Reason: p.refused}, nil
	}
	out, err := i.KMS.Decrypt(ctx, &kms.DecryptInput{KeyId: aws.String(k.ARN), CiphertextBlob: p.ciphertext, EncryptionContext: probeContext()})
	_, unusable := errors.AsType[*types.KMSInvalidStateException](err)
	_, disabled := errors.AsType[*types.DisabledException](err)
	switch {
	case isDenied(err):
		return Opening{Verdict: Unproven, Reason: "Decrypt is not allowed"}, nil
	case unusable || disabled:
		return Opening{Verdict: Unproven, Reason: "the key cannot be used now"}, nil
	case err != nil:
		return Opening{}, &CallError{Operation: "Decrypt", Key: k.ARN, Err: err}
	case !bytes.Equal(out.Plaintext, p.plaintext):
		return Opening{Verdict: Mismatch, Reason: "another plaintext came out"}, nil
	case materialID != "" && aws.ToString(out.KeyMaterialId) != materialID:
		return Opening{Verdict: Mismatch, Reason: fmt.Sprintf("it was encrypted under %s", aws.ToString(out.KeyMaterialId))}, nil
	}
	return Opening{Verdict: Proven}, nil
}

// openEverywhere tries in each copy whether the probe of before the rotation
// opens, and one of after it.
func openEverywhere(ctx context.Context, copies []Copy, before probe, done *Rotated) error {
	after, err := sealUnder(ctx, copies[0], done.To)
	if err != nil {
		return err
	}
	for n, c := range copies {
		for _, p := range []struct {
			probe
			materialID string
		}{{before, ""}, {after, done.To}} {
			opening, err := c.open(ctx, c.Key, p.probe, p.materialID)
			if err != nil {
				return err
			}
			if done.Copies[n].Opening = opening; opening.Verdict != Proven {
				break
			}
		}
	}
	return nil
}

// sealUnder makes a probe under the new material, which KMS may take a moment
// to use everywhere.
func sealUnder(ctx context.Context, c Copy, materialID string) (p probe, err error) {
	c.poll(ctx, "KMS to use the new material", func() bool {
		if p, err = c.seal(ctx, c.Key); err != nil || p.refused != "" {
			return true
		}
		opening, failed := c.open(ctx, c.Key, p, materialID)
		err = failed
		return err != nil || opening.Verdict != Mismatch
	})
	return p, err
}

func isDenied(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "AccessDeniedException"
}
