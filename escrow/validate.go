// SPDX-License-Identifier: Apache-2.0

package escrow

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/keymat/keymat/material"
)

// Validate checks each value by itself and against the profile. An error is a [*FileError].
func (f *File) Validate() error {
	wrong := func(field, format string, args ...any) error {
		return &FileError{Field: field, Reason: fmt.Sprintf(format, args...)}
	}
	if f.ID == (ID{}) {
		return wrong("id", "missing")
	}
	if f.Created.IsZero() || f.Created.Location() != time.UTC || f.Created.Nanosecond() != 0 {
		return wrong("created", "not a time in UTC, to the second")
	}
	if !slices.Contains(Profiles(), f.Profile) {
		return wrong("profile", "none of %v", Profiles())
	}
	if f.KeySpec.Kind() == material.KindNone {
		return wrong("key_spec", "missing")
	}
	if !validFingerprint(f.KeySpec, f.Fingerprint) {
		return wrong("fingerprint", "none that %s material has", f.KeySpec)
	}
	if (f.Profile == Recipients) != (len(f.Recipients) > 0) {
		return wrong("recipients", "there are %d, for an escrow of profile %s", len(f.Recipients), f.Profile)
	}
	name := regexp.MustCompile(`^[ -~]+$`) // printable ASCII
	for _, r := range f.Recipients {
		if !name.MatchString(r) {
			return wrong("recipients", "not the text of a recipient")
		}
	}
	if f.Profile.Shared() != (f.Shares != nil) {
		return wrong("shares", "there may be shares exactly for a quorum")
	}
	if f.Shares != nil {
		if err := f.Shares.validate(); err != nil {
			return err
		}
	}
	if len(f.Ciphertext) == 0 {
		return wrong("ciphertext", "missing")
	}
	return nil
}

func validFingerprint(spec material.Spec, fingerprint string) bool {
	pattern := map[material.Kind]string{
		material.Symmetric: `^cmac:[0-9a-f]{10}$`,
		material.HMAC:      `^hmac:[0-9a-f]{10}$`,
	}[spec.Kind()]
	if pattern == "" {
		pattern = `^spki-sha256:[0-9a-f]{64}$`
	}
	return regexp.MustCompile(pattern).MatchString(fingerprint)
}
