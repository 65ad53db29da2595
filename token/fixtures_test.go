// SPDX-License-Identifier: Apache-2.0

package token_test

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"math/big"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

const (
	keyUUID = "1234abcd-12ab-34cd-56ef-1234567890ab"
	keyARN  = "arn:aws:kms:us-east-1:111122223333:key/" + keyUUID
)

var validTo = time.Date(2026, 9, 13, 10, 30, 0, 250e6, time.UTC)

// publicKey is the SPKI of a number of exactly so many bits. Nobody has the private half, so it is only for tests that
// do not unwrap.
func publicKey(bits int) []byte {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n.SetBit(n, 0, 1), E: 65537})
	if err != nil {
		panic(err)
	}
	return der
}

// parameters are what testdata/params.json holds.
func parameters() *token.Parameters {
	return &token.Parameters{
		KeyARN:          keyARN,
		KeySpec:         material.SymmetricDefault,
		Algorithm:       wrap.OAEPSHA256,
		WrappingKeySpec: wrap.RSA2048,
		PublicKey:       publicKey(2048),
		ImportToken:     []byte("an import token is opaque"),
		ValidTo:         validTo,
	}
}

// wrapped is what testdata/wrapped.json holds.
func wrapped(tb testing.TB) *token.Wrapped {
	tb.Helper()
	w, err := token.Attach(parameters(), bytes.Repeat([]byte{0x5a}, 256))
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

func testdata(tb testing.TB, name string) string {
	tb.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	return string(data)
}

// wantFileError checks a whole FileError, its cause aside.
func wantFileError(tb testing.TB, err error, kind, field, reason string) {
	tb.Helper()
	e, ok := errors.AsType[*token.FileError](err)
	if !ok || e.Kind != kind || e.Field != field || e.Reason != reason {
		tb.Errorf("got %#v\nwant a FileError with %q, %q, %q", err, kind, field, reason)
	}
}

// wantNil fails if a reader handed out a value beside its error.
func wantNil(tb testing.TB, value any) {
	tb.Helper()
	if v := reflect.ValueOf(value); !v.IsNil() {
		tb.Errorf("a value beside the error: %+v", value)
	}
}
