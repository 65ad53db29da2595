// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/keymat/keymat/mockkms"
)

const authorization = "AWS4-HMAC-SHA256 Credential=" + account + "/20260912/" + region + "/kms/aws4_request, SignedHeaders=host, Signature=00"

// An answer is what came back over the wire.
type answer struct {
	status int
	header http.Header
	body   string
	Type   string  `json:"__type"`
	Text   *string `json:"message"` // nil: no such member
}

func (a answer) message() string {
	if a.Text == nil {
		return ""
	}
	return *a.Text
}

// send posts a request as the SDKs do, with headers changed as given.
func send(t testing.TB, h http.Handler, operation, body string, headers ...string) answer {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "TrentService."+operation)
	r.Header.Set("Authorization", authorization)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	a := answer{status: w.Code, header: w.Header(), body: w.Body.String()}
	if a.status != http.StatusOK {
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
			t.Fatalf("%s: status %d with body %q", operation, a.status, a.body)
		}
	}
	return a
}

// members decodes the answer to its members.
func (a answer) members(t testing.TB) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(a.body), &m); err != nil {
		t.Fatalf("body %q: %v", a.body, err)
	}
	return m
}

func TestErrorsOnTheWire(t *testing.T) {
	mock := mockkms.New()
	missing := "12345678-1234-1234-1234-123456789012"
	missingARN := "arn:aws:kms:us-east-1:111122223333:key/" + missing
	for _, tt := range []struct {
		name, operation, body string
		headers               []string
		status                int
		code, message         string
	}{
		{"no such operation", "Enkrypt", `{}`, nil, 400, "UnknownOperationException", ""},
		{"no target", "", `{}`, []string{"X-Amz-Target", ""}, 400, "UnknownOperationException", ""},
		{"no authorization", "ListKeys", `{}`, []string{"Authorization", ""}, 400, "MissingAuthenticationTokenException", "Missing Authentication Token"},
		{"another scheme", "ListKeys", `{}`, []string{"Authorization", "Basic YTpi"}, 400, "IncompleteSignatureException", "Authorization header requires the AWS4-HMAC-SHA256 algorithm."},
		{"no credential", "ListKeys", `{}`, []string{"Authorization", "AWS4-HMAC-SHA256 Signature=00"}, 400, "IncompleteSignatureException", "Authorization header requires 'Credential' parameter."},
		{"short scope", "ListKeys", `{}`, []string{"Authorization", "AWS4-HMAC-SHA256 Credential=AKID/us-east-1/aws4_request"}, 400, "IncompleteSignatureException", "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term"},
		{"another service", "ListKeys", `{}`, []string{"Authorization", strings.Replace(authorization, "/kms/", "/s3/", 1)}, 400, "InvalidSignatureException", "Credential should be scoped to correct service: 'kms'."},
		{"no JSON", "ListKeys", `{`, nil, 400, "SerializationException", "Could not parse request body into json"},
		{"no object", "ListKeys", `[]`, nil, 400, "SerializationException", "Could not parse request body into json"},
		{"null", "ListKeys", `null`, nil, 400, "SerializationException", "Could not parse request body into json"},
		{"invalid UTF-8", "DescribeKey", "{\"KeyId\": \"\xff\"}", nil, 400, "SerializationException", "Invalid UTF-8 in request body"},
		{"number for a string", "DescribeKey", `{"KeyId": 1}`, nil, 400, "SerializationException", "NUMBER_VALUE can not be converted to a String"},
		{"string for a number", "ListKeys", `{"Limit": "1"}`, nil, 400, "SerializationException", "STRING_VALUE can not be converted to an Integer"},
		{"fraction for a number", "ListKeys", `{"Limit": 1.5}`, nil, 400, "SerializationException", "NUMBER_VALUE can not be converted to an Integer"},
		{"string for a flag", "CreateKey", `{"MultiRegion": "true"}`, nil, 400, "SerializationException", "STRING_VALUE can not be converted to a Boolean"},
		{"structure for a string", "DescribeKey", `{"KeyId": {}}`, nil, 400, "SerializationException", "Start of structure or map found where not expected."},
		{"list for a string", "DescribeKey", `{"KeyId": []}`, nil, 400, "SerializationException", "Start of list found where not expected"},
		{"bad base64", "Encrypt", `{"KeyId": "k", "Plaintext": "*"}`, nil, 400, "SerializationException", "Invalid base64 in request body"},
		{"member missing", "DescribeKey", `{}`, nil, 400, "ValidationException", "1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null"},
		{"member of another case", "DescribeKey", `{"keyId": "x"}`, nil, 400, "ValidationException", "1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null"},
		{"member null", "DescribeKey", `{"KeyId": null}`, nil, 400, "ValidationException", "1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null"},
		{"member empty", "DescribeKey", `{"KeyId": ""}`, nil, 400, "ValidationException", "1 validation error detected: Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"blob empty", "GenerateMac", `{"KeyId": "k", "Message": "", "MacAlgorithm": "HMAC_SHA_256"}`, nil, 400, "ValidationException", "1 validation error detected: Value at 'message' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"number too large", "ListKeys", `{"Limit": 1001}`, nil, 400, "ValidationException", "1 validation error detected: Value '1001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 1000"},
		{"no such value", "GenerateMac", `{"KeyId": "k", "Message": "eA==", "MacAlgorithm": "MD5"}`, nil, 400, "ValidationException", "1 validation error detected: Value 'MD5' at 'macAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [HMAC_SHA_224, HMAC_SHA_256, HMAC_SHA_384, HMAC_SHA_512]"},
		{"two at once", "CreateAlias", `{"AliasName": "alias/a b"}`, nil, 400, "ValidationException", "2 validation errors detected: Value 'alias/a b' at 'aliasName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$; Value null at 'targetKeyId' failed to satisfy constraint: Member must not be null"},
		{"within a list", "CreateKey", `{"Tags": [{"TagKey": "a", "TagValue": "b"}, {"TagKey": "", "TagValue": "b"}]}`, nil, 400, "ValidationException", "1 validation error detected: Value '' at 'tags.2.member.tagKey' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"no such key", "DescribeKey", `{"KeyId": "` + missing + `"}`, nil, 400, "NotFoundException", "Key '" + missingARN + "' does not exist"},
		{"no such key, by ARN", "DescribeKey", `{"KeyId": "` + missingARN + `"}`, nil, 400, "NotFoundException", "Key '" + missingARN + "' does not exist"},
		{"no key ID", "DescribeKey", `{"KeyId": "xyz"}`, nil, 400, "NotFoundException", "Invalid keyId 'xyz'"},
		{"another Region", "DescribeKey", `{"KeyId": "arn:aws:kms:us-west-2:111122223333:key/` + missing + `"}`, nil, 400, "NotFoundException", "Invalid arn us-west-2"},
		{"no such alias", "DescribeKey", `{"KeyId": "alias/none"}`, nil, 400, "NotFoundException", "Alias arn:aws:kms:us-east-1:111122223333:alias/none is not found."},
		{"alias not taken", "GetKeyPolicy", `{"KeyId": "alias/none"}`, nil, 400, "InvalidArnException", "Key Aliases are not supported"},
		{"huge body", "ListKeys", `{"Marker": "` + strings.Repeat("x", 1<<20) + `"}`, nil, 413, "RequestEntityTooLargeException", ""},
	} {
		got := send(t, mock, tt.operation, tt.body, tt.headers...)
		if got.status != tt.status || got.Type != tt.code || got.message() != tt.message || (got.Text == nil) != (tt.message == "") {
			t.Errorf("%s: got  %d %s: %s\nwant %d %s: %s", tt.name, got.status, got.Type, got.message(), tt.status, tt.code, tt.message)
		}
		if !isUUID(got.header.Get("x-amzn-RequestId")) || got.header.Get("Content-Type") != "application/x-amz-json-1.1" {
			t.Errorf("%s: got headers %v", tt.name, got.header)
		}
	}
}

func isUUID(s string) bool {
	return regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(s)
}

// Members of KeyMetadata by state are recorded; here, that no other appears.
func TestMembersOfKeyMetadata(t *testing.T) {
	s := newSession(t)
	always := []string{"AWSAccountId", "KeyId", "Arn", "CreationDate", "Enabled", "Description", "KeyUsage", "KeyState",
		"Origin", "KeyManager", "CustomerMasterKeySpec", "KeySpec", "EncryptionAlgorithms", "MultiRegion"}
	key := s.external("SYMMETRIC_DEFAULT")
	check := func(state string, enabled bool, more ...string) {
		t.Helper()
		m := send(t, s.mock, "DescribeKey", `{"KeyId": "`+key+`", "Unknown": [1]}`).members(t)["KeyMetadata"].(map[string]any)
		got, want := slices.Sorted(maps.Keys(m)), slices.Sorted(slices.Values(append(more, always...)))
		if !slices.Equal(got, want) || m["KeyState"] != state || m["Enabled"] != enabled || m["CustomerMasterKeySpec"] != m["KeySpec"] {
			t.Errorf("%v %v: got members\n%v\nwant\n%v", m["KeyState"], m["Enabled"], got, want)
		}
	}
	about := `{"KeyId": "` + key + `"}`
	check("PendingImport", false)
	s.imports(key, letters("A", 32))
	check("Enabled", true, "ExpirationModel", "CurrentKeyMaterialId")
	s.imports(key, letters("A", 32), expiring(1e12))
	check("Enabled", true, "ExpirationModel", "ValidTo", "CurrentKeyMaterialId")
	send(t, s.mock, "DisableKey", about)
	check("Disabled", false, "ExpirationModel", "ValidTo", "CurrentKeyMaterialId")
	send(t, s.mock, "ScheduleKeyDeletion", about)
	check("PendingDeletion", false, "ExpirationModel", "ValidTo", "CurrentKeyMaterialId", "DeletionDate")
	send(t, s.mock, "DeleteImportedKeyMaterial", about)
	check("PendingDeletion", false, "CurrentKeyMaterialId", "DeletionDate")
	send(t, s.mock, "CancelKeyDeletion", about)
	check("PendingImport", false, "CurrentKeyMaterialId")
}

func TestVoidOperationsAnswerNothing(t *testing.T) {
	s := newSession(t)
	key := s.key("AWS_KMS", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
	for operation, body := range map[string]string{
		"DisableKey": `{"KeyId": "` + key + `"}`, "CreateAlias": `{"AliasName": "alias/a", "TargetKeyId": "` + key + `"}`,
	} {
		if got := send(t, s.mock, operation, body); got.status != http.StatusOK || got.body != "" {
			t.Errorf("%s: got %d %q", operation, got.status, got.body)
		}
	}
}

// Clients write times as integers, fractions and with exponents.
func TestTimesOnTheWire(t *testing.T) {
	mock := mockkms.New()
	for _, tt := range []struct{ validTo, message string }{
		{`1`, "ValidTo must be in the future"},
		{`1.5`, "ValidTo must be in the future"},
		{`1.608639949636E9`, "ValidTo must be in the future"},
		{`9e9`, "ValidTo must be less than 365 days in the future"},
		{`"2026-12-31T12:00:00Z"`, "STRING_VALUE can not be converted to a Timestamp"},
		{`1e300`, "NUMBER_VALUE can not be converted to a Timestamp"},
	} {
		got := send(t, mock, "ImportKeyMaterial", `{"KeyId": "k", "ImportToken": "eA==", "EncryptedKeyMaterial": "eA==", "ValidTo": `+tt.validTo+`}`)
		if got.message() != tt.message {
			t.Errorf("%s: got %s: %s, want %s", tt.validTo, got.Type, got.message(), tt.message)
		}
	}
	created := send(t, mock, "CreateKey", `{}`).body
	if !regexp.MustCompile(`"CreationDate":\d{10}(\.\d{1,3})?,`).MatchString(created) {
		t.Errorf("CreationDate is not in seconds: %s", created)
	}
}

// Accounts and Regions are apart, and named by the credential scope alone.
func TestAccountsAndRegions(t *testing.T) {
	mock := mockkms.New()
	for _, tt := range []struct{ accessKey, region, want string }{
		{"AKIDEXAMPLE", "us-east-1", "arn:aws:kms:us-east-1:111122223333:key/"},
		{"444455556666", "eu-central-1", "arn:aws:kms:eu-central-1:444455556666:key/"},
		{"444455556666", "cn-north-1", "arn:aws-cn:kms:cn-north-1:444455556666:key/"},
		{"444455556666", "us-gov-west-1", "arn:aws-us-gov:kms:us-gov-west-1:444455556666:key/"},
	} {
		scope := []string{"Authorization", "AWS4-HMAC-SHA256 Credential=" + tt.accessKey + "/20260912/" + tt.region + "/kms/aws4_request"}
		arn := send(t, mock, "CreateKey", `{}`, scope...).members(t)["KeyMetadata"].(map[string]any)["Arn"].(string)
		if !strings.HasPrefix(arn, tt.want) {
			t.Errorf("got %s, want %s…", arn, tt.want)
		}
		if keys := send(t, mock, "ListKeys", `{}`, scope...).members(t)["Keys"].([]any); len(keys) != 1 {
			t.Errorf("%s sees %d keys, want its own", tt.want, len(keys))
		}
	}
}

func TestServedOverHTTP(t *testing.T) {
	server := httptest.NewServer(mockkms.New())
	defer server.Close()
	got := must(http.Get(server.URL))
	body := must(io.ReadAll(got.Body))
	if got.StatusCode != http.StatusBadRequest || string(body) != `{"__type":"UnknownOperationException"}` {
		t.Errorf("GET /: got %d %s", got.StatusCode, body)
	}
}

// Whatever is sent, the answer is an answer or a well-formed refusal.
func FuzzWire(f *testing.F) {
	f.Add("CreateKey", []byte(`{"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC", "Origin": "EXTERNAL", "Tags": [{"TagKey": "a", "TagValue": ""}]}`))
	f.Add("Encrypt", []byte(`{"KeyId": "alias/a", "Plaintext": "eA==", "EncryptionContext": {"a": "b"}, "GrantTokens": ["x"], "DryRun": true}`))
	f.Add("Decrypt", []byte(`{"CiphertextBlob": "AQICAHg="}`))
	f.Add("ImportKeyMaterial", []byte(`{"KeyId": "x", "ImportToken": "AQ==", "EncryptedKeyMaterial": "AQ==", "ValidTo": 1.6E9}`))
	f.Add("ListKeys", []byte(`{"Limit": 1, "Marker": "bWFya2VyOg"}`))
	f.Add("ScheduleKeyDeletion", []byte(`{"KeyId": "arn:aws:kms:us-east-1:111122223333:key/x", "PendingWindowInDays": 7}`))
	mock := mockkms.New(mockkms.WithSharedWrappingKeys())
	key := must(newClient(mock).CreateKey(f.Context(), nil)).KeyMetadata
	f.Fuzz(func(t *testing.T, operation string, body []byte) {
		got := send(t, mock, operation, strings.ReplaceAll(string(body), "alias/a", *key.KeyId))
		switch {
		case got.status == http.StatusOK && (got.body == "" || json.Valid([]byte(got.body))):
		case got.status >= 400 && got.status < 500 && got.Type != "":
		default:
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
}
