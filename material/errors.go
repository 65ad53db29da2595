// SPDX-License-Identifier: Apache-2.0

package material

import (
	"fmt"
	"strings"
)

// A TooLargeError says that the input is larger than [MaxInput].
type TooLargeError struct {
	Size int // bytes given
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%d bytes where key material files have at most %d", e.Size, MaxInput)
}

// A LengthError says that raw material is not as long as KMS wants it.
type LengthError struct {
	Spec            Spec
	Encoding        Encoding // how the bytes were encoded
	Got             int      // bytes; with TrailingNewline, those of the file, newline included
	Min, Max        int      // bytes KMS takes
	TrailingNewline bool     // what comes before the line break would be of a length that KMS takes
}

func (e *LengthError) Error() string {
	want := fmt.Sprintf("%d bytes", e.Min)
	if e.Min != e.Max {
		want = fmt.Sprintf("%d to %d bytes", e.Min, e.Max)
	}
	got := plural(e.Got, "byte")
	switch {
	case e.TrailingNewline:
		got += " that end in a newline"
	case e.Encoding == Hex || e.Encoding == Base64:
		got = fmt.Sprintf("%s of %s", e.Encoding, got)
	case e.Encoding == JWK:
		got = "JWK with " + got
	}
	return fmt.Sprintf("found %s, expected %s for %s", got, want, e.Spec)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// A Reading is one way to understand a file.
type Reading struct {
	Encoding Encoding
	Length   int // bytes of material
}

// An AmbiguousError says that a file makes sense in more than one way and that choosing is up to the user ([Options].As).
type AmbiguousError struct {
	Spec     Spec
	Readings []Reading
}

func (e *AmbiguousError) Error() string {
	readings := make([]string, len(e.Readings))
	for i, r := range e.Readings {
		readings[i] = fmt.Sprintf("%s as %s", plural(r.Length, "byte"), r.Encoding)
	}
	return fmt.Sprintf("ambiguous material for %s: found text that is %s, expected only one reading", e.Spec, strings.Join(readings, " or "))
}

// A SpecNeededError says that the input does not tell what kind of key it is for.
type SpecNeededError struct {
	Found string
}

func (e *SpecNeededError) Error() string {
	return fmt.Sprintf("found %s, which do not say what kind of key they are: expected a key spec along with them", e.Found)
}

// A FormatError says that the input is something other than key material that can be read here.
type FormatError struct {
	Found string // what it is
	Want  string // what was expected
}

func (e *FormatError) Error() string { return fmt.Sprintf("found %s, expected %s", e.Found, e.Want) }

// A MismatchError says that the input is good material, or a key, of another kind than the key spec asks for.
type MismatchError struct {
	Want  Spec
	Found string // such as "RSA_3072 private key"
}

func (e *MismatchError) Error() string { return fmt.Sprintf("found %s, expected %s", e.Found, e.Want) }

// A PublicKeyError says that the input is the public half of a key pair.
type PublicKeyError struct {
	Found string // such as "X.509 certificate"
}

func (e *PublicKeyError) Error() string {
	return fmt.Sprintf("found %s, expected a private key", e.Found)
}

// An InconsistentKeyError says that the parts of a private key contradict each other or their algorithm.
type InconsistentKeyError struct {
	Spec   Spec
	Reason string
}

func (e *InconsistentKeyError) Error() string {
	return fmt.Sprintf("found an inconsistent %s private key, expected an intact one: %s", e.Spec, e.Reason)
}

// A MultiPrimeError says that an RSA key has more than the two primes that KMS takes (KMS guide).
type MultiPrimeError struct {
	Spec   Spec
	Primes int
}

func (e *MultiPrimeError) Error() string {
	return fmt.Sprintf("found an %s private key of %d primes, expected 2 primes", e.Spec, e.Primes)
}

// A TrailingDataError says that a complete structure is followed by more bytes.
type TrailingDataError struct {
	Encoding Encoding
	Length   int  // bytes of the structure
	Extra    int  // bytes that follow
	Newline  bool // all that follows is a line break
}

func (e *TrailingDataError) Error() string {
	extra := plural(e.Extra, "more byte")
	if e.Newline {
		extra = "a trailing newline"
	}
	return fmt.Sprintf("found %s of %d bytes and %s after it, expected nothing after it", e.Encoding, e.Length, extra)
}

// A TruncatedError says that a DER structure is cut off.
type TruncatedError struct {
	Got, Want int // bytes there, bytes announced by the header
}

func (e *TruncatedError) Error() string {
	return fmt.Sprintf("found %d bytes of a DER structure, expected the %d bytes its header announces", e.Got, e.Want)
}

// A PassphraseError says that encrypted input could not be decrypted.
type PassphraseError struct {
	Encoding Encoding
	Wrong    bool  // a passphrase was given; otherwise one is needed
	Err      error // why none was had, if asking for it ended in an error
}

func (e *PassphraseError) Error() string {
	switch {
	case e.Wrong:
		return fmt.Sprintf("wrong passphrase for %s, or the file is damaged", e.Encoding)
	case e.Err != nil:
		return fmt.Sprintf("reading the passphrase for %s: %v", e.Encoding, e.Err)
	default:
		return fmt.Sprintf("found %s, expected its passphrase as well", e.Encoding)
	}
}

// Unwrap returns the error that asking for the passphrase ended in, if any.
func (e *PassphraseError) Unwrap() error { return e.Err }

// A FIPSError says that input needs an algorithm that Go refuses under GODEBUG=fips140=only.
type FIPSError struct {
	Algorithm string
}

func (e *FIPSError) Error() string {
	return fmt.Sprintf("found a file encrypted with %s, expected algorithms that GODEBUG=fips140=only allows", e.Algorithm)
}
