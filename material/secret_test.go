// SPDX-License-Identifier: Apache-2.0

package material_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/keymat/keymat/material"
)

// canary is easy to find in any rendering.
var canary = []byte("CANARYCANARYCANARYCANARYCANARYCA")

// assertNoCanary looks for the secret as text, hex, base64 and as a list of numbers.
func assertNoCanary(t *testing.T, how, output string) {
	t.Helper()
	numbers := strings.Trim(fmt.Sprint(canary[:6]), "[]") // 67 65 78 65 82 89
	for _, leak := range []string{
		string(canary[:6]),
		hex.EncodeToString(canary[:6]),
		base64.StdEncoding.EncodeToString(canary[:6]),
		numbers,
		strings.ReplaceAll(numbers, " ", ","),
		"0x43, 0x41, 0x4e",
		"0x430x41",
		"43 41 4e 41",
		"1000011 1000001",
		"103 101 116",
	} {
		if strings.Contains(strings.ToLower(output), strings.ToLower(leak)) {
			t.Errorf("%s: %q contains %q", how, output, leak)
		}
	}
}

type exported struct{ Secret material.Secret }
type unexported struct{ secret material.Secret }
type deep struct {
	Inner *struct{ secrets []*material.Secret }
}

func TestSecretCannotBePrinted(t *testing.T) {
	s := material.NewSecret(bytes.Clone(canary))
	m, err := material.New(material.SymmetricDefault, bytes.Clone(canary))
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]any{
		"value":              s,
		"pointer":            &s,
		"exported field":     exported{s},
		"pointer to struct":  &exported{s},
		"unexported field":   unexported{s},
		"pointer to private": &unexported{s},
		"slice":              []material.Secret{s},
		"map":                map[string]material.Secret{"k": s},
		"map key pointer":    map[*material.Secret]bool{&s: true},
		"interface field":    struct{ V any }{s},
		"deep":               deep{&struct{ secrets []*material.Secret }{[]*material.Secret{&s}}},
		"material":           m,
		"material value":     *m,
		"material field":     struct{ m *material.Material }{m},
		"error":              fmt.Errorf("wrapping %v: %w", s, errors.New("x")),
	}
	for name, v := range values {
		for _, flag := range []string{"", "+", "#", "0", "-", " ", "# ", "080", ".4"} {
			for verb := rune('A'); verb <= 'z'; verb++ {
				format := "%" + flag + string(verb)
				assertNoCanary(t, name+" "+format, fmt.Sprintf(format, v))
			}
		}
		assertNoCanary(t, name+" Sprint", fmt.Sprint(v))
		assertNoCanary(t, name+" Sprintln", fmt.Sprintln(v))

		var log bytes.Buffer
		for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
			slog.New(handler).Info("m", "v", v, slog.Group("g", "v", v))
		}
		assertNoCanary(t, name+" slog", log.String())

		encoded, _ := json.Marshal(v)
		assertNoCanary(t, name+" json", string(encoded))
		encoded, _ = xml.Marshal(v)
		assertNoCanary(t, name+" xml", string(encoded))
		var stream bytes.Buffer
		gob.NewEncoder(&stream).Encode(v)
		assertNoCanary(t, name+" gob", stream.String())
	}
}

func TestSecretSaysSo(t *testing.T) {
	s := material.NewSecret(bytes.Clone(canary))
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%b", "%c"} {
		if got := fmt.Sprintf(format, s); got != "[secret]" {
			t.Errorf("%s: got %q, want [secret]", format, got)
		}
	}
	if got, want := fmt.Sprintf("%+v", exported{s}), "{Secret:[secret]}"; got != want {
		t.Errorf("nested: got %q, want %q", got, want)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "key", s)
	if !strings.Contains(log.String(), "key=[secret]") {
		t.Errorf("slog: got %q", log.String())
	}
	for name, marshal := range map[string]func() ([]byte, error){
		"JSON": s.MarshalJSON, "text": s.MarshalText, "binary": s.MarshalBinary, "gob": s.GobEncode,
	} {
		if b, err := marshal(); len(b) != 0 || err != material.ErrSecret {
			t.Errorf("%s: got %d bytes, %v, want ErrSecret", name, len(b), err)
		}
	}
	if _, err := json.Marshal(exported{s}); !errors.Is(err, material.ErrSecret) {
		t.Errorf("JSON of a struct: got %v, want ErrSecret", err)
	}
	if err := gob.NewEncoder(new(bytes.Buffer)).Encode(exported{s}); !errors.Is(err, material.ErrSecret) {
		t.Errorf("gob of a struct: got %v, want ErrSecret", err)
	}
}

func TestSecretUse(t *testing.T) {
	s := material.NewSecret([]byte("abc"))
	if !s.Equal(material.NewSecret([]byte("abc"))) || s.Equal(material.NewSecret([]byte("abd"))) || s.Equal(material.NewSecret([]byte("ab"))) {
		t.Error("Equal does not compare the bytes")
	}
	stop := errors.New("stop")
	if err := s.Expose(func(b []byte) error {
		if string(b) != "abc" {
			t.Errorf("Expose: got %d other bytes", len(b))
		}
		return stop
	}); err != stop {
		t.Errorf("Expose: got %v, want the error of f", err)
	}
	for text, want := range map[string]bool{"": false, "a": true, "aa": true, "aaab": false, "\x00\x00": true} {
		if got := material.NewSecret([]byte(text)).Constant(); got != want {
			t.Errorf("Constant of %q: got %t, want %t", text, got, want)
		}
	}
	var zero material.Secret
	zero.Destroy()
	if zero.Len() != 0 || !zero.Equal(material.NewSecret(nil)) || fmt.Sprint(zero) != "[secret]" {
		t.Error("the zero value is not an empty secret")
	}
}

func TestSecretDestroy(t *testing.T) {
	b := bytes.Clone(canary)
	s := material.NewSecret(b)
	copied := s
	copied.Destroy()
	if s.Len() != 0 {
		t.Errorf("a copy of a destroyed secret has %d bytes, want 0", s.Len())
	}
	if !bytes.Equal(b, make([]byte, len(b))) {
		t.Error("the bytes were not cleared")
	}
	s.Destroy()
}
