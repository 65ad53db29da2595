// SPDX-License-Identifier: Apache-2.0

package token_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

func TestParametersFile(t *testing.T) {
	var out bytes.Buffer
	if err := parameters().Encode(&out); err != nil {
		t.Fatal(err)
	}
	if want := testdata(t, "params.json"); out.String() != want {
		t.Errorf("wrote\n%s\nwant\n%s", out.String(), want)
	}
	got, err := token.ReadParameters(&out)
	if err != nil || !reflect.DeepEqual(got, parameters()) {
		t.Errorf("read back %+v, %v", got, err)
	}
}

// TestParametersTime: a file says UTC whatever the caller's zone.
func TestParametersTime(t *testing.T) {
	p := parameters()
	p.ValidTo = validTo.In(time.FixedZone("CEST", 2*60*60))
	var out bytes.Buffer
	if err := p.Encode(&out); err != nil {
		t.Fatal(err)
	}
	if want := testdata(t, "params.json"); out.String() != want {
		t.Errorf("wrote\n%s\nwant\n%s", out.String(), want)
	}
}

func TestReadParametersRefuses(t *testing.T) {
	good := testdata(t, "params.json")
	edit := func(old, new string) string {
		if strings.Count(good, old) != 1 {
			t.Fatalf("%q is in the file %d times", old, strings.Count(good, old))
		}
		return strings.Replace(good, old, new, 1)
	}
	tests := []struct{ name, in, field, reason string }{
		// the file as a whole
		{"empty", "", "", "empty"},
		{"blank", " \n", "", "the JSON is cut short"},
		{"oversize", good + strings.Repeat(" ", token.MaxFile+1-len(good)), "", "larger than 65536 bytes"},
		{"byte order mark", "\xef\xbb\xbf" + good, "", "begins with a byte order mark"},
		{"UTF-16", "\xff\xfe{\x00}\x00", "", "not UTF-8 text"},
		{"not JSON", "-----BEGIN PUBLIC KEY-----", "", "not JSON, at byte 0"},
		{"array", "[" + good + "]", "", "not a JSON object"},
		{"string", `"kind"`, "", "not a JSON object"},
		{"cut short", good[:len(good)/2], "", "the JSON is cut short"},
		{"trailing comma", strings.Replace(good, "\"\n}", "\",\n}", 1), "", "not JSON, at byte 0"},
		{"two objects", "{}{}", "", "something follows the JSON object at byte 2"},
		{"trailing text", "{} x", "", "something follows the JSON object at byte 2"},
		// kind and version
		{"no kind", "{}", "kind", "missing"},
		{"other kind", edit("keymat/params", "keymat/wrapped"), "kind", `found "keymat/wrapped"`},
		{"long kind", edit("keymat/params", "keymat/"+strings.Repeat("x", 50)), "kind",
			`found "keymat/` + strings.Repeat("x", 33) + `"…`},
		{"foreign kind", edit("keymat/params", "a secret"), "kind", "something else"},
		{"kind no string", edit(`"keymat/params"`, "1"), "kind", "something else"},
		{"no version", edit(`  "version": 1,`+"\n", ""), "version", "missing"},
		{"newer version", edit(`"version": 1`, `"version": 2, "more": {}`), "version",
			"2 is newer than 1, which is what this program reads"},
		{"version 0", edit(`"version": 1`, `"version": 0`), "version", "not a positive whole number"},
		{"version 1.0", edit(`"version": 1`, `"version": 1.0`), "version", "not a positive whole number"},
		{"version text", edit(`"version": 1`, `"version": "1"`), "version", "not a positive whole number"},
		{"huge version", edit(`"version": 1`, `"version": 99999999999999999999`), "version", "not a positive whole number"},
		// members
		{"unknown field", edit(`"version": 1,`, `"version": 1, "colour": "red",`), `"colour"`, "unknown field"},
		{"wrong case", edit(`"key_arn"`, `"Key_ARN"`), `"Key_ARN"`, "unknown field"},
		{"given twice", edit(`"version": 1,`, `"version": 1, "key_spec": "RSA_2048",`), "key_spec", "given twice"},
		{"twice by escape", edit(`"version": 1,`, `"version": 1, "key\u005fspec": "RSA_2048",`), "key_spec", "given twice"},
		{"kind twice", edit(`"version": 1,`, `"version": 1, "kind": "keymat/params",`), "kind", "given twice"},
		{"missing", edit(`  "import_token": "YW4gaW1wb3J0IHRva2VuIGlzIG9wYXF1ZQ==",`+"\n", ""), "import_token", "missing"},
		{"null", edit(`"SYMMETRIC_DEFAULT"`, `null`), "key_spec", "not a string"},
		{"object", edit(`"SYMMETRIC_DEFAULT"`, `{}`), "key_spec", "not a string"},
		// values
		{"empty ARN", edit(keyARN, ""), "key_arn", "missing"},
		{"key ID", edit(keyARN, keyUUID), "key_arn", "not the ARN of a KMS key"},
		{"alias", edit(keyARN, "arn:aws:kms:us-east-1:111122223333:alias/x"), "key_arn", "an alias, want the ARN of the key"},
		{"alias name", edit(keyARN, "alias/x"), "key_arn", "an alias, want the ARN of the key"},
		{"ARN and more", edit(keyARN, keyARN+`\n`), "key_arn", "not the ARN of a KMS key"},
		{"lower-case spec", edit("SYMMETRIC_DEFAULT", "symmetric_default"), "key_spec", "not spelt SYMMETRIC_DEFAULT"},
		{"withdrawn algorithm", edit("RSAES_OAEP_SHA_256", "RSAES_PKCS1_V1_5"), "wrapping_algorithm",
			`wrapping algorithm "RSAES_PKCS1_V1_5" is not supported: KMS no longer accepts it since 2023-10-10`},
		{"SM2", edit(`"RSA_2048"`, `"SM2"`), "wrapping_key_spec",
			`wrapping key spec "SM2" is not supported: KMS offers it in China Regions only`},
		{"other key size", edit(`"RSA_2048"`, `"RSA_3072"`), "public_key", "an RSA key of 2048 bits, want RSA_3072"},
		{"local time", edit("10:30:00.25Z", "10:30:00+02:00"), "valid_to", "not a time in UTC as RFC 3339 has it"},
		{"no zone", edit("10:30:00.25Z", "10:30:00"), "valid_to", "not a time in UTC as RFC 3339 has it"},
		{"one-digit hour", edit("T10:", "T9:"), "valid_to", "not a time in UTC as RFC 3339 has it"},
		{"comma", edit("00.25Z", "00,25Z"), "valid_to", "not a time in UTC as RFC 3339 has it"},
		{"ten digits", edit("00.25Z", "00.2500000001Z"), "valid_to", "not a time in UTC as RFC 3339 has it"},
		{"leap second", edit("10:30:00", "23:59:60"), "valid_to", "not a time in UTC as RFC 3339 has it"},
		{"year 0", edit("2026-", "0000-"), "valid_to", "missing or beyond the year 9999"},
		{"zero time", edit("2026-09-13T10:30:00.25Z", "0001-01-01T00:00:00Z"), "valid_to", "missing or beyond the year 9999"},
		{"base64 of nothing", edit("YW4gaW1wb3J0IHRva2VuIGlzIG9wYXF1ZQ==", ""), "import_token_sha256", "not the digest of import_token"},
		{"token changed", edit("YW4gaW1wb3J0", "Yw4gaW1wb3J0"), "import_token_sha256", "not the digest of import_token"},
		{"base64 without padding", edit("YXF1ZQ==", "YXF1ZQ"), "import_token", "not standard base64"},
		{"base64 with line break", edit("YW4gaW1wb3J0", `YW4g\naW1wb3J0`), "import_token", "not standard base64"},
		{"base64 with stray bits", edit("YXF1ZQ==", "YXF1ZR=="), "import_token", "not standard base64"},
		{"URL base64", edit("YW4gaW1wb3J0", "-_4gaW1wb3J0"), "import_token", "not standard base64"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := token.ReadParameters(strings.NewReader(tt.in))
			wantFileError(t, err, token.KindParameters, tt.field, tt.reason)
			wantNil(t, p)
		})
	}
}

