// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/material"
)

// A Witness recognises a material in KMS when the material itself is no longer
// in memory: by its public key, or by the MAC of a fresh nonce. Nothing in it
// is secret. That of a symmetric key recognises nothing.
type Witness struct {
	spec       material.Spec
	public     []byte // DER SubjectPublicKeyInfo
	nonce, mac []byte
}

// nonceLength is in bytes; long enough that no MAC of it exists yet.
const nonceLength = 32

// WitnessOf makes a Witness of a material.
func WitnessOf(m *material.Material) (Witness, error) {
	w := Witness{spec: m.Spec()}
	switch {
	case w.spec.KeyPair():
		w.public = m.PublicKeyDER()
	case w.spec.Kind() == material.HMAC:
		w.nonce = make([]byte, nonceLength)
		rand.Read(w.nonce)
		mac, err := m.MAC(w.nonce)
		if err != nil {
			return Witness{}, err
		}
		w.mac = mac
	}
	return w, nil
}

// ConfirmBy is [Importer.Confirm] with a witness in place of the material, and
// leaves a symmetric key Unproven. It reports no event.
func (i *Importer) ConfirmBy(ctx context.Context, k Key, w Witness) (Proof, error) {
	if w.spec != k.Spec {
		return Proof{}, &material.MismatchError{Want: k.Spec, Found: string(w.spec)}
	}
	proof := Proof{Verdict: Unproven, Method: ReportedID, MaterialID: k.MaterialID}
	var err error
	switch {
	case w.spec.KeyPair():
		proof, err = i.comparePublicKeys(ctx, k, w)
	case w.spec.Kind() == material.HMAC:
		proof, err = i.compareMACs(ctx, k, w)
	}
	if err != nil {
		return Proof{}, err
	}
	proof.KeyARN = k.ARN
	return proof, nil
}

func (i *Importer) comparePublicKeys(ctx context.Context, k Key, w Witness) (Proof, error) {
	out, err := i.KMS.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: aws.String(k.ARN)})
	if err != nil {
		return Proof{}, &CallError{Operation: "GetPublicKey", Key: k.ARN, Err: err}
	}
	return Proof{Method: PublicKeys, Verdict: verdict(bytes.Equal(out.PublicKey, w.public))}, nil
}

func (i *Importer) compareMACs(ctx context.Context, k Key, w Witness) (Proof, error) {
	out, err := i.KMS.GenerateMac(ctx, &kms.GenerateMacInput{
		KeyId:        aws.String(k.ARN),
		Message:      w.nonce,
		MacAlgorithm: macAlgorithm(k.Spec),
	})
	if err != nil {
		return Proof{}, &CallError{Operation: "GenerateMac", Key: k.ARN, Err: err}
	}
	return Proof{Method: MACs, Verdict: verdict(hmac.Equal(out.Mac, w.mac))}, nil
}

// macAlgorithm: each HMAC spec has one algorithm, HMAC_256 has HMAC_SHA_256
// (KMS API, MacAlgorithmSpec).
func macAlgorithm(s material.Spec) types.MacAlgorithmSpec {
	return types.MacAlgorithmSpec("HMAC_SHA_" + string(s[len("HMAC_"):]))
}

func verdict(equal bool) Verdict {
	if equal {
		return Proven
	}
	return Mismatch
}
