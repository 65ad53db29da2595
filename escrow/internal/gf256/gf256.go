// SPDX-License-Identifier: Apache-2.0

// Package gf256 is arithmetic in the field of 256 elements, as SLIP-39 and plain Shamir sharing need it: polynomials over
// GF(2^8) modulo x^8 + x^4 + x^3 + x + 1, the field of AES (FIPS 197, section 4.2).
//
// No branch and no memory address depends on a field element's value, only on how many there are: tables of logarithms would
// tell the shares to whoever shares the processor's cache (as in CVE-2023-25000).
package gf256

// reduction is the polynomial less its term x^8.
const reduction = 0x1b

// Mul returns the product a·b.
func Mul(a, b byte) byte {
	var product byte
	for range 8 {
		product ^= -(b & 1) & a
		a = a<<1 ^ -(a>>7)&reduction
		b >>= 1
	}
	return product
}

// Inv returns the inverse of a, that is a^254, and 0 for 0.
func Inv(a byte) byte {
	inverse := byte(1)
	for range 7 { // 254 is seven ones and a zero in binary
		inverse = Mul(Mul(inverse, inverse), a)
	}
	return Mul(inverse, inverse)
}

// A Point is where a bundle of polynomials, one for each byte of Y, is at X.
type Point struct {
	X byte
	Y []byte
}

// Interpolate returns where at x the polynomials of least degree through the points are (Lagrange). The points must differ in
// X and agree in the length of Y; there is at least one.
func Interpolate(points []Point, x byte) []byte {
	y := make([]byte, len(points[0].Y))
	for i, p := range points {
		weight := basis(points, i, x)
		for j, b := range p.Y {
			y[j] ^= Mul(weight, b)
		}
	}
	return y
}

// basis returns at x the polynomial that is 1 at the i-th point and 0 at the others.
func basis(points []Point, i int, x byte) byte {
	numerator, denominator := byte(1), byte(1)
	for j, p := range points {
		if j != i {
			numerator = Mul(numerator, x^p.X)
			denominator = Mul(denominator, points[i].X^p.X)
		}
	}
	return Mul(numerator, Inv(denominator))
}

// Eval returns the bundle of polynomials at x. The coefficients of degree d are coefficients[d], one byte for each polynomial.
func Eval(coefficients [][]byte, x byte) []byte {
	y := make([]byte, len(coefficients[0]))
	for d := len(coefficients) - 1; d >= 0; d-- { // Horner
		for j, c := range coefficients[d] {
			y[j] = Mul(y[j], x) ^ c
		}
	}
	return y
}
