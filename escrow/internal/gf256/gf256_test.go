// SPDX-License-Identifier: Apache-2.0

package gf256_test

import (
	"bytes"
	"testing"

	"github.com/keymat/keymat/escrow/internal/gf256"
)

// naive multiplies polynomials as on paper, and divides by x^8+x^4+x^3+x+1.
func naive(a, b byte) byte {
	product := 0
	for i := range 8 {
		if b>>i&1 == 1 {
			product ^= int(a) << i
		}
	}
	for i := 15; i >= 8; i-- {
		if product>>i&1 == 1 {
			product ^= 0x11b << (i - 8)
		}
	}
	return byte(product)
}

func TestMul(t *testing.T) {
	for a := range 256 {
		for b := range 256 {
			if got, want := gf256.Mul(byte(a), byte(b)), naive(byte(a), byte(b)); got != want {
				t.Fatalf("%#x·%#x is %#x, want %#x", a, b, got, want)
			}
		}
	}
	if got := gf256.Mul(0x57, 0x83); got != 0xc1 { // the example of FIPS 197, section 4.2
		t.Errorf("0x57·0x83 is %#x, want 0xc1", got)
	}
}

func TestInv(t *testing.T) {
	if got := gf256.Inv(0); got != 0 {
		t.Errorf("the inverse of 0 is %#x, want 0", got)
	}
	for a := 1; a < 256; a++ {
		if got := gf256.Mul(byte(a), gf256.Inv(byte(a))); got != 1 {
			t.Errorf("%#x times its inverse is %#x", a, got)
		}
	}
}

// TestInterpolate takes polynomials of every degree up to 15 through one point
// more than the degree, and asks for every other point.
func TestInterpolate(t *testing.T) {
	var coefficients [][]byte
	for d := range 16 {
		coefficients = append(coefficients, []byte{byte(17*d + 3), byte(d * d), 0xff})
		var points []gf256.Point
		for i := range d + 1 {
			x := byte(255 - 7*i)
			points = append(points, gf256.Point{X: x, Y: gf256.Eval(coefficients, x)})
		}
		for x := range 256 {
			if got, want := gf256.Interpolate(points, byte(x)), gf256.Eval(coefficients, byte(x)); !bytes.Equal(got, want) {
				t.Fatalf("degree %d at %d: got %x, want %x", d, x, got, want)
			}
		}
	}
}

func TestEval(t *testing.T) {
	coefficients := [][]byte{{1, 0}, {2, 0}, {3, 5}} // 1 + 2x + 3x² and 5x²
	if got, want := gf256.Eval(coefficients, 4), []byte{1 ^ naive(2, 4) ^ naive(3, naive(4, 4)), naive(5, naive(4, 4))}; !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}
