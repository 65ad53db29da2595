// SPDX-License-Identifier: Apache-2.0

package escrow

import (
	"bytes"

	"filippo.io/age"
)

// An onlooker stands for a recipient of an age file and remembers the file key that age encrypts to all of them: 16 bytes that open
// this one file. The age format binds each part that a recipient gets to that key, with a MAC over the header.
type onlooker struct {
	age.Recipient
	fileKey []byte
}

// WrapWithLabels keeps what the recipient says of itself: age uses it to refuse mixtures.
func (o *onlooker) WrapWithLabels(fileKey []byte) ([]*age.Stanza, []string, error) {
	o.fileKey = bytes.Clone(fileKey)
	if r, ok := o.Recipient.(age.RecipientWithLabels); ok {
		return r.WrapWithLabels(fileKey)
	}
	stanzas, err := o.Wrap(fileKey)
	return stanzas, nil, err
}

// A keyHolder opens the one age file whose key it is.
type keyHolder []byte

// Unwrap gives the file key, whatever the recipients got. age compares it with the MAC of the header.
func (k keyHolder) Unwrap([]*age.Stanza) ([]byte, error) { return bytes.Clone(k), nil }
