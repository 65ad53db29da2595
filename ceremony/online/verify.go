// SPDX-License-Identifier: Apache-2.0

package online

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
)

// How it was seen that KMS holds the material, in [transcript.Verified]. The
// first two prove it. A symmetric key lets nothing be compared: that KMS took just
// the bytes wrapped offline, and names what it made of them, is all there is.
const (
	MethodPublicKey = "public key compared"
	MethodMAC       = "known answer accepted, and a false one refused"
	MethodUse       = "key material ID reported, and encrypted and decrypted under it"
	MethodListed    = "key material ID reported"
	MethodPending   = "key material ID reported; the material waits for a rotation"
)

// A verification looks at one target.
type verification struct {
	*Machine
	target     plan.Target
	cargo      cargo
	materialID string // that KMS reported
	kms        *importer.Importer
	client     KMS
	key        importer.Key
}

// verify proves by use that KMS holds the material, as far as KMS lets it, and as
// the plan says. Errors: [*DifferentError] and [*gap.MismatchError], which are
// recorded as an exception; [*importer.CallError]; or those of reading.
func (m *Machine) verify(ctx context.Context, r room.Room, id string) error {
	v := verification{Machine: m}
	var err error
	if v.target, err = targetOf(m.plan, id); err != nil {
		return err
	}
	t, err := m.target(id)
	if err != nil {
		return err
	}
	v.materialID = t.MaterialID
	if v.cargo, err = cargoOf(m.plan, m.folders[0], t); err != nil {
		return err
	}
	if v.kms, v.client, err = m.service.importer(ctx, v.target.Region, m.now, nil); err != nil {
		return err
	}
	if v.key, err = v.kms.Describe(ctx, v.cargo.wrapped.KeyARN); err != nil {
		return err
	}
	method, err := v.prove(ctx)
	if different, ok := errors.AsType[*DifferentError](err); ok {
		exception := transcript.Exception{Expected: different.What + " " + different.Want, Happened: different.Error(), Decided: "not verified"}
		return errors.Join(different, m.add(exception, m.people()))
	}
	if err != nil {
		return err
	}
	if err := m.add(transcript.Verified{Target: id, Method: method}, m.people()); err != nil {
		return err
	}
	r.Tell("%s is verified: %s", id, method)
	return nil
}

func (v *verification) prove(ctx context.Context) (method string, err error) {
	if err := checkKey(v.plan, v.target, v.key); err != nil {
		return "", err
	}
	spec := v.plan.Material.Spec
	if spec.Kind() == material.Symmetric {
		return v.byUse(ctx)
	}
	if v.key.State != types.KeyStateEnabled {
		return "", v.different("key state", v.key.State, types.KeyStateEnabled)
	}
	if err := v.checkExpiry(v.key.Expiry); err != nil {
		return "", err
	}
	if spec.KeyPair() {
		return MethodPublicKey, v.byPublicKey(ctx)
	}
	return MethodMAC, v.byMAC(ctx)
}

func (v *verification) different(what string, got, want any) error {
	return &DifferentError{Target: v.target.ID, What: what, Got: fmt.Sprint(got), Want: fmt.Sprint(want)}
}

func (v *verification) checkExpiry(got importer.Expiry) error {
	if want := v.cargo.expiry(); !got.Equal(want) {
		return v.different("expiry", got, want)
	}
	return nil
}

func (v *verification) byPublicKey(ctx context.Context) error {
	out, err := v.client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: aws.String(v.key.ARN)})
	if err != nil {
		return &importer.CallError{Operation: "GetPublicKey", Key: v.key.ARN, Err: err}
	}
	if got := material.FingerprintPublicKey(out.PublicKey).String(); got != v.cargo.pack.Fingerprint {
		return v.different("public key", got, v.cargo.pack.Fingerprint)
	}
	return nil
}

// byMAC has KMS accept the first known answer, and refuse the second with one bit
// turned: so that whoever answers in its place cannot just say yes.
func (v *verification) byMAC(ctx context.Context) error {
	answers := v.cargo.entry.KnownAnswers
	if len(answers) < 2 || slices.ContainsFunc(answers, func(a gap.KnownAnswer) bool { return len(a.MAC) == 0 }) {
		return v.different("list of known answers in the package", len(answers), 2)
	}
	accepted, err := v.verifyMAC(ctx, answers[0].Message, answers[0].MAC)
	if err != nil {
		return err
	}
	if !accepted {
		return v.different("answer to VerifyMac of what the material made", "that it is wrong", "that it is right")
	}
	flipped := bytes.Clone(answers[1].MAC)
	flipped[0] ^= 1
	if accepted, err = v.verifyMAC(ctx, answers[1].Message, flipped); err != nil {
		return err
	}
	if accepted {
		return v.different("answer to VerifyMac of what the material did not make", "that it is right", "that it is wrong")
	}
	return nil
}

func (v *verification) verifyMAC(ctx context.Context, message string, mac []byte) (accepted bool, err error) {
	out, err := v.client.VerifyMac(ctx, &kms.VerifyMacInput{
		KeyId: aws.String(v.key.ARN), Message: []byte(message), Mac: mac,
		MacAlgorithm: types.MacAlgorithmSpec("HMAC_SHA_" + string(v.key.Spec[len("HMAC_"):])), // each spec has one (KMS API, MacAlgorithmSpec)
	})
	if _, invalid := errors.AsType[*types.KMSInvalidMacException](err); invalid {
		return false, nil
	}
	if err != nil {
		return false, &importer.CallError{Operation: "VerifyMac", Key: v.key.ARN, Err: err}
	}
	return out.MacValid, nil
}

// byUse looks for the material among those of the key, and uses the key where it
// is the current one.
func (v *verification) byUse(ctx context.Context) (method string, err error) {
	all, err := v.kms.Materials(ctx, v.key)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(all, func(m importer.KeyMaterial) bool { return m.ID == v.materialID })
	if i < 0 {
		return "", v.different("list of key materials", fmt.Sprintf("without %s", v.materialID), "with it")
	}
	m := all[i]
	if m.Missing(v.now()) {
		return "", v.different("key material "+m.ID, "missing", "imported")
	}
	if err := v.checkExpiry(m.Expiry); err != nil {
		return "", err
	}
	before, err := v.before(v.target.ID)
	switch {
	case err != nil:
		return "", err
	case v.target.Import == plan.ImportNew && m.State != types.KeyMaterialStateCurrent && !(m.Pending() && v.cargo.stages(before.MaterialID)):
		return "", v.different("key material "+m.ID, m.State, types.KeyMaterialStateCurrent)
	case m.Pending():
		return MethodPending, nil
	case v.key.State != types.KeyStateEnabled:
		return "", v.different("key state", v.key.State, types.KeyStateEnabled)
	case m.State != types.KeyMaterialStateCurrent:
		return MethodListed, nil
	}
	return MethodUse, v.encryptAndDecrypt(ctx)
}
