// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"bytes"
	"crypto/sha3"
	"sync"
)

// mldsaVerifier checks ML-DSA signatures over a message representative, which
// the library that signs cannot do: Verify with EXTERNAL_MU needs it. All it
// works on is public, so nothing here is constant-time. The names are those of
// FIPS 204, table 1.
type mldsaVerifier struct {
	k, l      int
	tau       int
	beta      int
	gamma1Log uint // gamma1 is 2 to this power
	gamma2    int
	omega     int
	challenge int // bytes of c tilde, lambda/4
}

var (
	mldsaVerifier44 = &mldsaVerifier{k: 4, l: 4, tau: 39, beta: 78, gamma1Log: 17, gamma2: (mldsaQ - 1) / 88, omega: 80, challenge: 32}
	mldsaVerifier65 = &mldsaVerifier{k: 6, l: 5, tau: 49, beta: 196, gamma1Log: 19, gamma2: (mldsaQ - 1) / 32, omega: 55, challenge: 48}
	mldsaVerifier87 = &mldsaVerifier{k: 8, l: 7, tau: 60, beta: 120, gamma1Log: 19, gamma2: (mldsaQ - 1) / 32, omega: 75, challenge: 64}
)

const (
	mldsaN    = 256     // coefficients of a polynomial
	mldsaQ    = 8380417 // modulus of a coefficient
	mldsaD    = 13      // bits dropped from t
	mldsaZeta = 1753    // 512th root of unity
	mldsaSeed = 32      // bytes of rho
	t1Bits    = 10
)

// polynomial has coefficients from 0 to q-1.
type polynomial [mldsaN]uint32

// verify is ML-DSA.Verify_internal (FIPS 204, algorithm 8) from mu on.
func (p *mldsaVerifier) verify(public, mu, signature []byte) bool {
	challenge, z, hints, ok := p.decodeSignature(signature)
	if !ok || len(public) != mldsaSeed+p.k*mldsaN*t1Bits/8 {
		return false
	}
	c := p.sampleInBall(challenge)
	c.transform()
	for i := range z {
		z[i].transform()
	}
	rho, t1 := public[:mldsaSeed], public[mldsaSeed:]
	h := sha3.NewSHAKE256()
	h.Write(mu)
	for i := range p.k {
		var t polynomial
		for j, v := range unpack(t1[i*mldsaN*t1Bits/8:], t1Bits) {
			t[j] = v << mldsaD
		}
		t.transform()
		var w polynomial // A z - c t1 2^d
		for j := range z {
			w.addProduct(sampleUniform(rho, j, i), &z[j])
		}
		for j := range t {
			t[j] = (mldsaQ - t[j]) % mldsaQ
		}
		w.addProduct(&t, &c)
		w.transformBack()
		h.Write(p.encodeHigh(&w, hints[i]))
	}
	again := make([]byte, p.challenge)
	h.Read(again)
	return bytes.Equal(challenge, again)
}

// decodeSignature is sigDecode with the bound on z (FIPS 204, algorithm 27).
func (p *mldsaVerifier) decodeSignature(signature []byte) (challenge []byte, z []polynomial, hints [][]byte, ok bool) {
	zBytes := mldsaN * (int(p.gamma1Log) + 1) / 8
	if len(signature) != p.challenge+p.l*zBytes+p.omega+p.k {
		return nil, nil, nil, false
	}
	challenge, rest := signature[:p.challenge], signature[p.challenge:]
	gamma1 := 1 << p.gamma1Log
	z = make([]polynomial, p.l)
	for i := range z {
		for j, v := range unpack(rest, p.gamma1Log+1) {
			centred := gamma1 - int(v)
			if max(centred, -centred) >= gamma1-p.beta {
				return nil, nil, nil, false
			}
			z[i][j] = uint32((centred + mldsaQ) % mldsaQ)
		}
		rest = rest[zBytes:]
	}
	hints, ok = p.decodeHints(rest)
	return challenge, z, hints, ok
}

// decodeHints is HintBitUnpack (FIPS 204, algorithm 21): for each polynomial
// the places of its hints, which must ascend; what is unused must be zero.
func (p *mldsaVerifier) decodeHints(b []byte) (hints [][]byte, ok bool) {
	places, ends := b[:p.omega], b[p.omega:]
	start := 0
	for _, end := range ends {
		if int(end) < start || int(end) > p.omega {
			return nil, false
		}
		own := places[start:end]
		for i := 1; i < len(own); i++ {
			if own[i] <= own[i-1] {
				return nil, false
			}
		}
		hints = append(hints, own)
		start = int(end)
	}
	return hints, len(bytes.Trim(places[start:], "\x00")) == 0
}

