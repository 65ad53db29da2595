// SPDX-License-Identifier: Apache-2.0

package rules_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/mockkms"
	"github.com/keymat/keymat/rules"
)

// ownWrappingKeys are the rules that a mock breaks which gives every fetch the
// same wrapping key.
var ownWrappingKeys = map[string]bool{
	"token-reuse/other-fetch-same-key":  true,
	"token-reuse/other-fetch-other-key": true,
	"token-reuse/second-key":            true,
}

// stock has the wrapping keys of their mocks, each of which only one has at a time.
var stock = mockkms.NewWrappingKeys()

// byFlaw names the rules that each flaw breaks, and that no other does.
var byFlaw = map[mockkms.Flaw][]string{
	mockkms.FlawTokenForAnyKey:    {"token-reuse/other-key", "token-reuse/second-key"},
	mockkms.FlawTokenNeverExpires: {"token-reuse/expired-token"},
	mockkms.FlawDeadlineMisstated: {"token-reuse/valid-24-hours"},

	mockkms.FlawOtherMaterial: {
		"same-material/other-bytes", "same-material/after-deletion", "same-material/explicitly-existing",
		"same-material/other-bytes-elsewhere", "multi-region/same-material",
	},
	mockkms.FlawDeletionForgets:    {"same-material/after-deletion", "same-material/other-bytes-elsewhere", "multi-region/same-material"},
	mockkms.FlawKnownAsNew:         {"same-material/known-as-new", "rotation/expired-material"},
	mockkms.FlawNamedIDIgnored:     {"same-material/named-id"},
	mockkms.FlawNewWithID:          {"same-material/new-with-id"},
	mockkms.FlawKeysAlike:          {"same-material/id-per-key", "portability/finds-its-key", "portability/other-key"},
	mockkms.FlawIDForAll:           {"same-material/no-ids-elsewhere"},
	mockkms.FlawMembersForAll:      {"same-material/one-for-life"},
	mockkms.FlawDescriptionDropped: {"same-material/description"},

	mockkms.FlawAutomaticRotation: {"rotation/no-automatic"},
	mockkms.FlawNewAtOnce: {
		"rotation/staged", "rotation/on-demand", "rotation/disabled", "rotation/third-material", "rotation/withdraw", "rotation/withdrawn",
		"rotation/lose-any", "rotation/second-request", "rotation/decided-at-the-end", "rotation/not-stopped-by-disabling",
		"rotation/expired-material", "multi-region/everywhere-first", "multi-region/withdraw", "rotation/history",
	},
	mockkms.FlawRotationForgets:   {"rotation/on-demand", "rotation/lose-any", "rotation/expired-material", "multi-region/everywhere-first"},
	mockkms.FlawRotatesNothing:    {"rotation/nothing-waiting", "rotation/second-request"},
	mockkms.FlawRotatesInAnyState: {"rotation/without-material", "rotation/disabled"},
	mockkms.FlawThirdMaterial:     {"rotation/third-material"},
	mockkms.FlawWaitingStays:      {"rotation/withdraw", "rotation/withdrawn", "rotation/decided-at-the-end", "multi-region/withdraw"},
	mockkms.FlawOldMaterialStays:  {"rotation/lose-any"},
	mockkms.FlawRotationDecided:   {"rotation/decided-at-the-end"},
	mockkms.FlawDisablingStops:    {"rotation/not-stopped-by-disabling"},

	mockkms.FlawAnyWrapping: {
		"wrapping/symmetric", "wrapping/hmac", "wrapping/p521", "wrapping/ed25519", "wrapping/rsa", "wrapping/pkcs1-v1-5",
	},
	mockkms.FlawAnyOAEPHash:   {"wrapping/wrong-hash", "wrapping/mixed-hashes"},
	mockkms.FlawPKCS1:         {"wrapping/wrong-padding"},
	mockkms.FlawShortMaterial: {"wrapping/length"},

	mockkms.FlawExpiryOptional: {"lifetime/expiry-required", "token-reuse/failed-import"},
	mockkms.FlawDateForEver:    {"lifetime/no-date-for-ever"},
	mockkms.FlawDateInPast:     {"lifetime/date-in-future"},
	mockkms.FlawDateBeyondYear: {"lifetime/at-most-365-days"},
	mockkms.FlawFractionsKept:  {"lifetime/expiry-implied"},
	mockkms.FlawNeverExpires:   {"lifetime/expires", "lifetime/expired-looks-imported", "rotation/expired-material", "multi-region/expiry-apart"},
	mockkms.FlawExpiredListed:  {"lifetime/expired-looks-imported"},
	mockkms.FlawFirstDateStays: {"lifetime/new-date", "multi-region/expiry-apart"},
	mockkms.FlawDeletionWaits: {
		"lifetime/delete-at-once", "lifetime/delete-twice", "lifetime/deletion-cancelled-empty", "lifetime/deletion-pending",
		"lifetime/expired-looks-imported", "lifetime/restore", "lifetime/without-material", "rotation/without-material",
		"same-material/after-deletion", "same-material/id-survives", "same-material/other-bytes-elsewhere",
		"token-reuse/expired-token", "token-reuse/twice", "multi-region/independent", "portability/lost-material", "portability/re-import",
	},
	mockkms.FlawEnablesEmpty:         {"lifetime/without-material"},
	mockkms.FlawImportLeavesDisabled: {"lifetime/import-enables"},
	mockkms.FlawAnyWindow:            {"lifetime/deletion-window"},
	mockkms.FlawImportsWhileDeleting: {"lifetime/deletion-pending"},
	mockkms.FlawCancelEnables:        {"lifetime/deletion-cancelled"},

	mockkms.FlawPortable:    {"portability/other-key", "portability/lost-material", "portability/replaced-key"},
	mockkms.FlawOutright:    {"portability/outside", "portability/made-outside"},
	mockkms.FlawNamesKey:    {"portability/names-material-only", "portability/outside", "portability/made-outside"},
	mockkms.FlawRelativeARN: {"portability/regions"},
	mockkms.FlawMaterialReplaced: {
		"portability/mac", "portability/known-mac", "portability/public-key", "portability/rsa-signature", "portability/ecdsa-signature",
		"portability/ed25519-signature", "portability/rsa-ciphertext", "portability/shared-secret", "lifetime/restore",
	},

	mockkms.FlawMaterialReplicated: {
		"multi-region/not-copied", "multi-region/deletion", "multi-region/everywhere-first", "multi-region/expiry-apart", "multi-region/independent",
		"multi-region/primary-only", "multi-region/same-material", "multi-region/withdraw", "portability/regions",
	},
	mockkms.FlawReplicaTakesNew:  {"multi-region/primary-only"},
	mockkms.FlawRotatesAhead:     {"multi-region/everywhere-first"},
	mockkms.FlawPrimaryGoesFirst: {"multi-region/deletion"},

	mockkms.FlawExports:         {"never/export"},
	mockkms.FlawAnyOrigin:       {"never/kms-origin"},
	mockkms.FlawKeyStoreIgnored: {"never/custom-key-store"},
	mockkms.FlawAnySpec:         {"never/ml-dsa"},
}

