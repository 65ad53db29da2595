// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
)

func never() []Rule {
	return []Rule{{
		ID:         "never/export",
		Statement:  "KMS does not give imported material back: no answer about the key contains it.",
		Why:        "KMS is no escrow; a copy has to exist before the import.",
		Sources:    []Source{guidePlan(), recorded("GetPublicKey on a symmetric key")},
		Promise:    Documented,
		Keys:       1,
		Experiment: export,
	}, {
		ID:         "never/kms-origin",
		Statement:  "Nothing can be imported into a key whose material KMS made.",
		Why:        "The decision for or against bringing one's own material falls with the creation of the key.",
		Sources:    []Source{reference("GetParametersForImport"), recorded("GetParametersForImport on a key of origin AWS_KMS")},
		Promise:    Documented,
		Keys:       2,
		Experiment: kmsOrigin,
	}, {
		ID:         "never/custom-key-store",
		Statement:  "A key for imported material cannot be in a custom key store.",
		Why:        "One brings material to KMS, or keeps it in an HSM of one's own, but not both in one key.",
		Sources:    []Source{guideImport(), reference("CreateKey")},
		Promise:    Documented,
		Experiment: customKeyStore,
	}, {
		ID:         "never/ml-dsa",
		Statement:  "Material for ML-DSA keys cannot be imported: such a key for import is not even made.",
		Why:        "Post-quantum signing keys in KMS are made by KMS.",
		Sources:    []Source{guideImport(), recorded("CreateKey with origin EXTERNAL and ML_DSA_44, 65 and 87")},
		Promise:    Documented,
		Experiment: mlDSA,
	}}
}

func export(t *experiment.Trial) {
	m := t.Material(material.SymmetricDefault)
	k, _ := symmetric(t, m)
	experiment.Do(t, "ask for its public key", experiment.Refused("UnsupportedOperationException").Silent(), t.KMS.GetPublicKey,
		&kms.GetPublicKeyInput{KeyId: aws.String(k.ARN)})
	p := t.Fetch(k, experiment.Quick(k.Spec))
	ciphertext := t.Encrypt(k, "kept")
	if t.Err() != nil {
		return
	}
	for _, answer := range []struct {
		what  string
		bytes []byte
	}{{"the import token", p.ImportToken}, {"the wrapping key", p.PublicKey}, {"a ciphertext", ciphertext}} {
		found := false
		t.Must(m.Secret().Expose(func(b []byte) error {
			found = bytes.Contains(answer.bytes, b)
			return nil
		}))
		t.Check("whether "+answer.what+" contains the material", "false", boolean(found))
	}
}

func kmsOrigin(t *experiment.Trial) {
	a := t.NewKey(material.SymmetricDefault, func(in *kms.CreateKeyInput) { in.Origin = types.OriginTypeAwsKms })
	b := t.NewKey(material.SymmetricDefault, nil)
	refused := experiment.Refused("UnsupportedOperationException").Saying(a.ARN + " origin is AWS_KMS which is not valid for this operation.")
	fetchRefused(t, "fetch parameters for key A, whose material KMS made", refused, a, experiment.Quick(a.Spec))
	t.Import("import into key A what was wrapped for key B", refused, a, wrapped(t, b, t.Material(b.Spec)), nil)
	experiment.Do(t, "delete the material of key A", refused, t.KMS.DeleteImportedKeyMaterial,
		&kms.DeleteImportedKeyMaterialInput{KeyId: aws.String(a.ARN)})
	t.State(a, types.KeyStateEnabled)
}

func customKeyStore(t *experiment.Trial) {
	t.AskForKey("create a key for import in a custom key store", experiment.Refused(experiment.AnyCode), material.SymmetricDefault,
		func(in *kms.CreateKeyInput) { in.CustomKeyStoreId = aws.String("cks-1234567890abcdef0") })
}

func mlDSA(t *experiment.Trial) {
	for _, spec := range []types.KeySpec{types.KeySpecMlDsa44, types.KeySpecMlDsa65, types.KeySpecMlDsa87} {
		t.AskForKey("create an "+string(spec)+" key for import", invalid("KeySpec "+string(spec)+" is not supported for Origin EXTERNAL"), material.SymmetricDefault,
			func(in *kms.CreateKeyInput) { in.KeySpec, in.KeyUsage = spec, types.KeyUsageTypeSignVerify })
	}
}
