// SPDX-License-Identifier: Apache-2.0

// Package hsm makes key material inside a PKCS #11 token and wraps it there for AWS KMS, so that it is never in clear
// outside: keys are generated sensitive, their attributes read back, and what leaves the token is encrypted under the
// public key of the import parameters.
//
// Tokens differ in what they can do and in what they mean by it. So nothing is believed that can be tried: before a
// token wraps a key, it wraps a throwaway one of the same kind for a wrapping key of ours, and what comes out has to
// open as KMS will open it.
//
// The package is pure. It speaks to a token through [Module], which package cryptoki implements for the shared libraries
// that vendors provide, in C; so this one builds, and is tested, without a C compiler.
//
// Names and numbers are those of PKCS #11 v2.40 and v3.0 (OASIS). "Token" is the standard's word: it may be a hardware
// security module, a smart card or a program.
package hsm

// Object is a handle of an object, valid in the session that found or made it and in those beside it.
type Object uint

// An Attribute is one row of a template. Value is a bool, a uint, a string or a []byte.
type Attribute struct {
	Type  uint // CKA_…
	Value any
}

// A Mechanism is what a token is asked to do, with the parameters of the few mechanisms used here.
type Mechanism struct {
	Type    uint // CKM_…
	OAEP    *OAEP
	AESBits uint // with OAEP, of CK_RSA_AES_KEY_WRAP_PARAMS
}

// OAEP are CK_RSA_PKCS_OAEP_PARAMS with an empty label.
type OAEP struct {
	Hash uint // CKM_SHA…
	MGF  uint // CKG_MGF1_SHA…
}

// User says who logs in to a token.
type User uint

// The two roles of a token (CKU_…). The security officer manages the token and vouches for wrapping keys; the user has
// the keys.
const (
	SecurityOfficer User = 0
	OrdinaryUser    User = 1
)

// String returns the name of the role.
func (u User) String() string {
	if u == SecurityOfficer {
		return "security officer"
	}
	return "user"
}

// TokenInfo is what a token says of itself (CK_TOKEN_INFO), trimmed.
type TokenInfo struct {
	Label        string
	Manufacturer string
	Model        string
	Serial       string
	Firmware     string // "2.6"
	Hardware     string
	Flags        uint // CKF_…
}

// Module is what this package calls of a PKCS #11 library. An error that the library answered is a [*CallError].
type Module interface {
	// Slots returns the slots that have a token in them.
	Slots() ([]uint, error)
	// Token returns what the token in a slot says of itself.
	Token(slot uint) (TokenInfo, error)
	// Mechanisms returns the mechanisms of a token, each with its flags.
	Mechanisms(slot uint) (map[uint]uint, error)
	// OpenSession opens a session that may write.
	OpenSession(slot uint) (Session, error)
}

// Session is a session with a token. It is used by one goroutine at a time.
type Session interface {
	Login(user User, pin []byte) error
	Logout() error
	// Find returns the objects that match the template.
	Find(template []Attribute) ([]Object, error)
	// Attribute returns the value of an attribute as the library stores it.
	Attribute(object Object, attribute uint) ([]byte, error)
	Create(template []Attribute) (Object, error)
	Destroy(object Object) error
	GenerateKey(m Mechanism, template []Attribute) (Object, error)
	GenerateKeyPair(m Mechanism, public, private []Attribute) (publicKey, privateKey Object, err error)
	Wrap(m Mechanism, wrappingKey, key Object) ([]byte, error)
	// Sign computes a MAC.
	Sign(m Mechanism, key Object, data []byte) ([]byte, error)
	Close() error
}
