// SPDX-License-Identifier: Apache-2.0

package cmd_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/escrow/shamir"
	"github.com/keymat/keymat/escrow/slip39"
	"github.com/keymat/keymat/material"
)

// TestBadShares names each bad share before anything is combined, whichever
// command takes it and in whichever form it comes: a wrong one, an altered one
// with the checksum put right, a foreign one, one that comes twice, and one that
// is missing.
func TestBadShares(t *testing.T) {
	for _, scheme := range escrow.Schemes() {
		t.Run(string(scheme), func(t *testing.T) {
			d := newDesk(t)
			ours, others := d.deal("app.escrow", scheme), d.deal("other.escrow", scheme)
			d.write("one", ours[0])
			d.write("three", ours[2])
			d.write("wrong", mistype(ours[1]))
			d.write("altered", alter(t, scheme, ours[1]))
			d.write("foreign", others[1])
			d.write("line", ours[0]+"\n"+others[2])
			for _, tt := range []struct {
				shares     string
				told, hint string
			}{
				{"one wrong", "wrong: not a share: the checksum is wrong", "with the card"},
				{"three altered", "altered: share 2 is not the one that was dealt: it does not match its commitment in the escrow", "leave share 2 out"},
				{"foreign three", "foreign: share 2 is of another set: it differs in the identifier of its set", "take another of the set"},
				{"line", "line: share 3 is of another set", "take another of the set"},
				{"three three", "share 3 came twice", "another custodian"},
				{"three", "1 of the 2 shares needed", "--share FILE"},
				{"one three altered", "altered: share 2 is not the one that was dealt", "leave share 2 out"}, // one bad among enough
			} {
				t.Run(tt.shares, func(t *testing.T) {
					d := &desk{t: t, dir: d.dir}
					for _, command := range [][]string{
						{"escrow", "combine", "--escrow", d.path("app.escrow"), "--out", d.path("never")},
						{"escrow", "open", d.path("app.escrow"), "--out", d.path("never")},
						{"escrow", "split", d.path("app.escrow"), "--quorum", "2/2", "--shares-dir", d.path("never"), "--out", d.path("never.escrow")},
						{"escrow", "drill", d.path("app.escrow"), "--offline", "--out", d.path("never")},
						{"bring", "--mock", "--mock-state", d.path("mock.db"), "--region", "eu-central-1", "--spec", "HMAC_256", "--never-expires", "--material", d.path("app.escrow")},
					} {
						for _, name := range strings.Fields(tt.shares) {
							command = append(command, "--share", d.path(name))
						}
						d.run(new(person), 1, append(command, "--no-input")...)
						d.wantTold(tt.told)
						d.wantTold(tt.hint)
						if strings.Contains(d.stderr.String(), ours[2][30:45]) || strings.Contains(d.stderr.String(), "created arn:") {
							t.Errorf("a share is repeated, or a key made: %s", &d.stderr)
						}
					}
					for _, name := range []string{"never", "never.escrow"} {
						if _, err := os.Stat(d.path(name)); err == nil {
							t.Errorf("there is %s", name)
						}
					}
				})
			}
			d.run(new(person), 0, "escrow", "open", d.path("app.escrow"), "--share", d.path("one"), "--share", d.path("three"), "--out", d.path("back"))
		})
	}
}

// deal seals new material into an escrow that any two of three shares open, and
// returns their texts.
func (d *desk) deal(name string, scheme escrow.Scheme) (texts []string) {
	d.t.Helper()
	m, err := material.Generate(material.HMAC256)
	if err != nil {
		d.t.Fatal(err)
	}
	f, shares, err := escrow.SealQuorum(m, time.Now(), escrow.Plan{Profile: escrow.FIPSQuorum, Scheme: scheme, Threshold: 2, Count: 3})
	if err != nil {
		d.t.Fatal(err)
	}
	var encoded bytes.Buffer
	if err := f.Encode(&encoded); err != nil {
		d.t.Fatal(err)
	}
	d.write(name, encoded.String())
	for _, s := range shares {
		texts = append(texts, reveal(s.Text()))
	}
	return texts
}

func reveal(s material.Secret) (text string) {
	s.Expose(func(b []byte) error { text = string(b); return nil })
	return text
}

// mistype exchanges two words, or two characters near the end.
func mistype(share string) string {
	if words := strings.Fields(share); len(words) > 1 {
		i := 6
		for words[i] == words[i+1] {
			i++
		}
		words[i], words[i+1] = words[i+1], words[i]
		return strings.Join(words, " ")
	}
	text := []byte(share)
	i := 20
	for text[i] == text[i+1] {
		i++
	}
	text[i], text[i+1] = text[i+1], text[i]
	return string(text)
}

// alter changes the value of a share and makes its checksum anew.
func alter(t *testing.T, scheme escrow.Scheme, text string) string {
	t.Helper()
	flip := func(s material.Secret) material.Secret {
		value := []byte(reveal(s))
		value[0] ^= 1
		return material.NewSecret(value)
	}
	if scheme == escrow.Shamir {
		s, err := shamir.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		s.Value = flip(s.Value)
		return reveal(s.Text())
	}
	s, err := slip39.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s.Value = flip(s.Value)
	return reveal(s.Mnemonic())
}
