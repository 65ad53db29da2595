// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

// events are those of a query, each as "name", with "!code" if it failed.
func (s *session) events(q mockkms.EventQuery) (names []string, all []mockkms.Event) {
	s.Helper()
	all = must(s.mock.Events(q)).Events
	for _, e := range all {
		name := e.EventName
		if e.ErrorCode != "" {
			name += "!" + e.ErrorCode
		}
		names = append(names, name)
	}
	return names, all
}

// last is the newest event, as its JSON form without what differs each time.
func (s *session) lastEvent() string {
	s.Helper()
	_, all := s.events(mockkms.EventQuery{Limit: 1})
	e := all[0]
	return fmt.Sprintf("readOnly=%t request=%s response=%s additional=%s error=%s:%s",
		e.ReadOnly, text(e.RequestParameters), text(e.ResponseElements), text(e.AdditionalEventData), e.ErrorCode, e.ErrorMessage)
}

func text(v any) string { return string(must(json.Marshal(v))) }

var frozenAt = time.Date(2027, 3, 4, 15, 6, 7, 890e6, time.UTC)

// What an event tells of a call, by operation (names and fields of the
// Developer Guide's samples).
func TestEventsByOperation(t *testing.T) {
	s := newSession(t)
	s.moves(mockkms.ClockMove{Set: frozenAt, Freeze: true})
	key := s.external(types.KeySpecSymmetricDefault)
	var id string
	check := func(name, want string) {
		t.Helper()
		want = strings.NewReplacer("{key}", key, "{id}", id).Replace(want)
		if got := s.lastEvent(); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, want)
		}
	}
	s.parameters(key)
	check("GetParametersForImport", `readOnly=true request={"keyId":"{key}","wrappingAlgorithm":"RSAES_OAEP_SHA_256","wrappingKeySpec":"RSA_3072"} response=null additional=null error=:`)
	in := s.importing(key, letters("A", 32))
	in.KeyMaterialDescription, in.ExpirationModel = ptr("first"), types.ExpirationModelTypeKeyMaterialExpires
	in.ValidTo = ptr(frozenAt.Add(time.Hour))
	id = *must(s.ImportKeyMaterial(t.Context(), in)).KeyMaterialId
	check("ImportKeyMaterial", `readOnly=false request={"expirationModel":"KEY_MATERIAL_EXPIRES","keyId":"{key}","keyMaterialDescription":"first","validTo":"Mar 4, 2027, 4:06:07 PM"} response={"keyId":"{key}","keyMaterialId":"{id}"} additional=null error=:`)
	blob := must(s.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x"), EncryptionContext: map[string]string{"a": "b"}})).CiphertextBlob
	check("Encrypt", `readOnly=true request={"encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{"a":"b"},"keyId":"{key}"} response=null additional={"keyMaterialId":"{id}"} error=:`)
	s.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob})
	check("Decrypt", `readOnly=true request={"encryptionAlgorithm":"SYMMETRIC_DEFAULT"} response=null additional=null error=InvalidCiphertextException:`)
	must(s.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &key}))
	check("DisableKey", `readOnly=false request={"keyId":"{key}"} response={"keyId":"{key}"} additional=null error=:`)
	s.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x")})
	check("Encrypt, disabled", `readOnly=true request={"encryptionAlgorithm":"SYMMETRIC_DEFAULT","keyId":"{key}"} response=null additional=null error=DisabledException:{key} is disabled.`)
	must(s.GenerateRandom(t.Context(), &kms.GenerateRandomInput{NumberOfBytes: ptr[int32](7)}))
	check("GenerateRandom", `readOnly=true request=null response=null additional=null error=:`)
	must(s.TagResource(t.Context(), &kms.TagResourceInput{KeyId: &key, Tags: []types.Tag{{TagKey: ptr("a"), TagValue: ptr("b")}}}))
	check("TagResource", `readOnly=false request={"keyId":"{key}","tags":[{"tagKey":"a","tagValue":"b"}]} response={"keyId":"{key}"} additional=null error=:`)
	must(s.DeleteImportedKeyMaterial(t.Context(), &kms.DeleteImportedKeyMaterialInput{KeyId: &key}))
	check("DeleteImportedKeyMaterial", `readOnly=false request={"keyId":"{key}"} response={"keyId":"{key}","keyMaterialId":"{id}"} additional=null error=:`)
	must(s.ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: &key, PendingWindowInDays: ptr[int32](7)}))
	check("ScheduleKeyDeletion", `readOnly=false request={"keyId":"{key}","pendingWindowInDays":7} response={"deletionDate":"Mar 11, 2027, 3:06:07 PM","keyId":"{key}","keyState":"PendingDeletion","pendingWindowInDays":7} additional=null error=:`)
	send(t, s.mock, "ListKeys", `{"Limit": 0}`)
	check("ListKeys", `readOnly=true request=null response=null additional=null error=ValidationException:1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1`)
	s.mock.Inject(mockkms.Fault{Kind: mockkms.FaultDenied})
	s.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &key})
	if got := s.lastEvent(); !strings.Contains(got, `error=AccessDenied:User: arn:aws:iam::111122223333:user/mock is not authorized to perform: kms:DescribeKey`) {
		t.Errorf("DescribeKey: got %s", got)
	}
}

