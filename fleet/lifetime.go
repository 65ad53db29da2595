// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"time"

	"github.com/keymat/keymat/fleet/manifest"
	"github.com/keymat/keymat/importer"
)

// clocksDiffer is what the longest span is short of KMS's limit, so that a
// clock that is ahead does not make KMS refuse it.
const clocksDiffer = time.Hour

// expiryOf is when material that is imported now shall expire. It fails with
// *importer.ExpiryError where KMS would not take that.
func expiryOf(l manifest.Lifetime, now time.Time) (importer.Expiry, error) {
	e := importer.Never()
	switch {
	case !l.At.IsZero():
		e = importer.At(l.At)
	case l.Span > 0:
		e = importer.At(now.Add(min(l.Span, importer.MaxLifetime-clocksDiffer)))
	}
	return e, e.Check(now)
}

// met tells whether material that expires so may stay as it is.
func met(l manifest.Lifetime, present importer.Expiry, now time.Time) bool {
	switch {
	case l.Never:
		return present.Never()
	case !l.At.IsZero():
		return present.Equal(importer.At(l.At))
	case present.Never() || present.IsZero():
		return false
	}
	left := present.Time().Sub(now)
	return left >= l.RenewBelow && left <= l.Span
}

// whyNotMet says it for people.
func whyNotMet(l manifest.Lifetime, present importer.Expiry, now time.Time) string {
	asked := wanted(l)
	switch {
	case present.Never():
		return "never expires, and " + asked + " is asked for"
	case l.Span == 0:
		return fmt.Sprintf("expires %s, and %s is asked for", present, asked)
	}
	left := present.Time().Sub(now)
	if left > l.Span {
		return fmt.Sprintf("expires %s, %s ahead, and %s is asked for", present, leftInWords(left), asked)
	}
	return fmt.Sprintf("expires %s: %s left, and it is renewed below %s", present, leftInWords(left), inWords(l.RenewBelow))
}

// wanted says what a lifetime asks for.
func wanted(l manifest.Lifetime) string {
	switch {
	case l.Never:
		return "never"
	case !l.At.IsZero():
		return l.At.Format(time.RFC3339)
	}
	return inWords(l.Span)
}

// leftInWords is how long something lasts yet, always in two units: "30 d 0 h".
func leftInWords(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= day:
		return fmt.Sprintf("%d d %d h", d/day, d%day/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%d h %d m", d/time.Hour, d%time.Hour/time.Minute)
	}
	return inWords(d)
}

// inWords is a length of time in its two units that matter: "29 d 5 h".
func inWords(d time.Duration) string {
	const day = 24 * time.Hour
	units := []struct {
		of   time.Duration
		name string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}}
	for i, u := range units {
		if d < u.of && i < len(units)-1 {
			continue
		}
		words := fmt.Sprintf("%d %s", d/u.of, u.name)
		if i+1 < len(units) {
			if next := d % u.of / units[i+1].of; next > 0 {
				words += fmt.Sprintf(" %d %s", next, units[i+1].name)
			}
		}
		return words
	}
	return ""
}
