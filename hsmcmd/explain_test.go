// SPDX-License-Identifier: Apache-2.0

package hsmcmd

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"github.com/keymat/keymat/ceremony/intoken"
	"github.com/keymat/keymat/ceremony/offline"
	"github.com/keymat/keymat/hsm"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/internal/term"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

// TestExplain: an error that somebody can do something about says what.
func TestExplain(t *testing.T) {
	unable := &hsm.UnableError{Spec: material.SymmetricDefault, Algorithm: wrap.OAEPSHA256}
	able := &hsm.UnableError{Spec: material.SymmetricDefault, Algorithm: wrap.OAEPSHA256, Able: []wrap.Algorithm{wrap.OAEPSHA1}}
	for _, tt := range []struct {
		err  error
		hint string // a part of it
	}{
		{unableFor("arn:k", able), "keymat fetch arn:k --algorithm RSAES_OAEP_SHA_1 --out params.json"},
		{unableFor("arn:k", unable), "keymat-hsm info --try"},
		{able, "keymat-hsm info --try"},
		{&token.ExpiredError{KeyARN: "arn:k", Now: time.Now()}, "keymat fetch arn:k"},
		{&hsm.UntrustedError{Label: "app"}, "--trusted"},
		{&hsm.UnextractableError{Label: "app"}, "keymat-hsm generate"},
		{&wrap.PublicKeyError{Found: "nothing"}, "openssl rsa -pubout"},
		{&hsm.LabelTakenError{Label: "app"}, "another label"},
		{&hsm.NoKeyError{Label: "app"}, "keymat-hsm list"},
		{&hsm.NoKeyError{Label: "app", Count: 2}, "different labels"},
		{&hsm.SpecError{Label: "app", What: "AES-128 key"}, "keymat-hsm list"},
		{&hsm.AttributeError{Name: "CKA_LOCAL", Want: true}, "destroyed"},
		{&material.UnsupportedSpecError{Spec: "SM2"}, "keymat generate --help"},
		{&hsm.PINError{}, "lock themselves"},
		{&hsm.PINError{User: hsm.OrdinaryUser, Locked: true}, "security officer can set a new one"},
		{&hsm.PINError{User: hsm.SecurityOfficer, Locked: true}, "maker of the token"},
		{&noPINError{file: "pin"}, "one line"},
		{&hsm.NoTokenError{}, "softhsm2-util --init-token"},
		{&hsm.NoTokenError{Labels: []string{"a", "b"}}, "--token"},
		{&hsm.LoadError{File: "m"}, "shared library"},
		{&hsm.CallError{Function: "C_WrapKey", Code: pkcs11.CKR_DEVICE_REMOVED}, "put the token back in"},
		{&offline.NoKeyError{ID: "00"}, "or a backup of it"},
		{&offline.OrphanError{Label: "c"}, "whose key it is"},
		{&intoken.NoFingerprintError{Spec: material.HMAC512}, "check value"},
		{&hsm.NoMACError{Spec: material.HMAC512}, "that KMS has the key"},
		{&offline.AbsentError{Person: "witness"}, "wait for witness"},
		{&files.ExistsError{Name: "out"}, "--force"},
		{&term.NoTerminalError{What: "PIN"}, "--pin-file"},
	} {
		got := explain(fmt.Errorf("doing something: %w", tt.err))
		if got.Exit != cli.ExitFailed || len(got.Hints) != 1 || !strings.Contains(got.Hints[0], tt.hint) {
			t.Errorf("%T: got %+v, want %q", tt.err, got, tt.hint)
		}
	}
	if got := explain(&hsm.CallError{Function: "C_Sign", Code: 5}); len(got.Hints) != 0 || got.Exit != cli.ExitFailed {
		t.Errorf("got %+v for what nobody knows", got)
	}
	if got := explain(usagef("wrong")); got.Exit != cli.ExitUsage {
		t.Errorf("got %+v", got)
	}
}
