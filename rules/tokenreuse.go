// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
)

func tokenReuse() []Rule {
	return []Rule{{
		ID:         "token-reuse/other-key",
		Statement:  "An import token serves only the key it was fetched for.",
		Why:        "Wrapped material and token made for one key are worth nothing to another: a package that is sent astray imports nothing.",
		Sources:    []Source{reference("ImportKeyMaterial"), recorded("importing with the token of another key")},
		Promise:    Documented,
		Keys:       2,
		Experiment: tokenOfOtherKey,
	}, {
		ID:         "token-reuse/twice",
		Statement:  "An import token and its wrapped material can serve the same key again within its 24 hours.",
		Why:        "The package is no use-once ticket: who keeps a copy can undo a deletion of the material for as long as the token is valid.",
		Sources:    []Source{recorded("importing again and again with one token")},
		Promise:    Observed,
		Keys:       1,
		Experiment: tokenTwice,
	}, {
		ID:         "token-reuse/older-token",
		Statement:  "Fetching a newer import token does not end the older one.",
		Why:        "Two people preparing an import at once do not spoil each other's work, and fetching again is no way to revoke a token that got away.",
		Sources:    []Source{recorded("importing with the first of two sets of parameters")},
		Promise:    Observed,
		Keys:       1,
		Experiment: olderToken,
	}, {
		ID:         "token-reuse/failed-import",
		Statement:  "An import that is refused does not use up its token.",
		Why:        "After a mistake in the request the same package can be sent again; nobody has to open the safe twice.",
		Sources:    []Source{recorded("importing after refused imports with the same token")},
		Promise:    Observed,
		Keys:       1,
		Experiment: tokenAfterFailure,
	}, {
		ID:         "token-reuse/other-fetch-same-key",
		Statement:  "An import token opens only what was wrapped under the public key it came with, even for the same key.",
		Why:        "Token and public key of two downloads cannot be mixed, and KMS's refusal does not say that this was the mistake.",
		Sources:    []Source{guideFetch(), recorded("importing corrupt or foreign ciphertext")},
		Promise:    Documented,
		Keys:       1,
		Experiment: otherFetchSameKey,
	}, {
		ID:         "token-reuse/other-fetch-other-key",
		Statement:  "A new token for a second key does not open what was wrapped for the first key.",
		Why:        "Bringing one material to two keys takes wrapping it twice, so it takes the material itself.",
		Sources:    []Source{guideFetch(), reference("ImportKeyMaterial")},
		Promise:    Documented,
		Keys:       2,
		Experiment: otherFetchOtherKey,
	}, {
		ID:         "token-reuse/second-key",
		Statement:  "The same material reaches a second key only by a new token and a new wrapping.",
		Why:        "Neither the old package, nor the old wrapping with a new token does: the three attempts everyone makes, in their order.",
		Sources:    []Source{guideImport(), reference("ImportKeyMaterial")},
		Promise:    Documented,
		Keys:       2,
		Experiment: secondKey,
	}, {
		ID:         "token-reuse/corrupted-token",
		Statement:  "An import token that was changed in any place is refused.",
		Why:        "A token cannot be forged or adapted to another key, and one damaged on its way is noticed.",
		Sources:    []Source{reference("ImportKeyMaterial"), recorded("importing with a corrupted token")},
		Promise:    Documented,
		Keys:       1,
		Experiment: corruptedToken,
	}, {
		ID:         "token-reuse/valid-24-hours",
		Statement:  "Import parameters are valid until 24 hours after they were fetched.",
		Why:        "An offline ceremony has one day from the download to the upload.",
		Sources:    []Source{guideFetch(), recorded("GetParametersForImport")},
		Promise:    Documented,
		Keys:       1,
		Experiment: validForADay,
	}, {
		ID:         "token-reuse/expired-token",
		Statement:  "After its 24 hours an import token is refused, and was accepted until then.",
		Why:        "A package that got away is dangerous for a day and worthless afterwards.",
		Sources:    []Source{reference("ImportKeyMaterial"), guideFetch()},
		Promise:    Documented,
		Effects:    "moves the clock ahead by a day",
		Keys:       1,
		MovesClock: true,
		Experiment: expiredToken,
	}}
}

func tokenOfOtherKey(t *experiment.Trial) {
	a, b := t.NewKey(material.SymmetricDefault, nil), t.NewKey(material.SymmetricDefault, nil)
	w := wrapped(t, a, t.Material(a.Spec))
	t.Import("import into key B what was fetched and wrapped for key A", badToken(), b, w, nil)
	t.State(b, types.KeyStatePendingImport)
	t.Import("import it into key A", experiment.Success, a, w, nil)
	t.State(a, types.KeyStateEnabled)
}

func tokenTwice(t *experiment.Trial) {
	k := t.NewKey(material.SymmetricDefault, nil)
	w := wrapped(t, k, t.Material(k.Spec))
	t.Import("import the material", experiment.Success, k, w, nil)
	ciphertext := t.Encrypt(k, "kept")
	t.Import("import it again with the same token", experiment.Success, k, w, nil)
	remove(t, "delete the material", k, "")
	t.State(k, types.KeyStatePendingImport)
	t.Import("import it once more with the same token", experiment.Success, k, w, nil)
	t.State(k, types.KeyStateEnabled)
	t.Decrypt("decrypt what was encrypted before", experiment.Success, k, ciphertext, "kept")
}