func TestFieldsOfAnEvent(t *testing.T) {
	s := newSession(t)
	s.moves(mockkms.ClockMove{Set: frozenAt, Freeze: true})
	got := send(t, s.mock, "CreateKey", `{"Origin": "EXTERNAL"}`, "User-Agent", "probe/1")
	key := got.members(t)["KeyMetadata"].(map[string]any)["Arn"].(string)
	_, all := s.events(mockkms.EventQuery{})
	e := all[0]
	elements := e.ResponseElements["keyMetadata"].(map[string]any)
	if elements["arn"] != key || elements["creationDate"] != "Mar 4, 2027, 3:06:07 PM" || elements["enabled"] != false || elements["aWSAccountId"] != account {
		t.Errorf("got responseElements %v", elements)
	}
	id := e.EventID
	if !isUUID(id) {
		t.Errorf("got eventID %q", id)
	}
	e.EventID, e.ResponseElements = "", nil
	want := `{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","principalId":"AIDAMOCKMOCKMOCKMOCK","arn":"arn:aws:iam::111122223333:user/mock",` +
		`"accountId":"111122223333","accessKeyId":"111122223333","userName":"mock"},"eventTime":"2027-03-04T15:06:07Z","eventSource":"kms.amazonaws.com",` +
		`"eventName":"CreateKey","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.1","userAgent":"probe/1","requestParameters":{"origin":"EXTERNAL"},` +
		`"responseElements":null,"requestID":"` + got.header.Get("x-amzn-RequestId") + `","eventID":"","readOnly":false,` +
		`"resources":[{"accountId":"111122223333","type":"AWS::KMS::Key","ARN":"` + key + `"}],"eventType":"AwsApiCall","managementEvent":true,` +
		`"recipientAccountId":"111122223333","eventCategory":"Management"}`
	if text(e) != want {
		t.Errorf("got\n%s\nwant\n%s", text(e), want)
	}
}

// Nothing that a caller would not want to find in a log is in an event.
func TestEventsKeepSecrets(t *testing.T) {
	s := newSession(t)
	key := s.external(types.KeySpecSymmetricDefault)
	in := s.importing(key, letters("S", 32))
	must(s.ImportKeyMaterial(t.Context(), in))
	secrets := [][]byte{letters("S", 32), in.ImportToken, in.EncryptedKeyMaterial, []byte("the plaintext, long enough to be found")}
	grant := must(s.CreateGrant(t.Context(), &kms.CreateGrantInput{
		KeyId: &key, GranteePrincipal: ptr("arn:aws:iam::111122223333:user/a"), Operations: []types.GrantOperation{types.GrantOperationEncrypt},
	})).GrantToken
	out := must(s.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: secrets[3], GrantTokens: []string{*grant}}))
	data := must(s.GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{KeyId: &key, KeySpec: types.DataKeySpecAes256}))
	must(s.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: out.CiphertextBlob}))
	random := must(s.GenerateRandom(t.Context(), &kms.GenerateRandomInput{NumberOfBytes: ptr[int32](32)}))
	secrets = append(secrets, out.CiphertextBlob, data.Plaintext, data.CiphertextBlob, random.Plaintext, []byte(*grant))
	_, all := s.events(mockkms.EventQuery{})
	told := text(all)
	for i, secret := range secrets {
		if strings.Contains(told, string(secret)) || strings.Contains(told, base64.StdEncoding.EncodeToString(secret)) {
			t.Errorf("secret %d is in the events", i)
		}
	}
}

