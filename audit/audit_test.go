// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/audit"
)

const key = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd"

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestParse(t *testing.T) {
	tests := []struct {
		name, record string
		want         audit.Event
	}{
		{"an import that expires",
			`{"eventID":"1","eventName":"ImportKeyMaterial","eventTime":"2026-03-01T12:00:00Z","userIdentity":{"arn":"arn:aws:iam::111122223333:user/a"},
			"requestParameters":{"keyId":"x","validTo":"May 21, 2026, 5:47:45 AM","expirationModel":"KEY_MATERIAL_EXPIRES"},
			"responseElements":{"keyMaterialId":"m1"},"resources":[{"ARN":"` + key + `"}],"unknown":[1]}`,
			audit.Event{At: noon, Name: "ImportKeyMaterial", KeyARN: key, Who: "arn:aws:iam::111122223333:user/a", MaterialID: "m1", Expires: "2026-05-21T05:47:45Z", ID: "1"}},
		{"a narrow space before PM",
			`{"eventID":"1","eventName":"ImportKeyMaterial","eventTime":"2026-03-01T12:00:00Z","requestParameters":{"validTo":"May 21, 2026, 5:47:45` + "\u202f" + `PM"}}`,
			audit.Event{At: noon, Name: "ImportKeyMaterial", Expires: "2026-05-21T17:47:45Z", ID: "1"}},
		{"a time in another form",
			`{"eventID":"1","eventName":"ImportKeyMaterial","eventTime":"2026-03-01T12:00:00Z","requestParameters":{"validTo":"21.5.26"}}`,
			audit.Event{At: noon, Name: "ImportKeyMaterial", Expires: "21.5.26", ID: "1"}},
		{"an import that was refused",
			`{"eventID":"1","eventName":"ImportKeyMaterial","eventTime":"2026-03-01T12:00:00Z","errorCode":"IncorrectKeyMaterialException",
			"requestParameters":{"expirationModel":"KEY_MATERIAL_DOES_NOT_EXPIRE"},"responseElements":null}`,
			audit.Event{At: noon, Name: "ImportKeyMaterial", Expires: "never", Error: "IncorrectKeyMaterialException", ID: "1"}},
		{"an expiry",
			`{"eventID":"1","eventName":"DeleteExpiredKeyMaterial","eventTime":"2026-03-01T12:00:00Z","userIdentity":{"accountId":"1","invokedBy":"AWS Internal"},
			"requestParameters":null,"responseElements":null,"serviceEventDetails":{"keyId":"x","keyMaterialId":"m1"}}`,
			audit.Event{At: noon, Name: "DeleteExpiredKeyMaterial", Who: "AWS Internal", MaterialID: "m1", ID: "1"}},
		{"a rotation",
			`{"eventID":"1","eventName":"RotateKey","eventTime":"2026-03-01T12:00:00Z","serviceEventDetails":{"previousKeyMaterialId":"m1","currentKeyMaterialId":"m2"}}`,
			audit.Event{At: noon, Name: "RotateKey", MaterialID: "m2", ID: "1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok, err := audit.Parse([]byte(tt.record)); !ok || err != nil || got != tt.want {
				t.Errorf("got %+v, %t, %v\nwant %+v", got, ok, err, tt.want)
			}
		})
	}
	if _, ok, err := audit.Parse([]byte(`{"eventName":"Encrypt"}`)); ok || err != nil {
		t.Errorf("Encrypt: %t, %v", ok, err)
	}
	if _, _, err := audit.Parse([]byte(`{`)); err == nil {
		t.Error("half a record is taken")
	}
}

