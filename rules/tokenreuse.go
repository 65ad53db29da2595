// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
)

func tokenReuse() []Rule {
	return []Rule{{
		ID:         "token-reuse/other-key",
		Statement:  "An import token serves only the key it was fetched for.",
		Why:        "Wrapped material and token made for one key are worth nothing to another: a package that is sent astray imports nothing.",
		Sources:    []Source{guideImport},
		Promise:    Documented,
		Keys:       2,
		Experiment: tokenOfOtherKey,
	}}
}

// guideImport is the page on which AWS describes the import.
var guideImport = Source{
	Title: "AWS KMS Developer Guide, Importing key material",
	URL:   "https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html",
}

func tokenOfOtherKey(t *experiment.Trial) {
	a, b := t.NewKey(material.SymmetricDefault, nil), t.NewKey(material.SymmetricDefault, nil)
	w := t.Wrap(t.Fetch(a, experiment.Quick(a.Spec)), t.Material(a.Spec))
	t.Import("import into key B what was fetched and wrapped for key A", experiment.Refused("InvalidImportTokenException"), b, w, nil)
	t.State(b, types.KeyStatePendingImport)
	t.Import("import it into key A", experiment.Success, a, w, nil)
	t.State(a, types.KeyStateEnabled)
}
