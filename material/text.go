// SPDX-License-Identifier: Apache-2.0

package material

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
)

// text is what printable input may stand for.
type text struct {
	decoded  []byte   // nil if it is neither hex nor base64
	encoding Encoding // Hex or Base64
	certain  bool     // hex digits only, or base64 with padding: unlikely to mean anything else
	odd      int      // number of hex digits when it is odd
	newline  bool     // ends in a line break
}

// readText reports false for input that is not printable ASCII and line breaks throughout.
func readText(data []byte) (text, bool) {
	for _, c := range data {
		if (c < ' ' || c > '~') && c != '\n' && c != '\r' && c != '\t' {
			return text{}, false
		}
	}
	t := text{newline: bytes.HasSuffix(data, []byte("\n"))}
	compact := bytes.Join(bytes.Fields(data), nil)
	digits, prefixed := bytes.CutPrefix(bytes.ReplaceAll(compact, []byte(":"), nil), []byte("0x"))
	if len(digits) > 0 && allHex(digits) {
		t.encoding, t.certain = Hex, true
		if len(digits)%2 == 1 {
			t.odd = len(digits)
			return t, true
		}
		t.decoded = make([]byte, hex.DecodedLen(len(digits)))
		hex.Decode(t.decoded, digits) // cannot fail, allHex has looked
		return t, true
	}
	if prefixed {
		return t, true
	}
	t.decoded, t.certain = decodeBase64(data)
	if t.decoded != nil {
		t.encoding = Base64
	}
	return t, true
}

func allHex(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

// decodeBase64 takes the standard and the URL alphabet (RFC 4648 sections 4 and 5), padded or not, with line breaks. Spaces
// between words are no base64: that would be a passphrase.
func decodeBase64(b []byte) (decoded []byte, padded bool) {
	b = bytes.Join(bytes.FieldsFunc(bytes.TrimSpace(b), func(r rune) bool { return r == '\r' || r == '\n' }), nil)
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
		decoded := make([]byte, e.DecodedLen(len(b)))
		if n, err := e.Strict().Decode(decoded, b); err == nil && n > 0 {
			return decoded[:n], b[len(b)-1] == '='
		}
	}
	return nil, false
}

// rawLengths returns what [readRaw] may return for the spec, in bytes, and the one length that needs no second thought.
func rawLengths(spec Spec) (min, max, exact int) {
	if spec == ECCSECGP256K1 {
		return 32, 32, 32 // the scalar
	}
	min, max = spec.Lengths()
	return min, max, spec.GenerateLength()
}

// readRaw decides what raw material is; [Parse] states the rules. The result is a copy.
func readRaw(data []byte, spec Spec, as Encoding) ([]byte, Encoding, error) {
	t, isText := readText(data)
	switch as {
	case "":
		if isText {
			return readRawText(data, t, spec)
		}
		return readRawBytes(data, spec)
	case Raw:
		return bytes.Clone(data), Raw, fitLength(len(data), spec, Raw)
	case Hex, Base64:
		if t.encoding == Hex && as == Base64 && t.odd == 0 {
			t.decoded, _ = decodeBase64(data)
			t.encoding = Base64
		}
		if t.encoding != as || t.decoded == nil {
			return nil, as, &FormatError{Found: plural(len(data), "byte") + " that are not " + string(as), Want: string(as)}
		}
		return t.decoded, as, fitLength(len(t.decoded), spec, as)
	default:
		return nil, as, &FormatError{Found: "material that is to be taken as " + string(as), Want: "raw bytes, hex or base64"}
	}
}

func fitLength(n int, spec Spec, e Encoding) error {
	if min, max, _ := rawLengths(spec); n < min || n > max {
		return &LengthError{Spec: spec, Encoding: e, Got: n, Min: min, Max: max}
	}
	return nil
}

// readRawBytes takes bytes that are not text.
func readRawBytes(data []byte, spec Spec) ([]byte, Encoding, error) {
	min, max, exact := rawLengths(spec)
	n := len(data)
	fits := min <= n && n <= max
	for _, end := range []string{"\r\n", "\n"} {
		// One newline more than the usual length is a mistake even where KMS takes that many bytes, as for HMAC. One more than
		// some other length is so only if there is no other way to take it.
		body := n - len(end)
		if bytes.HasSuffix(data, []byte(end)) && (body == exact || !fits && min <= body && body <= max) {
			return nil, Raw, &LengthError{Spec: spec, Encoding: Raw, Got: n, Min: min, Max: max, TrailingNewline: true}
		}
	}
	return bytes.Clone(data), Raw, fitLength(n, spec, Raw)
}

// readRawText takes printable text.
func readRawText(data []byte, t text, spec Spec) ([]byte, Encoding, error) {
	min, max, exact := rawLengths(spec)
	fits := func(n int) bool { return min <= n && n <= max }
	body := bytes.TrimRight(data, "\r\n")
	asText := fits(len(body)) // the text itself is as long as KMS wants
	asCode := fits(len(t.decoded))
	tooShort := func(e Encoding, n int) error {
		return &LengthError{Spec: spec, Encoding: e, Got: n, Min: min, Max: max}
	}
	switch {
	case t.decoded != nil && len(t.decoded) == exact, asCode && !asText:
		return t.decoded, t.encoding, nil
	case t.odd > 0 && !asText:
		return nil, Hex, &FormatError{Found: fmt.Sprintf("%d hex digits", t.odd), Want: fmt.Sprintf("%d hex digits for %s", 2*exact, spec)}
	case asText && t.decoded != nil && (asCode || t.certain):
		return nil, "", &AmbiguousError{Spec: spec, Readings: []Reading{{RawText, len(data)}, {t.encoding, len(t.decoded)}}}
	case asText && t.newline:
		return nil, RawText, &LengthError{Spec: spec, Encoding: RawText, Got: len(data), Min: min, Max: max, TrailingNewline: true}
	case asText:
		return bytes.Clone(data), RawText, nil
	case t.certain && t.decoded != nil:
		return nil, t.encoding, tooShort(t.encoding, len(t.decoded))
	default:
		return nil, RawText, tooShort(RawText, len(data))
	}
}

// describeRaw says what input is that is no structure.
func describeRaw(data []byte) string {
	t, isText := readText(data)
	switch {
	case t.decoded != nil:
		return fmt.Sprintf("%s in %s", plural(len(t.decoded), "byte"), t.encoding)
	case isText:
		return plural(len(data), "byte") + " of text"
	default:
		return plural(len(data), "raw byte")
	}
}
