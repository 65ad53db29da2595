// SPDX-License-Identifier: Apache-2.0

package importer_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
)

func TestRenew(t *testing.T) {
	for _, spec := range []material.Spec{material.SymmetricDefault, material.HMAC256} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			m := generate(t, spec)
			k := b.bring(t, b.create(t, spec), m, importer.In(time.Hour, time.Now()))
			renew := func() (importer.Reimported, error) {
				return b.Renew(t.Context(), b.describe(t, k), m, experiment.Quick(spec), importer.RenewRequest{ImportRequest: importer.ImportRequest{Expiry: importer.In(48*time.Hour, time.Now())}})
			}
			if r, err := renew(); err != nil || r.Unchanged || time.Until(b.describe(t, k).Expiry.Time()) != 48*time.Hour {
				t.Errorf("%s: %+v, error %v", spec, r, err)
			}
			if r, err := renew(); err != nil || !r.Unchanged {
				t.Errorf("%s, again: %+v, error %v", spec, r, err)
			}
			time.Sleep(72 * time.Hour)
			_, err := renew()
			wantError[*importer.StateError](t, err)
		})
	}
}

// TestRenewWhen: what is asked 60 days before the end, and whether that renews.
func TestRenewWhen(t *testing.T) {
	const day = 24 * time.Hour
	until := func(d time.Duration) func(time.Time) importer.Expiry {
		return func(end time.Time) importer.Expiry { return importer.At(end.Add(d)) }
	}
	span := func(d time.Duration) func(time.Time) importer.Expiry {
		return func(time.Time) importer.Expiry { return importer.In(d, time.Now()) }
	}
	never := func(time.Time) importer.Expiry { return importer.Never() }
	tests := []struct {
		name    string
		present importer.Expiry // if not 60 days from now
		asked   func(end time.Time) importer.Expiry
		within  time.Duration
		want    string // "renewed", "unchanged" or "earlier"
	}{
		{"a day more", importer.Expiry{}, span(61 * day), 0, "renewed"},
		{"a minute and a second more", importer.Expiry{}, span(60*day + time.Minute + time.Second), 0, "renewed"},
		{"a minute more", importer.Expiry{}, span(60*day + time.Minute), 0, "unchanged"},
		{"a minute less", importer.Expiry{}, span(60*day - time.Minute), 0, "unchanged"},
		{"a minute and a second less", importer.Expiry{}, span(60*day - time.Minute - time.Second), 0, "earlier"},
		{"the same second", importer.Expiry{}, until(0), 0, "unchanged"},
		{"a date a second later", importer.Expiry{}, until(time.Second), 0, "renewed"},
		{"a date a second earlier", importer.Expiry{}, until(-time.Second), 0, "earlier"},
		{"for ever", importer.Expiry{}, never, 0, "renewed"},
		{"for ever, again", importer.Never(), never, 0, "unchanged"},
		{"what never expires", importer.Never(), span(day), 0, "earlier"},
		{"within 60 days", importer.Expiry{}, span(90 * day), 60 * day, "renewed"},
		{"within a second less", importer.Expiry{}, span(90 * day), 60*day - time.Second, "unchanged"},
		{"within a day, for ever", importer.Expiry{}, never, day, "unchanged"},
		{"within, but never expires", importer.Never(), span(day), 30 * day, "unchanged"},
		{"within, but shorter", importer.Expiry{}, span(day), 60 * day, "earlier"},
	}
	for _, spec := range []material.Spec{material.SymmetricDefault, material.HMAC256} {
		for _, tt := range tests {
			t.Run(fmt.Sprint(spec, " ", tt.name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBench(t)
					m := generate(t, spec)
					present := tt.present
					if present.IsZero() {
						present = importer.In(60*day, time.Now())
					}
					k := b.bring(t, b.create(t, spec), m, present)
					asked := tt.asked(present.Time())
					r, err := b.Renew(t.Context(), b.describe(t, k), m, experiment.Quick(spec),
						importer.RenewRequest{ImportRequest: importer.ImportRequest{Expiry: asked}, Within: tt.within})
					want := present
					switch tt.want {
					case "renewed":
						want = asked
						if err != nil || r.Unchanged {
							t.Errorf("%+v, error %v", r, err)
						}
					case "unchanged":
						if err != nil || !r.Unchanged || !r.Expiry.Equal(present) {
							t.Errorf("%+v, error %v", r, err)
						}
					case "earlier":
						wantError[*importer.EarlierError](t, err)
					}
					if got := b.describe(t, k).Expiry; !got.Equal(want) {
						t.Errorf("expires %s, want %s", got, want)
					}
				})
			})
		}
	}
}

// TestRenewEverywhere: each copy has its own expiry, and is judged by that.
func TestRenewEverywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		m := generate(t, material.SymmetricDefault)
		k, replica := b.replicated(t, m)
		pair := experiment.Quick(k.Spec)
		if _, err := replica.Reimport(t.Context(), replica.Key, m, pair, importer.ImportRequest{Expiry: importer.In(time.Hour, time.Now())}); err != nil {
			t.Fatal(err)
		}
		got := b.RenewEverywhere(t.Context(), b.describe(t, k), m, pair, importer.RenewRequest{ImportRequest: importer.ImportRequest{Expiry: importer.Never()}})
		if len(got) != 2 || got[0].Err != nil || !got[0].Reimported.Unchanged || got[1].Err != nil || got[1].Reimported.Unchanged || !got[1].Reimported.Expiry.Never() {
			t.Errorf("got %+v", got)
		}
	})
}