func TestReadReceipts(t *testing.T) {
	const log = `{"key_arn":"a","key_material_id":"m","expires":"never","imported_at":"2026-03-01T12:00:00Z","proven":false}
{"changed":false,"key_arn":"a","expires":"never"}
{"regions":[{"region":"r","key_arn":"b","expires":"never","imported_at":"2026-03-01T12:00:01Z"},{"region":"s","error":"denied"}]}
{"error":"no","exit_code":1}
{"key_arn":"c","expires":"never","imported_at":"2026-03-01T12:00:02Z","replicas":[{"region":"r","key_arn":"d","expires":"never","imported_at":"2026-03-01T12:00:03Z"}]}
`
	got, err := audit.ReadReceipts(strings.NewReader(log))
	var keys []string
	for _, r := range got {
		keys = append(keys, r.KeyARN)
	}
	if err != nil || !slices.Equal(keys, []string{"a", "b", "c", "d"}) || got[0].At != noon || got[0].MaterialID != "m" {
		t.Errorf("got %+v, error %v", got, err)
	}
	_, err = audit.ReadReceipts(strings.NewReader(log + "{"))
	if e, ok := errors.AsType[*audit.NoReceiptError](err); !ok || e.Offset < int64(len(log)-1) {
		t.Errorf("error %v", err)
	}
	_, err = audit.ReadReceipts(strings.NewReader("secret"))
	if got, want := err.Error(), "what follows byte 0 is no JSON result of keymat"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func TestCompare(t *testing.T) {
	event := func(after time.Duration, material, expires string) audit.Event {
		return audit.Event{At: noon.Add(after), Name: "ImportKeyMaterial", KeyARN: key, MaterialID: material, Expires: expires}
	}
	receipt := func(after time.Duration, material, expires string) audit.Receipt {
		return audit.Receipt{KeyARN: key, At: noon.Add(after), MaterialID: material, Expires: expires}
	}
	other := receipt(0, "m", "never")
	other.KeyARN = "other"
	refused := event(0, "m", "never")
	refused.Error = "AccessDenied"
	told := audit.Window{From: noon.Add(-time.Hour), To: noon.Add(time.Hour)}
	tests := []struct {
		name      string
		events    []audit.Event
		receipts  []audit.Receipt
		want      []string
		unchecked int
	}{
		{"agree", []audit.Event{event(0, "m", "never"), event(time.Minute, "m", "never")}, []audit.Receipt{receipt(time.Minute, "m", "never"), receipt(0, "m", "never")}, nil, 0},
		{"as late as may be", []audit.Event{event(0, "m", "never")}, []audit.Receipt{receipt(2*time.Minute, "m", "never")}, nil, 0},
		{"too late", []audit.Event{event(0, "m", "never")}, []audit.Receipt{receipt(2*time.Minute+time.Second, "m", "never")},
			[]string{"imported, but no receipt says so", "a receipt says so, but the trail shows no such import"}, 0},
		{"another material", []audit.Event{event(0, "m", "never")}, []audit.Receipt{receipt(0, "n", "never")},
			[]string{"imported, but no receipt says so", "a receipt says so, but the trail shows no such import"}, 0},
		{"another expiry", []audit.Event{event(0, "m", "never")}, []audit.Receipt{receipt(0, "m", "2027-01-01T00:00:00Z")},
			[]string{"expires never according to the trail, 2027-01-01T00:00:00Z according to the receipt"}, 0},
		{"two at once, one without a receipt", []audit.Event{event(0, "m", "2027-01-01T00:00:00Z"), event(0, "m", "never")}, []audit.Receipt{receipt(0, "m", "never")},
			[]string{"imported, but no receipt says so"}, 0},
		{"somebody else's import", []audit.Event{event(0, "m", "never")}, nil, []string{"imported, but no receipt says so"}, 0},
		{"a receipt serves once", []audit.Event{event(0, "m", "never"), event(time.Second, "m", "never")}, []audit.Receipt{receipt(0, "m", "never")}, []string{"imported, but no receipt says so"}, 0},
		{"refused calls and other keys", []audit.Event{refused}, []audit.Receipt{other}, nil, 0},
		{"outside of the trail", nil, []audit.Receipt{receipt(-time.Hour-1, "m", "never"), receipt(time.Hour+1, "m", "never")}, nil, 2},
		{"at its edges", nil, []audit.Receipt{receipt(-time.Hour, "m", "never"), receipt(time.Hour, "m", "never")},
			[]string{"a receipt says so, but the trail shows no such import", "a receipt says so, but the trail shows no such import"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			differences, unchecked := audit.Compare(key, tt.events, tt.receipts, told)
			var got []string
			for _, d := range differences {
				got = append(got, d.Reason)
			}
			if !slices.Equal(got, tt.want) || unchecked != tt.unchecked {
				t.Errorf("got %q and %d unchecked, want %q and %d", got, unchecked, tt.want, tt.unchecked)
			}
		})
	}
}
