// SPDX-License-Identifier: Apache-2.0

package escrow

import (
	"fmt"
	"slices"
)

// Profile says how an escrow is closed, and so what opens it.
type Profile string

// The profiles, see the package comment.
const (
	Recipients Profile = "recipients"
	Passphrase Profile = "passphrase"
	Quorum     Profile = "quorum"
	FIPSQuorum Profile = "fips-quorum"
	FIPSKey    Profile = "fips-key"
)

// Profiles returns all profiles.
func Profiles() []Profile { return []Profile{Recipients, Passphrase, Quorum, FIPSQuorum, FIPSKey} }

// Shared reports whether shares open the escrow.
func (p Profile) Shared() bool { return p == Quorum || p == FIPSQuorum }

// Age reports whether the ciphertext is an age file, rather than AES-256-GCM.
func (p Profile) Age() bool { return p == Recipients || p == Passphrase || p == Quorum }

// MarshalText returns the profile as it is spelt.
func (p Profile) MarshalText() ([]byte, error) { return []byte(p), nil }

// UnmarshalText reads a profile as [Profiles] spells it. It leaves p alone on error.
func (p *Profile) UnmarshalText(text []byte) error {
	if !slices.Contains(Profiles(), Profile(text)) {
		return fmt.Errorf("none of the profiles %v", Profiles())
	}
	*p = Profile(text)
	return nil
}

// Scheme is how the key of an escrow is shared.
type Scheme string

// The schemes.
const (
	SLIP39 Scheme = "slip39" // words, SLIP-0039
	Shamir Scheme = "shamir" // the textbook scheme, in Bech32m
)

// Schemes returns all schemes.
func Schemes() []Scheme { return []Scheme{SLIP39, Shamir} }

// MarshalText returns the scheme as it is spelt.
func (s Scheme) MarshalText() ([]byte, error) { return []byte(s), nil }

// UnmarshalText reads a scheme as [Schemes] spells it. It leaves s alone on error.
func (s *Scheme) UnmarshalText(text []byte) error {
	if !slices.Contains(Schemes(), Scheme(text)) {
		return fmt.Errorf("none of the schemes %v", Schemes())
	}
	*s = Scheme(text)
	return nil
}