// TestReadParametersDigests: a digest must be the right one and written the one right way.
func TestReadParametersDigests(t *testing.T) {
	good := testdata(t, "params.json")
	for _, field := range []string{"public_key", "import_token"} {
		label := field + "_sha256\": \""
		at := strings.Index(good, label) + len(label)
		sum := good[at : at+64]
		tests := []struct{ name, sum, reason string }{
			{"upper case", strings.ToUpper(sum), "a SHA-256 digest is written in lower-case hex"},
			{"not hex", "zz" + sum[2:], "a SHA-256 digest is written in lower-case hex"},
			{"short", sum[1:], "a SHA-256 digest has 64 hex digits, found 63 characters"},
			{"long", sum + "0", "a SHA-256 digest has 64 hex digits, found 65 characters"},
			{"another", strings.Repeat("0", 64), "not the digest of " + field},
		}
		for _, tt := range tests {
			t.Run(field+"/"+tt.name, func(t *testing.T) {
				p, err := token.ReadParameters(strings.NewReader(strings.Replace(good, sum, tt.sum, 1)))
				wantFileError(t, err, token.KindParameters, field+"_sha256", tt.reason)
				wantNil(t, p)
			})
		}
	}
}

func TestReadParametersAtTheLimit(t *testing.T) {
	good := testdata(t, "params.json")
	full := good + strings.Repeat(" ", token.MaxFile-len(good))
	if p, err := token.ReadParameters(strings.NewReader(full)); err != nil || !reflect.DeepEqual(p, parameters()) {
		t.Errorf("a file of %d bytes: %+v, %v", len(full), p, err)
	}
}

