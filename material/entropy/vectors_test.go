// SPDX-License-Identifier: Apache-2.0

package entropy

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"testing"
	"testing/cryptotest"

	"github.com/keymat/keymat/material"
)

// vector is a case of testdata/vectors.json, which integration/testdata/entropy.py computed.
type vector struct {
	Name   string        `json:"name"`
	Method Method        `json:"method"`
	Spec   material.Spec `json:"key_spec"`
	Drawn  string        `json:"drawn"`
	Inputs []struct {
		Kind   Kind   `json:"kind"`
		Throws string `json:"throws"`
		Bytes  string `json:"bytes"`
	} `json:"inputs"`
	Commitment string   `json:"commitment"`
	Components []string `json:"components"`
	Checks     []string `json:"check_values"`
	Material   string   `json:"material"`
}

func vectors(t *testing.T) []vector {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		About   string   `json:"about"`
		Vectors []vector `json:"vectors"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) < 10 {
		t.Fatalf("%d vectors", len(file.Vectors))
	}
	return file.Vectors
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			if v.Method == Components {
				checkComponents(t, v)
				return
			}
			mix, err := Commit(v.inputs(t)...)
			if err != nil {
				t.Fatal(err)
			}
			if mix.Commitment() != v.Commitment {
				t.Errorf("commitment %s, want %s", mix.Commitment(), v.Commitment)
			}
			drawn, encoded := unhex(t, v.Drawn), encode(mix.Inputs())
			if cap(encoded) != len(encoded) {
				t.Errorf("the encoding has %d bytes in a buffer of %d: it grew, or was made too large", len(encoded), cap(encoded))
			}
			var got []byte
			if v.Method == XOR {
				got = combineXOR(drawn, encoded)
			} else {
				got = extract(drawn, encoded, v.Spec.GenerateLength())
			}
			if hex.EncodeToString(got) != v.Material {
				t.Errorf("material %x, want %s", got, v.Material)
			}
			checkDraw(t, v.Spec, v.Method, mix)
		})
	}
}

func (v vector) inputs(t *testing.T) (inputs []Input) {
	t.Helper()
	for _, given := range v.Inputs {
		var in Input
		var err error
		switch given.Kind {
		case Dice:
			in, err = NewDice([]byte(given.Throws))
		case Coins:
			in, err = NewCoins([]byte(given.Throws))
		case File:
			in, err = NewFile(unhex(t, given.Bytes))
		}
		if err != nil {
			t.Fatal(err)
		}
		inputs = append(inputs, in)
	}
	return inputs
}

// checkDraw has the generator give known bytes, and demands that the material is made of those that come first.
func checkDraw(t *testing.T, spec material.Spec, by Method, mix *Mix) {
	t.Helper()
	size := spec.GenerateLength()
	cryptotest.SetGlobalRandom(t, 1)
	drawn := make([]byte, 2*size)
	if by == XOR {
		drawn = drawn[:size]
	}
	rand.Read(drawn)
	want := extract(drawn, encode(mix.Inputs()), size)
	if by == XOR {
		want = combineXOR(drawn, encode(mix.Inputs()))
	}
	cryptotest.SetGlobalRandom(t, 1)
	m, err := mix.Generate(spec, by)
	if err != nil {
		t.Fatal(err)
	}
	if !m.Secret().Equal(material.NewSecret(want)) {
		t.Error("the material is not made of what was drawn")
	}
}

func checkComponents(t *testing.T, v vector) {
	t.Helper()
	var components []Component
	for i, text := range v.Components {
		c, _, err := ParseComponent(v.Spec, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if c.Check != v.Checks[i] {
			t.Errorf("check value %s, want %s", c.Check, v.Checks[i])
		}
		components = append(components, c)
	}
	m, err := Combine(components...)
	if err != nil {
		t.Fatal(err)
	}
	if want := material.NewSecret(unhex(t, v.Material)); !m.Secret().Equal(want) {
		t.Errorf("other material than %s", v.Material)
	}
}

// counter gives bytes that are as even as can be.
type counter byte

func (c *counter) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(*c)
		*c++
	}
	return len(p), nil
}

// planted gives one even stretch after the other, the second of which begins with what is planted.
type planted struct {
	counter
	reads int
	plant []byte
}

func (p *planted) Read(b []byte) (int, error) {
	n, err := p.counter.Read(b)
	if p.reads++; p.reads == 2 {
		copy(b, p.plant)
	}
	return n, err
}

// evenFirst is SHA-256 of 512 bytes of counting, as sha256sum prints it.
const evenFirst = "110009dcee21620b166f3abfecb5eff7a873be729d1c2d53822e7acc5f34eb9b"

func TestSample(t *testing.T) {
	spread := func(n int) []byte { // n zeros in a window that the even stretch gives two of, none beside another
		plant := make([]byte, 0, window)
		for i := range window {
			b := byte(i%200) + 1
			if i%2 == 0 && i/2 < n {
				b = 0
			}
			plant = append(plant, b)
		}
		return plant
	}
	for _, test := range []struct {
		name     string
		plant    []byte
		run, apt int
		passes   bool
	}{
		{"even", nil, 1, 2, true},
		{"five in a row", []byte{7, 7, 7, 7, 7}, 5, 7, true},
		{"six in a row", []byte{7, 7, 7, 7, 7, 7}, 6, 8, false},
		{"18 in a window", spread(18), 1, 18, true},
		{"19 in a window", spread(19), 1, 19, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := sample(&planted{plant: test.plant})
			want := Sample{Bytes: 1 << 20, FirstSHA256: evenFirst, LongestRun: test.run, RunCutoff: 6, Window: 512, MostInWindow: test.apt, WindowCutoff: 19}
			if s != want {
				t.Errorf("got %+v, want %+v", s, want)
			}
			stuck, ok := errors.AsType[*StuckError](err)
			if ok == test.passes || ok && stuck.Sample != want || s.Passed() != test.passes {
				t.Errorf("error %v, passed %v, want %v", err, s.Passed(), test.passes)
			}
		})
	}
	if _, err := sample(bytes.NewReader(make([]byte, 512))); err == nil {
		t.Error("no error for a generator that ends")
	}
}
