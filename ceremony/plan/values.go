// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/lazyregexp"
	"github.com/keymat/keymat/internal/sshsig"
	"github.com/keymat/keymat/wrap"
)

// The values of a plan, each read from its one spelling.

const (
	longestTitle       = 120 // characters
	longestDescription = 256 // characters, of KeyMaterialDescription (KMS API model)
)

var identifiers = lazyregexp.New(`^[a-z][a-z0-9-]{0,39}$`)

// identifier is fit for a file name, a signer's name and a spoken name.
func identifier(text string) (string, error) {
	if !identifiers().MatchString(text) {
		return "", errors.New("not an ID: a small letter, then at most 39 small letters, digits and hyphens")
	}
	return text, nil
}

func phrase(longest int) func(string) (string, error) {
	return func(text string) (string, error) {
		switch {
		case strings.TrimSpace(text) != text || text == "":
			return "", errors.New("empty, or with space around it")
		case utf8.RuneCountInString(text) > longest:
			return "", fmt.Errorf("longer than %d characters", longest)
		}
		return text, nil
	}
}

// What has the form that AWS, or this toolkit, gives it.
var (
	partition = pattern(`aws[a-z-]*`, "an AWS partition")
	account   = pattern(`[0-9]{12}`, "an AWS account, 12 digits")
	region    = pattern(`[a-z]{2,}(-[a-z]+)+-[0-9]+`, "an AWS Region")
	keyName   = pattern(
		`arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+|alias/[A-Za-z0-9/_-]{1,250}`,
		"the ARN of a KMS key, nor an alias such as alias/app")
	fingerprint = pattern(`(cmac|hmac):[0-9a-f]{10}|spki-sha256:[0-9a-f]{64}`, "a fingerprint such as cmac:0a1b2c3d4e")
	materialID  = pattern(`[0-9a-f]{64}`, "a key material ID, 64 hexadecimal digits")
)

// pattern reads what a regular expression matches as a whole.
func pattern(expression, what string) func(string) (string, error) {
	whole := lazyregexp.New(`^(?:` + expression + `)$`)
	return func(text string) (string, error) {
		if !whole().MatchString(text) {
			return "", errors.New("not " + what)
		}
		return text, nil
	}
}

// oneOf reads one of several words.
func oneOf[T ~string](words ...T) func(string) (T, error) {
	return func(text string) (T, error) {
		if !slices.Contains(words, T(text)) {
			return "", fmt.Errorf("none of %s", join(words))
		}
		return T(text), nil
	}
}

func join[T ~string](words []T) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return strings.Join(texts, ", ")
}

// spelt wraps a lenient reader and demands the one spelling.
func spelt[T interface{ ~string }](read func(string) (T, error)) func(string) (T, error) {
	return func(text string) (T, error) {
		got, err := read(text)
		if err == nil && string(got) != text {
			return "", fmt.Errorf("not spelt %s", got)
		}
		return got, err
	}
}

func boolean(text string) (bool, error) {
	if text != "true" && text != "false" {
		return false, errors.New("neither true nor false")
	}
	return text == "true", nil
}

func number(least, most int) func(string) (int, error) {
	return func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || strconv.Itoa(n) != text || n < least || n > most {
			return 0, fmt.Errorf("not a number from %d to %d", least, most)
		}
		return n, nil
	}
}

func day(text string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return t, errors.New("not a day such as 2026-12-01")
	}
	return t, nil
}

// expiry is zero for never.
func expiry(text string) (time.Time, error) {
	if text == "never" {
		return time.Time{}, nil
	}
	t, err := time.Parse("2006-01-02T15:04:05Z", text)
	if err != nil || t.IsZero() {
		return time.Time{}, errors.New("neither never nor a time in UTC such as 2027-11-30T00:00:00Z")
	}
	return t, nil
}

func duration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, errors.New("not a duration such as 4h or 90m")
	}
	return d, nil
}

func publicKey(text string) (ssh.PublicKey, error) { return sshsig.ParsePublicKey(text) }

// profile is one that a quorum opens.
func profile(text string) (escrow.Profile, error) {
	return oneOf(escrow.Quorum, escrow.FIPSQuorum)(text)
}

func escrowID(text string) (id escrow.ID, err error) {
	if err := id.UnmarshalText([]byte(text)); err != nil {
		return id, errors.New("not the ID of an escrow, 32 hexadecimal digits")
	}
	return id, nil
}

// canonical is the text of a value that two plans are compared by.
func canonical(v any) string {
	switch v := v.(type) {
	case time.Time:
		switch {
		case v.IsZero():
			return "never"
		case v.Equal(v.Truncate(24 * time.Hour)):
			return v.Format(time.DateOnly)
		}
		return v.Format(time.RFC3339)
	case time.Duration:
		return shortened(v)
	case ssh.PublicKey:
		return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(v)))
	}
	return fmt.Sprint(v)
}

// shortened is "4h" rather than "4h0m0s".
func shortened(d time.Duration) string {
	text := d.String()
	if minutes, ok := strings.CutSuffix(text, "m0s"); ok {
		text = minutes + "m"
	}
	if hours, ok := strings.CutSuffix(text, "h0m"); ok {
		text = hours + "h"
	}
	return text
}

var (
	parseAlgorithm = spelt(wrap.ParseAlgorithm)
	parseKeySpec   = spelt(wrap.ParseKeySpec)
)