func TestReadParametersReader(t *testing.T) {
	broken := errors.New("the disk is gone")
	p, err := token.ReadParameters(iotest.ErrReader(broken))
	if !errors.Is(err, broken) || err.Error() != "reading keymat/params: the disk is gone" {
		t.Errorf("got %v, want the reader's error", err)
	}
	wantNil(t, p)
}

func TestParametersValidate(t *testing.T) {
	tests := []struct {
		name          string
		change        func(*token.Parameters)
		field, reason string
	}{
		{"no ARN", func(p *token.Parameters) { p.KeyARN = "" }, "key_arn", "missing"},
		{"no spec", func(p *token.Parameters) { p.KeySpec = "ML_DSA_44" }, "key_spec",
			`key spec "ML_DSA_44" cannot be imported: KMS does not import post-quantum key material, CreateKey refuses the spec with Origin EXTERNAL`},
		{"no algorithm", func(p *token.Parameters) { p.Algorithm = "" }, "wrapping_algorithm",
			`wrapping algorithm "" is not supported: KMS takes RSAES_OAEP_SHA_256, RSAES_OAEP_SHA_1, RSA_AES_KEY_WRAP_SHA_256 and RSA_AES_KEY_WRAP_SHA_1`},
		{"no key spec", func(p *token.Parameters) { p.WrappingKeySpec = "" }, "wrapping_key_spec",
			`wrapping key spec "" is not supported: KMS takes RSA_2048, RSA_3072 and RSA_4096`},
		{"no time", func(p *token.Parameters) { p.ValidTo = time.Time{} }, "valid_to", "missing or beyond the year 9999"},
		{"late", func(p *token.Parameters) { p.ValidTo = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "valid_to",
			"missing or beyond the year 9999"},
		{"no token", func(p *token.Parameters) { p.ImportToken = nil }, "import_token", "0 bytes, want 1 to 6144"},
		{"long token", func(p *token.Parameters) { p.ImportToken = make([]byte, 6145) }, "import_token",
			"6145 bytes, want 1 to 6144"},
		{"no public key", func(p *token.Parameters) { p.PublicKey = nil }, "public_key",
			"wrapping public key: found nothing, want a DER SubjectPublicKeyInfo of RSA with 2048, 3072 or 4096 bits and exponent 65537"},
		{"long public key", func(p *token.Parameters) { p.PublicKey = make([]byte, 4097) }, "public_key",
			"4097 bytes, want at most 4096"},
		{"key of another size", func(p *token.Parameters) { p.PublicKey = publicKey(4096) }, "public_key",
			"an RSA key of 4096 bits, want RSA_2048"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := parameters()
			tt.change(p)
			wantFileError(t, p.Validate(), token.KindParameters, tt.field, tt.reason)
			var out bytes.Buffer
			if err := p.Encode(&out); err == nil || out.Len() > 0 {
				t.Errorf("Encode: %v and %d bytes, want an error and none", err, out.Len())
			}
		})
	}
	for _, n := range []int{1, 6144} {
		p := parameters()
		p.ImportToken = make([]byte, n)
		if err := p.Validate(); err != nil {
			t.Errorf("a token of %d bytes: %v", n, err)
		}
	}
	p := parameters()
	p.PublicKey = nil
	if _, ok := errors.AsType[*wrap.PublicKeyError](p.Validate()); !ok {
		t.Error("the cause is lost")
	}
}