// byOption breaks rules that no flaw does: mostly such that say what KMS
// accepts, by refusing it.
var byOption = map[string]mockkms.Option{
	"token-reuse/twice":                 mockkms.WithSingleUseTokens(),
	"token-reuse/older-token":           refuse("ImportKeyMaterial", "InvalidImportTokenException", 0),
	"token-reuse/failed-import":         refuse("ImportKeyMaterial", "InvalidImportTokenException", 2),
	"token-reuse/other-fetch-same-key":  mockkms.WithSharedWrappingKeys(),
	"token-reuse/other-fetch-other-key": mockkms.WithSharedWrappingKeys(),
	"token-reuse/second-key":            mockkms.WithSharedWrappingKeys(),
	"token-reuse/corrupted-token":       refuse("ImportKeyMaterial", "InvalidCiphertextException", 0),

	"same-material/again": refuse("ImportKeyMaterial", "IncorrectKeyMaterialException", 1),

	"rotation/second-request": refuse("RotateKeyOnDemand", "ConflictException", 1),

	"rotation/symmetric-only": refuse("ListKeyRotations", "UnsupportedOperationException", 0),
	"rotation/history":        refuse("ListKeyRotations", "UnsupportedOperationException", 1),

	"portability/finds-its-key": refuse("Decrypt", "InvalidCiphertextException", 0),
	"portability/re-import":     refuse("Decrypt", "InvalidCiphertextException", 1),

	"wrapping/elliptic-curves": refuse("GetParametersForImport", "ValidationException", 3),
	"wrapping/ber":             refuse("ImportKeyMaterial", "InvalidCiphertextException", 1),
	"wrapping/damaged":         refuse("ImportKeyMaterial", "IncorrectKeyMaterialException", 1),

	"lifetime/delete-twice":             refuse("DeleteImportedKeyMaterial", "NotFoundException", 2),
	"lifetime/delete-unknown":           refuse("DeleteImportedKeyMaterial", "NotFoundException", 0),
	"lifetime/restore":                  refuse("Verify", "KMSInvalidSignatureException", 0),
	"lifetime/deletion-waits":           refuse("CancelKeyDeletion", "NotFoundException", 0),
	"lifetime/deletion-cancelled-empty": refuse("CancelKeyDeletion", "KMSInvalidStateException", 0),

	"multi-region/independent": refuse("Decrypt", "KMSInvalidStateException", 0),
}

