// SPDX-License-Identifier: Apache-2.0

package token

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/keymat/keymat/wrap"
)

// addReadme takes from the README what it clearly says and leaves the rest alone. AWS documents only that it has
// "information about" the key, the algorithm and the expiry, not how it is written, so this looks for the values
// themselves; where it finds several it takes none. A README for another key than the file names say is an error.
func (z *ZipContents) addReadme(text string) error {
	const uuid = `[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`
	z.KeyARN = only(find(text, keyARNPattern))
	id := keyID(z.KeyARN)
	if id == "" {
		id = only(find(text, `\b(?:mrk-[0-9a-f]{32}|`+uuid+`)\b`))
	}
	if z.KeyID != "" && id != "" && id != z.KeyID {
		return &FileError{Kind: KindZip, Field: readmeFile, Reason: "for another key than the other files"}
	}
	if z.KeyID == "" {
		z.KeyID = id
	}
	if algorithm, err := wrap.ParseAlgorithm(only(find(text, `\b(?:RSAES_OAEP_SHA|RSA_AES_KEY_WRAP_SHA)_[0-9]+\b`))); err == nil {
		z.Algorithm = algorithm
	}
	z.ValidTo = deadline(text)
	return nil
}

// find returns the different matches of pattern in text.
func find(text, pattern string) []string {
	matches := regexp.MustCompile(pattern).FindAllString(text, -1)
	slices.Sort(matches)
	return slices.Compact(matches)
}

// only returns the one value there is, or "".
func only(values []string) string {
	if len(values) != 1 {
		return ""
	}
	return values[0]
}

// deadline is the one time in text, or the one time on lines that speak of expiry; zero if there is no such one.
func deadline(text string) time.Time {
	if t := onlyTime(times(text)); !t.IsZero() {
		return t
	}
	expiry := regexp.MustCompile(`(?i)expir|valid (to|until)`)
	var named []time.Time
	for line := range strings.Lines(text) {
		if expiry.MatchString(line) {
			named = append(named, times(line)...)
		}
	}
	return onlyTime(named)
}

// onlyTime returns the one time there is, in however many ways it was written, or the zero time.
func onlyTime(all []time.Time) time.Time {
	if len(all) == 0 || slices.ContainsFunc(all, func(t time.Time) bool { return !t.Equal(all[0]) }) {
		return time.Time{}
	}
	return all[0]
}

// times are the full dates in text that name their time zone, in the ways Java and JavaScript write one.
func times(text string) []time.Time {
	const clock = `[0-9]{2}:[0-9]{2}:[0-9]{2}`
	formats := []struct{ pattern, layout string }{
		{`[0-9]{4}-[0-9]{2}-[0-9]{2}T` + clock + `(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})`, time.RFC3339},
		{`[0-9]{4}-[0-9]{2}-[0-9]{2} ` + clock + ` UTC`, "2006-01-02 15:04:05 UTC"},
		{`[0-9]{4}-[0-9]{2}-[0-9]{2} ` + clock + ` [+-][0-9]{4}`, "2006-01-02 15:04:05 -0700"},
		{`[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} ` + clock + ` GMT`, "Mon, 02 Jan 2006 15:04:05 GMT"},
		{`[A-Z][a-z]{2} [A-Z][a-z]{2} [0-9]{2} ` + clock + ` UTC [0-9]{4}`, "Mon Jan 02 15:04:05 UTC 2006"},
		{`[A-Z][a-z]{2} [A-Z][a-z]{2} [0-9]{2} ` + clock + ` GMT [0-9]{4}`, "Mon Jan 02 15:04:05 GMT 2006"},
		{`[A-Z][a-z]{2} [A-Z][a-z]{2} [0-9]{2} [0-9]{4} ` + clock + ` GMT[+-][0-9]{4}`, "Mon Jan 02 2006 15:04:05 GMT-0700"},
	}
	var found []time.Time
	for _, f := range formats {
		for _, s := range find(text, f.pattern) {
			if t, err := time.Parse(f.layout, s); err == nil {
				found = append(found, t.UTC())
			}
		}
	}
	return found
}
