// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// MaxLifetime is how far ahead KMS lets imported material expire: 365 days
// ("ValidTo must be less than 365 days in the future", recorded).
const MaxLifetime = 365 * 24 * time.Hour

// Expiry says when imported material expires: never, or at a time (UTC, whole
// seconds: KMS cuts off the rest, recorded). The zero value is no decision and
// is refused; KMS's own default would let material expire.
type Expiry struct {
	never bool
	at    time.Time
	span  time.Duration // what was asked, where it was a duration
}

// Never is the expiry of material that does not expire.
func Never() Expiry { return Expiry{never: true} }

// At is an expiry at t, cut down to whole seconds.
func At(t time.Time) Expiry { return Expiry{at: t.UTC().Truncate(time.Second)} }

// In is an expiry d after now.
func In(d time.Duration, now time.Time) Expiry {
	e := At(now.Add(d))
	e.span = d
	return e
}

// ParseExpiry reads "90d", "12h", "30m", "2w", a date (2027-01-31, meaning its
// first second in UTC) or an RFC 3339 time. It fails with *ExpiryError; it does
// not judge the date, see [Expiry.Check].
func ParseExpiry(s string, now time.Time) (Expiry, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return At(t), nil
	}
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return At(t), nil
	}
	if d, ok := ParseSpan(s); ok {
		return In(d, now), nil
	}
	return Expiry{}, &ExpiryError{Text: s, Reason: "is neither a duration (90d, 12h) nor a date (2027-01-31, 2027-01-31T12:00:00Z)"}
}

// ParseSpan reads a length of time: "90d", "2w", or what [time.ParseDuration]
// takes, which leaves out days and weeks because of daylight saving; UTC has
// none.
func ParseSpan(s string) (time.Duration, bool) {
	for unit, length := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if n, found := strings.CutSuffix(s, unit); found {
			count, err := strconv.ParseUint(n, 10, 16)
			return time.Duration(count) * length, err == nil
		}
	}
	d, err := time.ParseDuration(s)
	return d, err == nil
}

// Check tells whether KMS would take the expiry at now. It fails with *ExpiryError.
func (e Expiry) Check(now time.Time) error {
	switch {
	case e.never:
		return nil
	case e.at.IsZero():
		return &ExpiryError{Reason: "no expiry was chosen"}
	case !e.at.After(now):
		return &ExpiryError{Text: e.String(), Reason: "is not in the future"}
	case e.at.Sub(now) > MaxLifetime:
		return &ExpiryError{Text: e.String(), Reason: "is more than 365 days ahead, which KMS refuses"}
	}
	return nil
}

// IsZero reports that no expiry was chosen.
func (e Expiry) IsZero() bool { return !e.never && e.at.IsZero() }

// Time is when the material expires, UTC; the zero time when it never does.
func (e Expiry) Time() time.Time { return e.at }

// Never reports that the material does not expire.
func (e Expiry) Never() bool { return e.never }

// Equal reports whether both say the same to KMS.
func (e Expiry) Equal(o Expiry) bool { return e.never == o.never && e.at.Equal(o.at) }

// MetBy reports whether present is as good as e. A date has to be the same
// second. A duration is met while at least 95 % of it is left, so that a
// script run twice does not import twice.
func (e Expiry) MetBy(present Expiry, now time.Time) bool {
	if e.span == 0 || present.never || present.IsZero() {
		return e.Equal(present)
	}
	left := present.at.Sub(now)
	return left <= e.span && left >= e.span-e.span/20
}

// String is "never" or the time in RFC 3339, UTC.
func (e Expiry) String() string {
	switch {
	case e.never:
		return "never"
	case e.at.IsZero():
		return "not chosen"
	}
	return e.at.Format(time.RFC3339)
}

// MarshalText makes JSON show what String shows.
func (e Expiry) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// model gives the two members of the KMS request. The model is always sent:
// left out, KMS takes EXPIRES, and policies conditioned on it see no value.
func (e Expiry) model() (types.ExpirationModelType, *time.Time) {
	if e.never {
		return types.ExpirationModelTypeKeyMaterialDoesNotExpire, nil
	}
	at := e.at
	return types.ExpirationModelTypeKeyMaterialExpires, &at
}

// expiryOf reads what KMS shows; the zero Expiry where it shows none.
func expiryOf(model types.ExpirationModelType, validTo *time.Time) Expiry {
	switch {
	case model == types.ExpirationModelTypeKeyMaterialDoesNotExpire:
		return Never()
	case model == types.ExpirationModelTypeKeyMaterialExpires && validTo != nil:
		return At(*validTo)
	}
	return Expiry{}
}

// ExpiryError says why an expiry cannot be used.
type ExpiryError struct {
	Text   string // what was asked; empty when nothing was
	Reason string
}

func (e *ExpiryError) Error() string {
	if e.Text == "" {
		return e.Reason
	}
	return fmt.Sprintf("expiry %s %s", e.Text, e.Reason)
}
