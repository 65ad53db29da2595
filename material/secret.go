// SPDX-License-Identifier: Apache-2.0

package material

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// ErrSecret is what every attempt to marshal a [Secret] gets.
var ErrSecret = errors.New("a secret cannot be marshalled")

const redacted = "[secret]"

// Secret holds bytes that must not be printed, logged or marshalled. Copies share the bytes. The zero value is an empty
// secret. [Secret.Expose] is the only way to the bytes, so its callers are the list to review.
//
// The bytes sit behind a function because fmt does not call the methods of unexported fields: it shows an address instead.
type Secret struct {
	open func() *[]byte
}

// NewSecret makes a secret of b and takes ownership of b.
func NewSecret(b []byte) Secret {
	return Secret{open: func() *[]byte { return &b }}
}

func (s Secret) bytes() []byte {
	if s.open == nil {
		return nil
	}
	return *s.open()
}

// Len returns the number of bytes. It is 0 after [Secret.Destroy].
func (s Secret) Len() int { return len(s.bytes()) }

// Expose calls f with the bytes themselves and returns what f returns. f must neither keep nor change them.
func (s Secret) Expose(f func([]byte) error) error { return f(s.bytes()) }

// Equal reports whether both secrets hold the same bytes. The time it takes depends on the lengths only.
func (s Secret) Equal(t Secret) bool {
	return subtle.ConstantTimeCompare(s.bytes(), t.bytes()) == 1
}

// Constant reports whether all bytes are the same, as nothing random ever is. No bytes at all are not.
func (s Secret) Constant() bool {
	b := s.bytes()
	return len(b) > 0 && bytes.Count(b, b[:1]) == len(b)
}

// Destroy overwrites the bytes and leaves an empty secret, in every copy of s. It must not run while [Secret.Expose] does.
// This is best effort: it reaches the bytes held here, not copies made by libraries, the stack or swap (but see [Erasing]).
func (s Secret) Destroy() {
	if s.open == nil {
		return
	}
	b := s.open()
	clear(*b)
	*b = nil
}

// String returns "[secret]".
func (s Secret) String() string { return redacted }

// GoString returns "[secret]".
func (s Secret) GoString() string { return redacted }

// Format writes "[secret]" whatever the verb.
func (s Secret) Format(w fmt.State, _ rune) { io.WriteString(w, redacted) }

// LogValue returns "[secret]".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON refuses with [ErrSecret].
func (s Secret) MarshalJSON() ([]byte, error) { return nil, ErrSecret }

// MarshalText refuses with [ErrSecret].
func (s Secret) MarshalText() ([]byte, error) { return nil, ErrSecret }

// MarshalBinary refuses with [ErrSecret].
func (s Secret) MarshalBinary() ([]byte, error) { return nil, ErrSecret }

// GobEncode refuses with [ErrSecret].
func (s Secret) GobEncode() ([]byte, error) { return nil, ErrSecret }