func TestServiceEvents(t *testing.T) {
	s := newSession(t)
	s.moves(mockkms.ClockMove{Set: frozenAt, Freeze: true})
	key := s.external(types.KeySpecSymmetricDefault)
	first := s.imports(key, letters("A", 32), func(in *kms.ImportKeyMaterialInput) {
		in.ExpirationModel, in.ValidTo = types.ExpirationModelTypeKeyMaterialExpires, ptr(frozenAt.Add(time.Hour))
	})
	second := s.imports(key, letters("B", 32), func(in *kms.ImportKeyMaterialInput) { in.ImportType = types.ImportTypeNewKeyMaterial })
	must(s.RotateKeyOnDemand(t.Context(), &kms.RotateKeyOnDemandInput{KeyId: &key}))
	s.moves(mockkms.ClockMove{Advance: time.Minute})
	s.moves(mockkms.ClockMove{Advance: time.Hour})
	must(s.ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: &key, PendingWindowInDays: ptr[int32](7)}))
	s.moves(mockkms.ClockMove{Advance: 7 * 24 * time.Hour})
	var got []string
	_, all := s.events(mockkms.EventQuery{Key: key})
	for _, e := range all {
		if e.EventType == "AwsServiceEvent" {
			got = append(got, fmt.Sprintf("%s %s %s by %s, asked %s by %s", e.EventTime.Format(time.RFC3339), e.EventName,
				text(e.ServiceEventDetails), e.UserIdentity.InvokedBy, text(e.RequestParameters), e.RequestID))
		}
	}
	_, id, _ := strings.Cut(key, "/")
	want := []string{
		`2027-03-04T15:06:12Z RotateKey {"currentKeyMaterialId":"` + second + `","keyId":"` + id + `","keyOrigin":"EXTERNAL","previousKeyMaterialId":"` + first + `","rotationType":"ON_DEMAND"} by AWS Internal, asked null by `,
		`2027-03-04T16:06:07Z DeleteExpiredKeyMaterial {"keyId":"` + id + `","keyMaterialId":"` + first + `"} by AWS Internal, asked null by `,
		`2027-03-11T16:07:07Z DeleteKey {"keyId":"` + id + `"} by AWS Internal, asked null by `,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestEventQueries(t *testing.T) {
	s := newSession(t)
	key, other := s.external(types.KeySpecSymmetricDefault), s.external(types.KeySpecHmac256)
	must(s.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: ptr("alias/a"), TargetKeyId: &key}))
	s.describe("alias/a")
	page := must(s.mock.Events(mockkms.EventQuery{}))
	s.describe(other)
	_, id, _ := strings.Cut(key, "/")
	for _, tt := range []struct {
		name  string
		query mockkms.EventQuery
		want  []string
	}{
		{"all", mockkms.EventQuery{}, []string{"CreateKey", "CreateKey", "CreateAlias", "DescribeKey", "DescribeKey"}},
		{"by ARN", mockkms.EventQuery{Key: key}, []string{"CreateKey", "CreateAlias", "DescribeKey"}},
		{"by ID", mockkms.EventQuery{Key: id}, []string{"CreateKey", "CreateAlias", "DescribeKey"}},
		{"by alias", mockkms.EventQuery{Key: "alias/a"}, []string{"CreateAlias", "DescribeKey"}},
		{"no such key", mockkms.EventQuery{Key: id[1:]}, nil},
		{"newest", mockkms.EventQuery{Limit: 2, Key: key}, []string{"CreateAlias", "DescribeKey"}},
		{"those that came since", mockkms.EventQuery{After: page.Last}, []string{"DescribeKey"}},
		{"none came since", mockkms.EventQuery{After: page.Last + 1}, nil},
	} {
		if got, _ := s.events(tt.query); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestEventsAreBounded(t *testing.T) {
	for _, keep := range []int{0, 1, 3} {
		s := newSession(t, mockkms.WithTrail(keep))
		for i := range 7 {
			must(s.GenerateRandom(t.Context(), &kms.GenerateRandomInput{NumberOfBytes: ptr(int32(i + 1))}))
			if i%2 == 0 {
				s.events(mockkms.EventQuery{})
			}
		}
		if got, _ := s.events(mockkms.EventQuery{}); len(got) != keep {
			t.Errorf("got %d events, want %d", len(got), keep)
		}
	}
}

func TestRemoteEvents(t *testing.T) {
	s := newSession(t)
	server := httptest.NewServer(s.mock.Server())
	defer server.Close()
	remote := mockkms.NewRemote(server.URL, nil)
	key := s.external(types.KeySpecSymmetricDefault)
	s.external(types.KeySpecSymmetricDefault)
	page := must(remote.Events(t.Context(), mockkms.EventQuery{Key: key}))
	if want := must(s.mock.Events(mockkms.EventQuery{Key: key})); text(page) != text(want) || len(page.Events) != 1 || page.Last != 2 {
		t.Errorf("got  %s\nwant %s", text(page), text(want))
	}
	s.describe(key)
	if page = must(remote.Events(t.Context(), mockkms.EventQuery{After: page.Last, Limit: 5})); len(page.Events) != 1 || page.Events[0].EventName != "DescribeKey" {
		t.Errorf("since then: %s", text(page))
	}
}

// Events outlive the process, and whoever shares the file sees them.
func TestEventsAreKeptInTheStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	one := mockkms.New(mockkms.WithStore(must(mockkms.OpenStore(path))))
	must(newClient(one).ListKeys(t.Context(), nil))
	must(0, one.Close())
	other := newSession(t, mockkms.WithStore(must(mockkms.OpenStore(path))))
	must(other.ListAliases(t.Context(), nil))
	if got, _ := other.events(mockkms.EventQuery{}); !slices.Equal(got, []string{"ListKeys", "ListAliases"}) {
		t.Errorf("got %v", got)
	}
}

