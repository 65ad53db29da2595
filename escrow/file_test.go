// SPDX-License-Identifier: Apache-2.0

package escrow_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material"
)

func TestRead(t *testing.T) {
	good := string(golden(t, "quorum-words.escrow"))
	change := func(old, new string) string {
		t.Helper()
		if !strings.Contains(good, old) {
			t.Fatalf("there is no %q", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	const elsewhere = "a field is missing, given twice, out of order or spelt in another way than version 1 has it"
	for _, tt := range []struct{ name, file, want string }{
		{"as written", good, ""},
		{"on one line", strings.ReplaceAll(strings.ReplaceAll(good, "\n", ""), "  ", ""), ""},
		{"with CRLF", strings.ReplaceAll(good, "\n", "\r\n"), ""},
		{"empty", "", "empty"},
		{"blank", " \n", "empty"},
		{"cut short", good[:len(good)-20], "the JSON is cut short"},
		{"something behind it", good + "x\n", "not JSON, at byte"},
		{"two of them", good + good, "not JSON, at byte"},
		{"an array", "[]", "kind: something else"},
		{"another kind", change(`keymat/escrow`, `keymat/params`), "kind: something else"},
		{"no kind", change(`"kind": "keymat/escrow",`, ``), "kind: something else"},
		{"kind in capitals", change(`"kind"`, `"KIND"`), elsewhere},
		{"a later version", change(`"version": 1`, `"version": 2`), "version: 2 is newer than 1, which is what this program reads"},
		{"version zero", change(`"version": 1`, `"version": 0`), "version: not a positive whole number"},
		{"an unknown field", change(`"profile"`, `"other": 1, "profile"`), `json: unknown field "other"`},
		{"a field twice", change(`"profile"`, `"profile": "quorum", "profile"`), elsewhere},
		{"out of order", change("\"kind\": \"keymat/escrow\",\n  \"version\": 1", "\"version\": 1, \"kind\": \"keymat/escrow\""), elsewhere},
		{"spelt with escapes", change(`"quorum"`, `"quoru\u006d"`), elsewhere},
		{"a number for a string", change(`"quorum"`, `7`), "profile: not of the right type"},
		{"another profile", change(`"quorum"`, `"secret"`), "none of the profiles"},
		{"a profile without shares", change(`"quorum"`, `"passphrase"`), "shares: there may be shares exactly for a quorum"},
		{"recipients of a quorum", change(`"shares"`, `"recipients": ["age1x"], "shares"`), "recipients: there are 1, for an escrow of profile quorum"},
		{"a short ID", change(`"id": "`, `"id": "00`), "not 32 lower-case hexadecimal digits"},
		{"a digit in upper case", change(`"id": "b1`, `"id": "B1`), "not 32 lower-case hexadecimal digits"},
		{"time of a zone", change(`00Z"`, `00+01:00"`), "created: not a time in UTC, to the second"},
		{"time with a fraction", change(`00Z"`, `00.5Z"`), "created: not a time in UTC, to the second"},
		{"another spec", change(`"SYMMETRIC_DEFAULT"`, `"ML_DSA_44"`), "ML_DSA_44"},
		{"spec in lower case", change(`"SYMMETRIC_DEFAULT"`, `"symmetric_default"`), elsewhere},
		{"fingerprint of another spec", change(`"cmac:`, `"hmac:`), "fingerprint: none that SYMMETRIC_DEFAULT material has"},
		{"threshold of one", change(`"threshold": 2`, `"threshold": 1`), "shares.threshold: 1 of 3 shares: it takes 2 to 16, and no more than there are"},
		{"threshold above", change(`"threshold": 2`, `"threshold": 4`), "shares.threshold: 4 of 3 shares: it takes 2 to 16, and no more than there are"},
		{"too many commitments", change(`"count": 3`, `"count": 2`), "shares.commitments: 3 for 2 shares"},
		{"another scheme", change(`"slip39"`, `"ssss"`), "none of the schemes"},
		{"damaged", change(`YWdlL`, `YWdlM`), "ciphertext_sha256: not the digest of ciphertext"},
		{"line break in base64", change(`"YWdlL`, `"YWdl\nL`), elsewhere},
		{"too large", good + strings.Repeat(" ", escrow.MaxFile), "larger than 524288 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := escrow.Read(strings.NewReader(tt.file))
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				} else if got := encode(t, f); string(got) != good {
					t.Errorf("written again: %s", got)
				}
				return
			}
			var file *escrow.FileError
			if f != nil || !errors.As(err, &file) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	f := sealKey(t, generate(t, material.SymmetricDefault))
	for _, change := range []func(*escrow.File){
		func(f *escrow.File) { f.ID = escrow.ID{} },
		func(f *escrow.File) { f.Created = time.Time{} },
		func(f *escrow.File) { f.Created = created },
		func(f *escrow.File) { f.Profile = "" },
		func(f *escrow.File) { f.KeySpec = "" },
		func(f *escrow.File) { f.Fingerprint = "cmac:0" },
		func(f *escrow.File) { f.Profile = escrow.Recipients },
		func(f *escrow.File) { f.Profile, f.Recipients = escrow.Recipients, []string{"a\nb"} },
		func(f *escrow.File) { f.Ciphertext = nil },
	} {
		g := *f
		change(&g)
		var b bytes.Buffer
		var file *escrow.FileError
		if err := g.Encode(&b); !errors.As(err, &file) || b.Len() > 0 {
			t.Errorf("%+v: error %v, %d bytes", g, err, b.Len())
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error)  { return 0, errors.New("no luck") }
func (failing) Write([]byte) (int, error) { return 0, errors.New("no luck") }

func TestFailingStreams(t *testing.T) {
	if _, err := escrow.Read(failing{}); err == nil || err.Error() != "reading keymat/escrow: no luck" {
		t.Errorf("error %v", err)
	}
	if err := readGolden(t, "fips-key.escrow").Encode(failing{}); err == nil || err.Error() != "writing keymat/escrow: no luck" {
		t.Errorf("error %v", err)
	}
}

// FuzzRead: what can be read is written the same again, up to white space, and
// nothing else can be read.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"recipients", "hybrid", "passphrase", "quorum-words", "quorum-shamir", "fips-quorum", "fips-key"} {
		f.Add(golden(f, name+".escrow"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := escrow.Read(bytes.NewReader(data))
		if err != nil {
			if file != nil {
				t.Error("a file beside an error")
			}
			return
		}
		if got, want := encode(t, file), data; !bytes.Equal(squeeze(got), squeeze(want)) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// squeeze takes white space out; in an escrow there is none inside of strings
// but a single space.
func squeeze(b []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n", r) {
			return -1
		}
		return r
	}, b)
}
