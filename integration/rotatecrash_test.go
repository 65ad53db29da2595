// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

package integration_test

import (
	"bytes"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/material"
)

// sealed is a key with its first material, and what was encrypted under that.
type sealed struct {
	key        string
	materialID string
	ciphertext []byte
}

var message = []byte("are you there?")

// toRotate makes a key with the material of the escrow before.escrow.
func (d *desk) toRotate() (s sealed) {
	d.t.Helper()
	m, _, err := material.Parse(d.read("before.key"), material.Options{Spec: material.SymmetricDefault, As: material.Raw})
	if err != nil {
		d.t.Fatal(err)
	}
	client := newClient(d.url)
	if s.key, err = bring(d.t.Context(), client, m); err != nil {
		d.t.Fatal(err)
	}
	out, err := client.Encrypt(d.t.Context(), &kms.EncryptInput{KeyId: &s.key, Plaintext: message})
	if err != nil {
		d.t.Fatal(err)
	}
	s.ciphertext = out.CiphertextBlob
	s.materialID = aws.ToString(d.materials(s.key)[0].KeyMaterialId)
	return s
}

// materials lists what the key holds, oldest first.
func (d *desk) materials(key string) []types.RotationsListEntry {
	d.t.Helper()
	all, err := newClient(d.url).ListKeyRotations(d.t.Context(), &kms.ListKeyRotationsInput{KeyId: &key, IncludeKeyMaterial: types.IncludeKeyMaterialAllKeyMaterial})
	if err != nil {
		d.t.Fatal(err)
	}
	return all.Rotations
}

// finishRotation runs a rotation again that ended at a fault, with the copy if
// there is one, and demands that nothing is lost: KMS holds two materials and
// rotated once, the ciphertexts of before and after open, and so does the escrow
// of each material.
func (d *desk) finishRotation(run trial, fault string, copied bool) {
	d.t.Helper()
	again := run.line
	if copied {
		again = slices.Concat([]string{"rotate", run.key, "--wrapping-key", "RSA_2048", "--never-expires", "--material", "copy"}, run.opens)
	} else {
		d.clearCopies() // shares of an escrow that never was
	}
	var rotated struct {
		Before string `json:"previous_key_material_id"`
		Now    string `json:"key_material_id"`
		Used   int    `json:"on_demand_rotations"`
	}
	d.keymatJSON(&rotated, again...)
	all := d.materials(run.key)
	if len(all) != 2 || rotated.Used != 1 || rotated.Now == run.before.materialID {
		d.t.Errorf("%s: run again it says %+v, and the key has %d materials", fault, rotated, len(all))
	}
	for _, m := range all {
		if id := aws.ToString(m.KeyMaterialId); (m.KeyMaterialState == types.KeyMaterialStateCurrent) != (id == rotated.Now) {
			d.t.Errorf("%s: material %s is %s", fault, id, m.KeyMaterialState)
		}
	}
	d.checkOpens(run.key, fault, run.before.ciphertext)
	out, err := newClient(d.url).Encrypt(d.t.Context(), &kms.EncryptInput{KeyId: &run.key, Plaintext: message})
	if err != nil {
		d.t.Fatal(err)
	}
	d.checkOpens(run.key, fault, out.CiphertextBlob)
	d.checkHolds("before.escrow", run.key, run.before.materialID, fault, "--open-key", "kek.key")
	d.checkHolds("copy", run.key, rotated.Now, fault, run.opens...)
}

func (d *desk) checkOpens(key, fault string, ciphertext []byte) {
	d.t.Helper()
	out, err := newClient(d.url).Decrypt(d.t.Context(), &kms.DecryptInput{KeyId: &key, CiphertextBlob: ciphertext})
	if err != nil || !bytes.Equal(out.Plaintext, message) {
		d.t.Errorf("%s: a ciphertext does not open: %v", fault, err)
	}
}

// checkHolds demands that the escrow opens and is this material of the key.
func (d *desk) checkHolds(escrow, key, id, fault string, opens ...string) {
	d.t.Helper()
	o := d.try(built.keymat, slices.Concat([]string{"escrow", "drill", escrow, "--key", key, "--reimport", "--material-id", id, "--wrapping-key", "RSA_2048", "--no-input"}, opens)...)
	if o.status != 0 {
		d.t.Errorf("%s: %s is not the material %s: exit code %d, %s", fault, escrow, id, o.status, o.stderr)
	}
}
