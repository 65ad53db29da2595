// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/escrow/slip39"
	"github.com/keymat/keymat/internal/card"
)

// describeEscrow says what the header of an escrow says. Only opening it shows
// whether that is true.
func describeEscrow(f *escrow.File) inspection {
	i := inspection{What: "escrow: key material that what it names can open"}
	i.add("id", f.ID.String())
	i.add("key spec", string(f.KeySpec))
	i.add("fingerprint", f.Fingerprint)
	i.add("sealed", f.Created.Format(time.RFC3339))
	i.add("opens with", opensWith(f))
	i.add("encryption", encryptionOf(f.Profile))
	i.add("ciphertext", fmt.Sprintf("%d bytes, sha256:%s", len(f.Ciphertext), f.CiphertextSHA256()))
	return i
}

// describeDrill says what the record of a drill says.
func describeDrill(d escrow.Drill) inspection {
	i := inspection{What: "record of a drill: an escrow was opened and compared with a key"}
	i.add("at", d.At.Format(time.RFC3339))
	i.add("by", d.By)
	i.add("tool", d.Tool)
	i.add("escrow", d.Escrow.ID.String())
	i.add("fingerprint", d.Escrow.Fingerprint)
	i.add("key", d.KeyARN)
	i.add("material", d.MaterialID)
	i.add("method", d.Method)
	i.add("verdict", string(d.Verdict))
	return i
}

func opensWith(f *escrow.File) string {
	switch f.Profile {
	case escrow.Recipients:
		return "the identity of " + list(f.Recipients)
	case escrow.Passphrase:
		return "a passphrase"
	case escrow.FIPSKey:
		return "the key it was sealed under"
	}
	return fmt.Sprintf("%d of %d shares, %s", f.Shares.Threshold, f.Shares.Count, card.SchemeName(f.Shares.Scheme))
}

func encryptionOf(p escrow.Profile) string {
	if p.Age() {
		return "age"
	}
	return "AES-256-GCM"
}

// inspectShare recognises a share in any of its forms.
func inspectShare(data []byte) (inspection, error) {
	if len(data) > escrow.MaxShareText {
		return inspection{}, nil
	}
	s, err := escrow.ParseShare(data)
	_, mistyped := errors.AsType[*slip39.ChecksumError](err)
	if mistyped || err != nil && bytes.HasPrefix(bytes.ToLower(data), []byte("keymat")) {
		return inspection{}, err
	}
	if err != nil {
		return inspection{}, nil
	}
	i := inspection{What: "share of the key of an escrow (secret)"}
	if s.ID != nil {
		i.add("escrow", s.ID.String())
	}
	i.add("share", fmt.Sprintf("%d, of which it takes %d", s.Index, s.Threshold))
	i.add("scheme", card.SchemeName(s.Scheme))
	return i, nil
}