// A call whose answer got lost happened; one that got lost on its way did not.
func TestEventsOfDroppedConnections(t *testing.T) {
	s := newSession(t)
	s.mock.Inject(mockkms.Fault{Kind: mockkms.FaultDropBefore})
	s.ListKeys(t.Context(), nil)
	s.mock.Inject(mockkms.Fault{Kind: mockkms.FaultDropAfter})
	s.ListAliases(t.Context(), nil)
	if got, _ := s.events(mockkms.EventQuery{}); !slices.Equal(got, []string{"ListAliases"}) {
		t.Errorf("got %v", got)
	}
}

// Every call of many at once is told once.
func TestEventsOfConcurrentCalls(t *testing.T) {
	for name, store := range stores(t) {
		s := newSession(t, mockkms.WithStore(store))
		const callers, calls = 8, 20
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				for i := range calls {
					must(s.GenerateRandom(t.Context(), &kms.GenerateRandomInput{NumberOfBytes: ptr[int32](1)}))
					if i%5 == 0 {
						must(s.mock.Events(mockkms.EventQuery{}))
					}
				}
			})
		}
		wg.Wait()
		seen := make(map[string]bool)
		for _, e := range must(s.mock.Events(mockkms.EventQuery{})).Events {
			seen[e.RequestID] = true
		}
		if len(seen) != callers*calls {
			t.Errorf("%s: got %d events, want %d", name, len(seen), callers*calls)
		}
	}
}

// Events are written a second after the first of them. While more come in each
// second than are kept, they wait for ten.
func TestEventsAreWritten(t *testing.T) {
	const interval, bursts = 700 * time.Millisecond, 16
	for _, c := range []struct {
		name  string
		calls int            // in a burst
		want  map[int]string // number of the last event written, after so many intervals
	}{
		{"seldom", 1, map[int]string{1: "", 2: "2", 3: "2", 4: "4", 18: "16"}},
		{"often", 4, map[int]string{1: "", 2: "", 14: "", 15: "3", 17: "3", 18: "6"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := mockkms.NewMemoryStore()
				s := newSession(t, mockkms.WithStore(store), mockkms.WithTrail(3))
				for i := range 19 {
					var got string
					store.View(func(tx mockkms.Tx) error { got = string(tx.Get("trail")); return nil })
					if want, asked := c.want[i]; asked && got != want {
						t.Errorf("after %s the last event written is %q, want %q", time.Duration(i)*interval, got, want)
					}
					for range c.calls {
						if i < bursts {
							send(t, s.mock, "ListKeys", `{}`)
						}
					}
					time.Sleep(interval)
					synctest.Wait()
				}
			})
		})
	}
}