// refuse has an operation answer with an error code, after some calls that pass.
func refuse(operation, code string, skip int) mockkms.Option {
	return mockkms.WithFault(mockkms.Fault{Operation: operation, Kind: mockkms.FaultError, Code: code, Skip: skip, Times: -1})
}

// Every rule has been seen to fail.
func TestEveryRuleCanBreak(t *testing.T) {
	for id, option := range byOption {
		r := ruleOf(t, id)
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				if !surprised(t, try(t, &r, option)) {
					t.Error("it holds on a mock that breaks it")
				}
			})
		})
	}
	for _, r := range rules.All() {
		broken := byOption[r.ID] != nil
		for _, ids := range byFlaw {
			broken = broken || slices.Contains(ids, r.ID)
		}
		if !broken {
			t.Errorf("no mock breaks %s", r.ID)
		}
	}
}

// Every flaw there is breaks a rule there is.
func TestFlawsBreakRules(t *testing.T) {
	for _, flaw := range mockkms.Flaws() {
		if len(byFlaw[flaw]) == 0 {
			t.Errorf("flaw %s breaks no rule", flaw)
		}
		for _, id := range byFlaw[flaw] {
			ruleOf(t, id)
		}
	}
	if got, want := len(byFlaw), len(mockkms.Flaws()); got != want {
		t.Errorf("rules are broken by %d flaws, of %d that there are", got, want)
	}
}

// surprised tells whether the verdict turned. What ends otherwise is no verdict.
func surprised(t *testing.T, trial *experiment.Trial) bool {
	t.Helper()
	if trial.Err() == nil {
		return false
	}
	if _, ok := errors.AsType[*experiment.SurpriseError](trial.Err()); !ok {
		t.Errorf("%s ended in %v", trial.Name, trial.Err())
	}
	t.Log(trial.Err())
	return true
}

func ruleOf(t *testing.T, id string) rules.Rule {
	t.Helper()
	all := rules.All()
	i := slices.IndexFunc(all, func(r rules.Rule) bool { return r.ID == id })
	if i < 0 {
		t.Fatalf("there is no rule %s", id)
	}
	return all[i]
}
