// SPDX-License-Identifier: Apache-2.0

//go:build cgo

// Package cryptoki loads PKCS #11 libraries for package hsm. It is the only
// package that needs a C compiler, and has nothing for builds without one.
//
// A library runs inside the process that loads it, and is trusted with all of
// it.
package cryptoki

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/miekg/pkcs11"

	"github.com/keymat/keymat/hsm"
)

// A Library is a PKCS #11 library that was loaded and initialized. It is an
// [hsm.Module].
type Library struct{ ctx *pkcs11.Ctx }

// Load loads the shared library in file. The error is a [*hsm.LoadError], the
// operating system's, or a [*hsm.CallError].
func Load(file string) (*Library, error) {
	if info, err := os.Stat(file); err != nil {
		return nil, fmt.Errorf("loading the PKCS #11 library: %w", err)
	} else if !info.Mode().IsRegular() {
		return nil, &hsm.LoadError{File: file}
	}
	ctx := pkcs11.New(file)
	if ctx == nil {
		return nil, &hsm.LoadError{File: file}
	}
	if err := ctx.Initialize(); err != nil {
		ctx.Destroy()
		return nil, answer("C_Initialize", err)
	}
	return &Library{ctx: ctx}, nil
}

// Close ends all sessions and unloads the library.
func (l *Library) Close() error {
	defer l.ctx.Destroy()
	return answer("C_Finalize", l.ctx.Finalize())
}

// answer turns the library's answer into a *hsm.CallError.
func answer(function string, err error) error {
	code, ok := errors.AsType[pkcs11.Error](err)
	if !ok {
		return err
	}
	_, name, _ := strings.Cut(strings.TrimPrefix(code.Error(), "pkcs11: "), ": ")
	return &hsm.CallError{Function: function, Code: uint(code), Name: name}
}

// Slots is [hsm.Module].Slots.
func (l *Library) Slots() ([]uint, error) {
	slots, err := l.ctx.GetSlotList(true)
	return slots, answer("C_GetSlotList", err)
}

// Token is [hsm.Module].Token.
func (l *Library) Token(slot uint) (hsm.TokenInfo, error) {
	info, err := l.ctx.GetTokenInfo(slot)
	if err != nil {
		return hsm.TokenInfo{}, answer("C_GetTokenInfo", err)
	}
	return hsm.TokenInfo{
		Label:        trim(info.Label),
		Manufacturer: trim(info.ManufacturerID),
		Model:        trim(info.Model),
		Serial:       trim(info.SerialNumber),
		Firmware:     fmt.Sprintf("%d.%d", info.FirmwareVersion.Major, info.FirmwareVersion.Minor),
		Hardware:     fmt.Sprintf("%d.%d", info.HardwareVersion.Major, info.HardwareVersion.Minor),
		Flags:        info.Flags,
	}, nil
}

// trim takes the padding off: blanks by the standard, NUL by some libraries.
func trim(s string) string { return strings.TrimRight(s, " \x00") }

// Mechanisms is [hsm.Module].Mechanisms.
func (l *Library) Mechanisms(slot uint) (map[uint]uint, error) {
	list, err := l.ctx.GetMechanismList(slot)
	if err != nil {
		return nil, answer("C_GetMechanismList", err)
	}
	flags := make(map[uint]uint, len(list))
	for _, m := range list {
		info, err := l.ctx.GetMechanismInfo(slot, []*pkcs11.Mechanism{m})
		if err != nil {
			continue // listed, and yet unknown: of no use
		}
		flags[m.Mechanism] = info.Flags
	}
	return flags, nil
}

// OpenSession is [hsm.Module].OpenSession.
func (l *Library) OpenSession(slot uint) (hsm.Session, error) {
	handle, err := l.ctx.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	if err != nil {
		return nil, answer("C_OpenSession", err)
	}
	return &session{ctx: l.ctx, handle: handle}, nil
}