func TestKeyARNs(t *testing.T) {
	for arn, want := range map[string]bool{
		"arn:aws:kms:us-east-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab": true,
		"arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/" + keyUUID:                true,
		"arn:aws-cn:kms:cn-north-1:111122223333:key/" + keyUUID:                       true,
		"arn:aws-iso-b:kms:us-isob-east-1:111122223333:key/" + keyUUID:                true,
		"arn:aws:s3:us-east-1:111122223333:key/" + keyUUID:                            false,
		"arn:aws:kms:us-east-1:11112222333:key/" + keyUUID:                            false,
		"arn:aws:kms::111122223333:key/" + keyUUID:                                    false,
		"arn:aws:kms:us-east-1:111122223333:key/":                                     false,
		" " + keyARN: false,
	} {
		p := parameters()
		p.KeyARN = arn
		if err := p.Validate(); (err == nil) != want {
			t.Errorf("%q: %v", arn, err)
		}
	}
}

func TestParametersDeadline(t *testing.T) {
	p := parameters()
	if err := p.CheckAt(validTo.Add(-1)); err != nil {
		t.Errorf("a nanosecond before: %v", err)
	}
	for _, late := range []time.Duration{0, 1, 48 * time.Hour} {
		err := p.CheckAt(validTo.Add(late))
		e, ok := errors.AsType[*token.ExpiredError](err)
		if !ok || e.KeyARN != keyARN || !e.ValidTo.Equal(validTo) || !e.Now.Equal(validTo.Add(late)) {
			t.Errorf("%v late: %v", late, err)
		}
	}
	want := "import token for " + keyARN + " expired at 2026-09-13T10:30:00Z, it is now 2026-09-13T12:30:00Z"
	now := validTo.Add(2 * time.Hour).In(time.FixedZone("EST", -5*60*60))
	if err := p.CheckAt(now); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// FuzzReadParameters: either a FileError and no value, or a value whose file reads back as that value and is written
// the same again.
func FuzzReadParameters(f *testing.F) {
	good := testdata(f, "params.json")
	f.Add([]byte(good))
	f.Add([]byte(good[:len(good)-3]))
	f.Add([]byte(strings.Replace(good, `"version": 1`, `"version": 2`, 1)))
	f.Add([]byte(strings.ReplaceAll(good, "\n", "")))
	f.Add([]byte(testdata(f, "wrapped.json")))
	f.Add([]byte(`{"kind":"keymat/params","version":1,"key_arn":null}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		first, err := token.ReadParameters(bytes.NewReader(in))
		if err != nil {
			if _, ok := errors.AsType[*token.FileError](err); !ok {
				t.Fatalf("a %T, want a FileError", err)
			}
			wantNil(t, first)
			return
		}
		var once, twice bytes.Buffer
		if err := first.Encode(&once); err != nil {
			t.Fatal(err)
		}
		second, err := token.ReadParameters(bytes.NewReader(once.Bytes()))
		if err != nil || !reflect.DeepEqual(first, second) {
			t.Fatalf("read back %+v, %v, want %+v", second, err, first)
		}
		if err := second.Encode(&twice); err != nil || !bytes.Equal(once.Bytes(), twice.Bytes()) {
			t.Fatalf("written differently the second time: %v", err)
		}
	})
}