func olderToken(t *experiment.Trial) {
	k := t.NewKey(material.SymmetricDefault, nil)
	m := t.Material(k.Spec)
	older := t.Fetch(k, experiment.Quick(k.Spec))
	newer := t.Fetch(k, experiment.Quick(k.Spec))
	t.Import("import with the older token", experiment.Success, k, t.Wrap(older, m), nil)
	t.State(k, types.KeyStateEnabled)
	t.Import("import the same with the newer token", experiment.Success, k, t.Wrap(newer, m), nil)
}

func tokenAfterFailure(t *experiment.Trial) {
	k := t.NewKey(material.SymmetricDefault, nil)
	w := wrapped(t, k, t.Material(k.Spec))
	t.Import("import without saying when it expires", invalid("A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"),
		k, w, func(in *kms.ImportKeyMaterialInput) { in.ExpirationModel = "" })
	t.Import("import it with a damaged ciphertext", badCiphertext(), k, damaged(w), nil)
	t.State(k, types.KeyStatePendingImport)
	t.Import("import it undamaged with the same token", experiment.Success, k, w, nil)
	t.State(k, types.KeyStateEnabled)
}

// damaged is the package with a bit of the wrapped material turned.
func damaged(w *token.Wrapped) *token.Wrapped {
	d := *w
	d.EncryptedKeyMaterial = flipped(w.EncryptedKeyMaterial, len(w.EncryptedKeyMaterial)/2)
	return &d
}

// flipped is a copy of b with a bit of byte i turned; of no bytes none.
func flipped(b []byte, i int) []byte {
	c := append([]byte(nil), b...)
	if i < len(c) {
		c[i] ^= 1
	}
	return c
}

func otherFetchSameKey(t *experiment.Trial) {
	k := t.NewKey(material.SymmetricDefault, nil)
	m := t.Material(k.Spec)
	first, second := t.Fetch(k, experiment.Quick(k.Spec)), t.Fetch(k, experiment.Quick(k.Spec))
	w := t.Wrap(first, m)
	t.Import("import what was wrapped under the first public key with the second token", badCiphertext(), k, refetched(w, second), nil)
	t.State(k, types.KeyStatePendingImport)
	t.Import("import it with the first token", experiment.Success, k, w, nil)
	t.State(k, types.KeyStateEnabled)
}

func otherFetchOtherKey(t *experiment.Trial) {
	a, b := t.NewKey(material.SymmetricDefault, nil), t.NewKey(material.SymmetricDefault, nil)
	w := wrapped(t, a, t.Material(a.Spec))
	p := t.Fetch(b, experiment.Quick(b.Spec))
	t.Import("import into key B, with its own token, what was wrapped for key A", badCiphertext(), b, refetched(w, p), nil)
	t.State(b, types.KeyStatePendingImport)
}

func secondKey(t *experiment.Trial) {
	a, b := t.NewKey(material.SymmetricDefault, nil), t.NewKey(material.SymmetricDefault, nil)
	m := t.Material(a.Spec)
	w := wrapped(t, a, m)
	t.Import("import the material into key A", experiment.Success, a, w, nil)
	t.Import("import the same package into key B", badToken(), b, w, nil)
	p := t.Fetch(b, experiment.Quick(b.Spec))
	t.Import("import the old wrapping into key B with a new token", badCiphertext(), b, refetched(w, p), nil)
	t.State(b, types.KeyStatePendingImport)
	t.Import("import the same material, wrapped anew, into key B with that token", experiment.Success, b, t.Wrap(p, m), nil)
	t.State(a, types.KeyStateEnabled)
	t.State(b, types.KeyStateEnabled)
}

func corruptedToken(t *experiment.Trial) {
	k := t.NewKey(material.SymmetricDefault, nil)
	w := wrapped(t, k, t.Material(k.Spec))
	n := len(w.ImportToken)
	for _, damage := range []struct {
		what  string
		token []byte
	}{
		{"import with a token of which the first byte was changed", flipped(w.ImportToken, 0)},
		{"import with a token changed in the middle", flipped(w.ImportToken, n/2)},
		{"import with a token of which the last byte was changed", flipped(w.ImportToken, n-1)},
		{"import with a token that lacks its last byte", w.ImportToken[:max(n-1, 0)]},
		{"import with 32 letters x in place of the token", bytes.Repeat([]byte("x"), 32)},
	} {
		t.Import(damage.what, badToken(), k, w, func(in *kms.ImportKeyMaterialInput) { in.ImportToken = damage.token })
	}
	t.State(k, types.KeyStatePendingImport)
	t.Import("import with the token as it came", experiment.Success, k, w, nil)
}

// clockDifference is how far this machine's clock may be off, against KMS's.
const clockDifference = 5 * time.Minute

func validForADay(t *experiment.Trial) {
	k := t.NewKey(material.SymmetricDefault, nil)
	fetched := t.Now()
	p := t.Fetch(k, experiment.Quick(k.Spec))
	t.Check("how long the parameters are valid", "24 hours", about(p.ValidTo.Sub(fetched), 24*time.Hour, "24 hours"))
}

// about is the words for want where d is want but for the difference between
// two clocks, and otherwise d itself.
func about(d, want time.Duration, words string) string {
	if (d - want).Abs() <= clockDifference {
		return words
	}
	return d.Round(time.Second).String()
}

func expiredToken(t *experiment.Trial) {
	k := t.NewKey(material.SymmetricDefault, nil)
	w := wrapped(t, k, t.Material(k.Spec))
	t.Advance(24*time.Hour - time.Minute)
	t.Import("import a minute before the token expires", experiment.Success, k, w, nil)
	remove(t, "delete the material", k, "")
	t.Advance(2 * time.Minute)
	t.Import("import a minute after the token expired", experiment.Refused("ExpiredImportTokenException"), k, w, nil)
	t.State(k, types.KeyStatePendingImport)
}
