// SPDX-License-Identifier: Apache-2.0

package importer_test

import (
	"testing"
	"time"

	"github.com/keymat/keymat/importer"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestParseExpiry(t *testing.T) {
	tests := []struct{ text, want, problem string }{
		{"90d", "2027-02-20T12:00:00Z", ""},
		{"2w", "2026-12-06T12:00:00Z", ""},
		{"12h", "2026-11-23T00:00:00Z", ""},
		{"90m", "2026-11-22T13:30:00Z", ""},
		{"365d", "2027-11-22T12:00:00Z", ""},
		{"366d", "2027-11-23T12:00:00Z", "expiry 2027-11-23T12:00:00Z is more than 365 days ahead, which KMS refuses"},
		{"2027-01-31", "2027-01-31T00:00:00Z", ""},
		{"2027-01-31T13:00:00+01:00", "2027-01-31T12:00:00Z", ""},
		{"2026-11-22T12:00:00Z", "2026-11-22T12:00:00Z", "expiry 2026-11-22T12:00:00Z is not in the future"},
		{"-1h", "2026-11-22T11:00:00Z", "expiry 2026-11-22T11:00:00Z is not in the future"},
	}
	for _, tt := range tests {
		e, err := importer.ParseExpiry(tt.text, noon)
		if err != nil || e.String() != tt.want {
			t.Errorf("%s: %s, error %v; want %s", tt.text, e, err, tt.want)
		}
		if got := errText(e.Check(noon)); got != tt.problem {
			t.Errorf("%s: problem %q, want %q", tt.text, got, tt.problem)
		}
	}
	for _, text := range []string{"", "soon", "d", "90", "1.5d", "-1d", "99999d", "2027-02-30", "90 d"} {
		e, err := importer.ParseExpiry(text, noon)
		if err == nil || !e.IsZero() {
			t.Errorf("%q: %s, error %v; want an error and no value", text, e, err)
		}
	}
}

func TestExpiryMetBy(t *testing.T) {
	const span = 100 * time.Hour
	asked := importer.In(span, noon)
	tests := []struct {
		name    string
		asked   importer.Expiry
		present importer.Expiry
		want    bool
	}{
		{"duration, all left", asked, importer.At(noon.Add(span)), true},
		{"duration, 95 % left", asked, importer.At(noon.Add(95 * time.Hour)), true},
		{"duration, a second less", asked, importer.At(noon.Add(95*time.Hour - time.Second)), false},
		{"duration, more than asked", asked, importer.At(noon.Add(span + time.Second)), false},
		{"duration, but it never expires", asked, importer.Never(), false},
		{"duration, but there is none", asked, importer.Expiry{}, false},
		{"date, the same", importer.At(noon), importer.At(noon), true},
		{"date, another", importer.At(noon), importer.At(noon.Add(time.Second)), false},
		{"never, never", importer.Never(), importer.Never(), true},
		{"never, a date", importer.Never(), importer.At(noon), false},
		{"never, nothing", importer.Never(), importer.Expiry{}, false},
	}
	for _, tt := range tests {
		if got := tt.asked.MetBy(tt.present, noon); got != tt.want {
			t.Errorf("%s: %t, want %t", tt.name, got, tt.want)
		}
	}
}
