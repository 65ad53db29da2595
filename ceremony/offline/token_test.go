// SPDX-License-Identifier: Apache-2.0

package offline_test

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"maps"
	"slices"

	"github.com/keymat/keymat/ceremony/offline"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

// A device is a token with what its user has in it. What is wrong with it can be
// chosen.
type device struct {
	keys   map[string]stored // by ID
	in     bool              // somebody is logged in
	serial string
	fail   map[string]error // by method
}

type stored struct {
	label string
	made  *material.Material
}

var errDevice = errors.New("the token is broken")

const devicePIN = "12345678"

func newDevice() *device {
	return &device{keys: map[string]stored{}, serial: "0001", fail: map[string]error{}}
}

// used demands that nobody asks anything of a token without logging in.
func (d *device) used(method string) error {
	if !d.in {
		return errors.New(method + " without a login")
	}
	return d.fail[method]
}

func (d *device) Login(label string, pin []byte) (transcript.Token, error) {
	if string(pin) != devicePIN {
		return transcript.Token{}, errDevice
	}
	d.in = true
	return transcript.Token{Label: label, Maker: "nobody", Model: "fake", Serial: d.serial, Firmware: "1.0"}, nil
}

func (d *device) Logout() error {
	d.in = false
	return nil
}

func (d *device) Able(material.Spec, wrap.Algorithm) error { return d.used("able") }

func (d *device) Generate(spec material.Spec, label string) (offline.KeyInToken, error) {
	if err := d.used("generate"); err != nil {
		return offline.KeyInToken{}, err
	}
	made, err := material.Generate(spec)
	if err != nil {
		return offline.KeyInToken{}, err
	}
	id := make([]byte, 16)
	rand.Read(id)
	d.keys[hex.EncodeToString(id)] = stored{label, made}
	return d.told(hex.EncodeToString(id)), nil
}

func (d *device) told(id string) offline.KeyInToken {
	key := d.keys[id]
	return offline.KeyInToken{
		ID: id, Label: key.label, Attributes: []string{"CKA_LOCAL", "CKA_SENSITIVE"}, Fingerprint: key.made.Fingerprint().String(),
		Fits: func(spec material.Spec) bool { return spec == key.made.Spec() },
	}
}

func (d *device) Labelled(label string) (all []offline.KeyInToken, err error) {
	for _, id := range slices.Sorted(maps.Keys(d.keys)) {
		if d.keys[id].label == label {
			all = append(all, d.told(id))
		}
	}
	return all, d.used("labelled")
}

func (d *device) Find(id string) (offline.KeyInToken, bool, error) {
	if _, ok := d.keys[id]; !ok {
		return offline.KeyInToken{}, false, d.used("find")
	}
	return d.told(id), true, d.used("find")
}

func (d *device) Wrap(id string, p *token.Parameters) ([]byte, error) {
	if err := d.used("wrap"); err != nil {
		return nil, err
	}
	wrapped, err := token.Wrap(p, d.keys[id].made)
	if err != nil {
		return nil, err
	}
	return wrapped.EncryptedKeyMaterial, nil
}

func (d *device) MAC(id string, _ material.Spec, message []byte) ([]byte, error) {
	if err := d.used("mac"); err != nil {
		return nil, err
	}
	return d.keys[id].made.MAC(message)
}

func (d *device) Destroy(id string) error {
	if err := d.used("destroy"); err != nil {
		return err
	}
	delete(d.keys, id)
	return nil
}

// withToken opens the offline machine of a ceremony whose material is in a token.
func (c *ceremony) withToken(d *device) *offline.Machine {
	c.t.Helper()
	m := c.machine()
	d.in = false // whoever was logged in was another process
	m.UseToken(d)
	return m
}

// tokenRoom is a room in which people know the PIN, and destroy what nobody knows.
func (c *ceremony) tokenRoom() *people {
	p := c.room()
	p.pins = map[string]string{"custodian-1": devicePIN[:3], "custodian-2": devicePIN[3:]}
	p.decide = func(question string, options []string) int { return max(slices.Index(options, "destroy it"), 0) }
	return p
}

// wrappedInToken demands that KMS gets what is in the token, and nothing else is there.
func (c *ceremony) wrappedInToken(d *device) {
	c.t.Helper()
	kept, ok := c.state().Kept()
	if !ok || len(d.keys) != 1 || d.keys[kept.ID].made == nil {
		c.t.Fatalf("the token has %d keys, and the records tell of %q", len(d.keys), kept.ID)
	}
	if d.in {
		c.t.Error("somebody is still logged in to the token")
	}
	c.deliversFrom(d.keys[kept.ID].made)
}
