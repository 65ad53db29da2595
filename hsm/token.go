// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"strings"

	"github.com/miekg/pkcs11"
)

// A Token is one token of a library, with one session open. It is used by one goroutine at a time.
type Token struct {
	Info       TokenInfo
	mechanisms map[uint]uint // and their flags
	session    Session
	in         bool // somebody is logged in
}

// eachToken calls f with each slot that has an initialized token in it.
func eachToken(m Module, f func(slot uint, info TokenInfo)) error {
	slots, err := m.Slots()
	if err != nil {
		return err
	}
	for _, slot := range slots {
		info, err := m.Token(slot)
		if err != nil {
			return err
		}
		if info.Flags&pkcs11.CKF_TOKEN_INITIALIZED != 0 {
			f(slot, info)
		}
	}
	return nil
}

// Open opens a session with the token of that label. Label may be empty where there is only one token. Errors:
// [*NoTokenError], [*CallError].
func Open(m Module, label string) (*Token, error) {
	var labels []string
	var found []uint
	var infos []TokenInfo
	err := eachToken(m, func(slot uint, info TokenInfo) {
		labels = append(labels, info.Label)
		if label == "" || info.Label == label {
			found, infos = append(found, slot), append(infos, info)
		}
	})
	if err != nil {
		return nil, err
	}
	if len(found) != 1 {
		return nil, &NoTokenError{Label: label, Labels: labels}
	}
	mechanisms, err := m.Mechanisms(found[0])
	if err != nil {
		return nil, err
	}
	session, err := m.OpenSession(found[0])
	if err != nil {
		return nil, err
	}
	return &Token{Info: infos[0], mechanisms: mechanisms, session: session}, nil
}

// Close logs out and ends the session, and with it all session objects.
func (t *Token) Close() error {
	if err := t.Logout(); err != nil && !Gone(err) {
		return err
	}
	return t.session.Close()
}

// Login logs a user in. The caller clears the PIN. Errors: [*PINError], [*CallError].
func (t *Token) Login(user User, pin []byte) error {
	err := t.session.Login(user, pin)
	switch {
	case answered(err, pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_INVALID, pkcs11.CKR_PIN_LEN_RANGE):
		return &PINError{User: user, Err: err}
	case answered(err, pkcs11.CKR_PIN_LOCKED):
		return &PINError{User: user, Locked: true, Err: err}
	}
	t.in = err == nil
	return err
}

// Logout logs out whoever is logged in. Session objects that are public stay.
func (t *Token) Logout() error {
	if !t.in {
		return nil
	}
	t.in = false
	return t.session.Logout()
}

// LastTry reports whether the next wrong PIN of a user locks the token for them, by what the token said when it was opened.
func (t *Token) LastTry(user User) bool {
	if user == SecurityOfficer {
		return t.Info.Flags&pkcs11.CKF_SO_PIN_FINAL_TRY != 0
	}
	return t.Info.Flags&pkcs11.CKF_USER_PIN_FINAL_TRY != 0
}

// SoftHSM reports whether the token is OpenDNSSEC's SoftHSM, a program that keeps its keys in files.
func (i TokenInfo) SoftHSM() bool { return strings.HasPrefix(i.Manufacturer, "SoftHSM") }

// Has reports whether the token lists a mechanism (CKM_…) for a purpose (CKF_WRAP, CKF_SIGN, …).
func (t *Token) Has(mechanism, purpose uint) bool {
	flags, listed := t.mechanisms[mechanism]
	return listed && flags&purpose != 0
}
