// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"encoding/base64"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

// A player leads a KMS through a life and holds each answer to the model.
type player struct {
	testing.TB
	operations []operation
	home       func() opener // for each life
	open       opener
	mock       *mockkms.KMS
	model      *model
	names      *names
	lines      []string       // what happened
	seen       map[string]int // how often there was each kind of answer; nil: not counted
	mistake    func(*model)   // nil, or what the model wrongly believes after each step
}

// play plays steps, and says what went wrong; "" is nothing.
func (p *player) play(steps []step) string {
	p.model, p.names, p.lines = newModel(), newNames(), nil
	p.open = p.home()
	p.mock = p.open(p.clock)
	for _, s := range steps {
		if unmet := p.step(p.operation(s[0]), s); unmet != "" {
			return unmet
		}
		if p.mistake != nil {
			p.mistake(p.model)
		}
	}
	return p.look()
}

func (p *player) clock() time.Time { return p.model.now }

// operation finds what the first byte of a step means.
func (p *player) operation(b byte) operation {
	n := int(b)
	for _, o := range p.operations {
		if n -= o.weight; n < 0 {
			return o
		}
	}
	panic("the weights of the operations do not add up to 256")
}

// stepNamed is a byte that means the operation of that name.
func stepNamed(name string) byte {
	sum := 0
	for _, o := range stepOperations() {
		if o.name == name {
			return byte(sum)
		}
		sum += o.weight
	}
	panic("no such operation: " + name)
}

// step does one thing.
func (p *player) step(o operation, s step) string {
	r, w := o.step(p.model, s)
	p.lines = append(p.lines, r.String())
	if r.event == "restart" {
		p.mock = p.open(p.clock)
	}
	if r.event != "" {
		return ""
	}
	if r.wrapping != nil {
		public := must(base64.StdEncoding.DecodeString(p.names.values[wrappingKey]))
		p.names.values[r.wrapping.name] = base64.StdEncoding.EncodeToString(
			wrapper(types.AlgorithmSpec(r.wrapping.algorithm))(public, conformanceMaterial(r.wrapping.material)))
	}
	got := send(p, p.mock, r.operation, p.names.fill("{"+r.members+"}"))
	if p.seen != nil {
		p.seen[strings.TrimSpace(r.operation+" "+got.Type)]++
	}
	return w.unmet(got, p.names)
}

// look looks at everything: what one answer did not show, another may.
func (p *player) look() string {
	for i := range p.model.keys {
		for _, name := range []string{"DescribeKey", "ListKeyRotations", "GetKeyRotationStatus"} {
			if unmet := p.step(p.named(name), step{1: byte(i)}); unmet != "" {
				return unmet
			}
			p.lines = p.lines[:len(p.lines)-1]
		}
	}
	return p.step(p.named("ListKeys"), step{})
}

func (p *player) named(name string) operation {
	return p.operations[slices.IndexFunc(p.operations, func(o operation) bool { return o.name == name })]
}

// demand plays steps; if that goes wrong, it tells the shortest way there.
func (p *player) demand(steps []step) {
	p.Helper()
	if p.play(steps) == "" {
		return
	}
	steps = shrink(steps, func(steps []step) bool { return p.play(steps) != "" })
	unmet := p.play(steps)
	p.Fatalf("KMS and the model differ after\n%s\n  %s\nas a seed of FuzzStates: []byte(%q)", strings.Join(p.lines, "\n"), unmet, encode(steps))
}

// encode is the reverse of decode.
func encode(steps []step) (life []byte) {
	for _, s := range steps {
		life = append(life, s[:]...)
	}
	return life
}

// An opener opens a KMS and, called again, the same once more.
type opener func(clock func() time.Time) *mockkms.KMS

// inMemory opens a KMS whose state is in memory.
func inMemory() opener {
	store := mockkms.NewMemoryStore()
	return func(clock func() time.Time) *mockkms.KMS {
		return mockkms.New(mockkms.WithStore(store), mockkms.WithClock(clock), mockkms.WithSharedWrappingKeys(), mockkms.WithTrail(0))
	}
}

// inFile opens a KMS whose state is in a file.
func inFile(t *testing.T) opener {
	path := filepath.Join(t.TempDir(), "state")
	var open *mockkms.KMS
	t.Cleanup(func() { open.Close() })
	return func(clock func() time.Time) *mockkms.KMS {
		if open != nil {
			must(0, open.Close())
		}
		open = mockkms.New(mockkms.WithStore(must(mockkms.OpenStore(path))), mockkms.WithClock(clock), mockkms.WithSharedWrappingKeys())
		return open
	}
}
