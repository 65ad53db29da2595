// SPDX-License-Identifier: Apache-2.0

package cmd_test

import (
	"errors"
	"os"

	"filippo.io/age"
	"filippo.io/age/plugin"
)

// shiftPlugin is the program age-plugin-shift, which stands for one that talks
// to a YubiKey: it shifts a file key, and asks for a PIN to shift it back.
func shiftPlugin() {
	p, err := plugin.New("shift")
	if err != nil {
		panic(err)
	}
	p.HandleRecipient(func([]byte) (age.Recipient, error) { return shift{}, nil })
	p.HandleIdentity(func([]byte) (age.Identity, error) { return shift{p}, nil })
	os.Exit(p.Main())
}

type shift struct{ *plugin.Plugin }

func (s shift) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	return []*age.Stanza{{Type: "shift", Body: shifted(fileKey)}}, nil
}

func (s shift) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	if s.DisplayMessage("touch nothing") != nil {
		return nil, errors.New("nobody is listening")
	}
	pin, err := s.RequestValue("PIN", true)
	if err != nil {
		return nil, err
	}
	for _, stanza := range stanzas {
		if stanza.Type == "shift" && pin == "1234" {
			return shifted(stanza.Body), nil
		}
	}
	return nil, age.ErrIncorrectIdentity
}

func shifted(b []byte) []byte {
	s := make([]byte, len(b))
	for i := range b {
		s[i] = b[i] ^ 0x5a
	}
	return s
}
