// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/inventory"
	"github.com/keymat/keymat/wrap"
)

// swapAlias puts a new key in the place of one that KMS does not rotate.
func (a *app) swapAlias(ctx context.Context, im *importer.Importer, key importer.Key, o rotateOptions, pair wrap.Pair, expiry importer.Expiry) error {
	if !strings.HasPrefix(o.swapAlias, "alias/") {
		return usagef("an alias begins with alias/, so: --swap-alias alias/%s", o.swapAlias)
	}
	if err := im.CheckSwap(ctx, key, o.swapAlias); err != nil {
		return err
	}
	client, err := a.connectIn(ctx, key.Region())
	if err != nil {
		return err
	}
	left := stillNeeds(key, o.swapAlias, inventory.Place{KMS: client, Now: a.now}.DependentsOf(ctx, key))
	if o.dryRun {
		a.say("would create a %s key like %s, import the material, and move %s to it", key.Spec, key.ARN, o.swapAlias)
		for _, need := range left {
			a.say("still needs the old key: %s", need)
		}
		return a.print(dryRun{keyFields: fieldsOf(key), DryRun: true})
	}
	m, err := a.keptMaterial(ctx, o.material, o.out, key.Spec)
	if err != nil {
		return err
	}
	done, err := im.SwapAlias(ctx, key, importer.SwapRequest{Alias: o.swapAlias, Material: m, Pair: pair, Expiry: expiry})
	if err != nil {
		return err
	}
	if err := a.print(swapped{receipt: receiptOf(done.Receipt, proofOf(done.Proof)), Alias: o.swapAlias, Old: key.ARN, Needs: left}); err != nil {
		return err
	}
	return noIfMismatch(done.Proof)
}

// stillNeeds says what goes on needing the old key once the alias has moved.
func stillNeeds(key importer.Key, moved string, d inventory.Dependents) []string {
	left := []string{needsOldKey(string(key.Usage))}
	others := slices.DeleteFunc(slices.Clone(d.Item.Aliases), func(alias string) bool { return alias == moved })
	if len(others) > 0 {
		left = append(left, "other aliases of it: "+list(others))
	}
	if n := len(d.Grants); n > 0 {
		left = append(left, fmt.Sprintf("%d grants on it, which the new key does not have", n))
	}
	left = append(left, "whoever names it by its ID or ARN")
	for _, gap := range d.Item.Gaps {
		left = append(left, "unknown: "+describeError(gap))
	}
	return left
}

// swapped is the result of an alias swap: the receipt of the new key.
type swapped struct {
	receipt
	Alias string   `json:"alias"`
	Old   string   `json:"previous_key_arn"`
	Needs []string `json:"still_needs_previous_key"`
}

func (s swapped) text(w io.Writer) {
	s.receipt.text(w)
	fields(w, "alias", s.Alias, "before", s.Old)
	for _, need := range s.Needs {
		fmt.Fprintf(w, "still needs the old key: %s\n", need)
	}
}

// needsOldKey says in words what a new key behind the alias cannot do.
func needsOldKey(usage string) string {
	switch {
	case strings.HasPrefix(usage, "ENCRYPT"):
		return "what was encrypted under the old key is decrypted by the old key only"
	case strings.HasPrefix(usage, "SIGN"):
		return "signatures of the old key are verified with its public key; whoever keeps that needs the new one, too"
	case strings.HasPrefix(usage, "GENERATE"):
		return "MACs of the old key are verified by the old key only"
	}
	return "secrets agreed with the old key need the old key"
}