// encodeHigh is w1Encode of UseHint of one polynomial (algorithms 28 and 40).
func (p *mldsaVerifier) encodeHigh(w *polynomial, hints []byte) []byte {
	m := (mldsaQ - 1) / (2 * p.gamma2)
	bits := uint(4)
	if m > 16 {
		bits = 6
	}
	var high [mldsaN]uint32
	for i, r := range w {
		high[i], _ = p.decompose(int(r))
	}
	for _, place := range hints {
		r1, positive := p.decompose(int(w[place]))
		step := m - 1
		if positive {
			step = 1
		}
		high[place] = uint32((int(r1) + step) % m)
	}
	return pack(&high, bits)
}

// decompose gives the high bits of r, and whether the low ones are positive
// (FIPS 204, algorithm 36).
func (p *mldsaVerifier) decompose(r int) (high uint32, lowPositive bool) {
	low := r % (2 * p.gamma2)
	if low > p.gamma2 {
		low -= 2 * p.gamma2
	}
	if r-low == mldsaQ-1 {
		return 0, false // low is not positive here
	}
	return uint32((r - low) / (2 * p.gamma2)), low > 0
}

// sampleInBall makes the challenge polynomial (FIPS 204, algorithm 29).
func (p *mldsaVerifier) sampleInBall(challenge []byte) (c polynomial) {
	h := sha3.NewSHAKE256()
	h.Write(challenge)
	var signs [8]byte
	h.Read(signs[:])
	var place [1]byte
	for i := mldsaN - p.tau; i < mldsaN; i++ {
		for h.Read(place[:]); int(place[0]) > i; h.Read(place[:]) {
		}
		n := i + p.tau - mldsaN
		c[i] = c[place[0]]
		c[place[0]] = 1
		if signs[n/8]>>(n%8)&1 == 1 {
			c[place[0]] = mldsaQ - 1
		}
	}
	return c
}

// sampleUniform makes one entry of the matrix A, transformed already (FIPS 204,
// algorithms 30 and 32).
func sampleUniform(rho []byte, column, row int) *polynomial {
	h := sha3.NewSHAKE128()
	h.Write(rho)
	h.Write([]byte{byte(column), byte(row)})
	var a polynomial
	var b [3]byte
	for i := 0; i < mldsaN; {
		h.Read(b[:])
		if v := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2]&0x7f)<<16; v < mldsaQ {
			a[i] = v
			i++
		}
	}
	return &a
}

// addProduct adds a times b, coefficient by coefficient.
func (p *polynomial) addProduct(a, b *polynomial) {
	for i := range p {
		p[i] = uint32((uint64(p[i]) + uint64(a[i])*uint64(b[i])) % mldsaQ)
	}
}

// rootsOfUnity are the powers of zeta in bit-reversed order.
var rootsOfUnity = sync.OnceValue(func() (roots [mldsaN]uint64) {
	for i := range roots {
		exponent := 0
		for bit := range 8 {
			exponent |= i >> bit & 1 << (7 - bit)
		}
		roots[i] = 1
		for range exponent {
			roots[i] = roots[i] * mldsaZeta % mldsaQ
		}
	}
	return roots
})

// transform is NTT (FIPS 204, algorithm 41).
func (p *polynomial) transform() {
	roots := rootsOfUnity()
	m := 0
	for size := mldsaN / 2; size >= 1; size /= 2 {
		for start := 0; start < mldsaN; start += 2 * size {
			m++
			for j := start; j < start+size; j++ {
				t := uint32(roots[m] * uint64(p[j+size]) % mldsaQ)
				p[j+size] = (p[j] + mldsaQ - t) % mldsaQ
				p[j] = (p[j] + t) % mldsaQ
			}
		}
	}
}

// transformBack undoes transform (FIPS 204, algorithm 42).
func (p *polynomial) transformBack() {
	const inverse256 = 8347681
	roots := rootsOfUnity()
	m := mldsaN
	for size := 1; size < mldsaN; size *= 2 {
		for start := 0; start < mldsaN; start += 2 * size {
			m--
			for j := start; j < start+size; j++ {
				t := p[j]
				p[j] = (t + p[j+size]) % mldsaQ
				p[j+size] = uint32((mldsaQ - roots[m]) * uint64(t+mldsaQ-p[j+size]) % mldsaQ)
			}
		}
	}
	for j := range p {
		p[j] = uint32(uint64(p[j]) * inverse256 % mldsaQ)
	}
}

// unpack reads 256 numbers of so many bits, least significant bit first.
func unpack(b []byte, bits uint) *[mldsaN]uint32 {
	var out [mldsaN]uint32
	var buffer uint64
	var have uint
	for i := range out {
		for have < bits {
			buffer |= uint64(b[0]) << have
			b, have = b[1:], have+8
		}
		out[i] = uint32(buffer & (1<<bits - 1))
		buffer, have = buffer>>bits, have-bits
	}
	return &out
}

// pack undoes unpack.
func pack(numbers *[mldsaN]uint32, bits uint) []byte {
	out := make([]byte, 0, mldsaN*bits/8)
	var buffer uint64
	var have uint
	for _, n := range numbers {
		buffer |= uint64(n) << have
		for have += bits; have >= 8; have -= 8 {
			out = append(out, byte(buffer))
			buffer >>= 8
		}
	}
	return out
}
