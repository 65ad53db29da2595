// SPDX-License-Identifier: Apache-2.0

package escrow

import (
	"bytes"
	"crypto/fips140"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/plugin"
	"filippo.io/age/tag"
)

// A Recipient is a public key that can open an escrow, and its text.
type Recipient struct {
	Text string
	key  age.Recipient
}

// ParseRecipient reads a recipient as the age command takes it: age1…, age1pq1… (post-quantum hybrid), age1tag1… and age1tagpq1…
// (hardware keys), age1NAME1… of a plugin, which ui lets talk to the user, ssh-ed25519 … and ssh-rsa …. Post-quantum recipients
// cannot be mixed with others in one escrow: that would leave it no stronger than they. An error is a [*RecipientError].
func ParseRecipient(s string, ui *plugin.ClientUI) (Recipient, error) {
	if fips140.Enforced() {
		return Recipient{}, &FIPSError{Profile: Recipients}
	}
	s = strings.TrimSpace(s)
	r := Recipient{Text: s}
	var err error
	switch {
	case strings.HasPrefix(s, "AGE-SECRET-KEY-"), strings.HasPrefix(s, "AGE-PLUGIN-"):
		return Recipient{}, &RecipientError{Reason: "an identity, which is secret, where its recipient was expected"}
	case strings.HasPrefix(s, "age1tag1"), strings.HasPrefix(s, "age1tagpq1"):
		r.key, err = tag.ParseRecipient(s)
	case strings.HasPrefix(s, "age1pq1"):
		r.key, err = age.ParseHybridRecipient(s)
	case strings.HasPrefix(s, "age1") && strings.Count(s, "1") > 1:
		r.key, err = plugin.NewRecipient(s, ui)
	case strings.HasPrefix(s, "age1"):
		r.key, err = age.ParseX25519Recipient(s)
	case strings.HasPrefix(s, "ssh-"):
		if words := strings.Fields(s); len(words) > 2 { // the comment names a person more often than not
			r.Text = words[0] + " " + words[1]
		}
		r.key, err = agessh.ParseRecipient(r.Text)
	default:
		return Recipient{}, &RecipientError{Reason: "neither an age recipient (age1…) nor an ssh public key"}
	}
	if err != nil {
		return Recipient{}, &RecipientError{Reason: "not a recipient that age takes", Err: err}
	}
	return r, nil
}

// EncryptTo encrypts a few bytes, such as a share for its custodian, to recipients, as an age file.
func EncryptTo(plaintext []byte, recipients ...Recipient) ([]byte, error) {
	if fips140.Enforced() {
		return nil, &FIPSError{Profile: Recipients}
	}
	keys := make([]age.Recipient, len(recipients))
	for i, r := range recipients {
		keys[i] = r.key
	}
	return encrypt(plaintext, keys...)
}

func encrypt(plaintext []byte, recipients ...age.Recipient) ([]byte, error) {
	var b bytes.Buffer
	w, err := age.Encrypt(&b, recipients...)
	if err == nil {
		_, err = w.Write(plaintext)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("encrypting with age: %w", err)
	}
	return b.Bytes(), nil
}

// decrypt returns the plaintext, in a single buffer that the caller clears.
func decrypt(ciphertext []byte, identities ...age.Identity) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(ciphertext), identities...)
	if err != nil {
		return nil, err
	}
	plaintext := make([]byte, len(ciphertext))
	n, err := io.ReadFull(r, plaintext)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		clear(plaintext)
		return nil, err
	}
	return plaintext[:n], nil
}
