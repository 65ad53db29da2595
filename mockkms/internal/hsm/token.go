// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// MaxToken is the longest import token in bytes that the KMS API carries.
const MaxToken = 6144

// TokenClaims is what an import token says: to which KMS key, how and until when
// material may be imported, and the key that unwraps it. As with KMS nothing has
// to be stored for a token.
type TokenClaims struct {
	KeyARN          string    `json:"key"`
	Algorithm       string    `json:"algorithm"`
	WrappingKeySpec string    `json:"spec"`
	ValidTo         time.Time `json:"until"`
	// WrappingKey is the private wrapping key as PKCS #1 DER.
	WrappingKey []byte `json:"wrapping,omitempty"`
	// WrappingKeyRef names a wrapping key that several tokens share, in place
	// of WrappingKey.
	WrappingKeyRef string `json:"ref,omitempty"`
}

// tokenStart is how the recorded import token begins. 32 bytes follow, which
// here name the secret, then the envelope.
var tokenStart = []byte{1, 1, 2, 0, 0x78}

// tokenHeader is the length of what comes before the envelope's length.
const tokenHeader = 5 + 32

// SealToken seals claims under the mock's token secret. The same claims give
// another token each time. Claims that make the token longer than [MaxToken]
// are an error.
func SealToken(secret [32]byte, c TokenClaims) ([]byte, error) {
	claims, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encoding import token claims: %w", err)
	}
	key := derive(&secret, labelToken, nil)
	token := sealEnvelope(&key, tokenHead(&secret), claims, nil)
	if len(token) > MaxToken {
		return nil, fmt.Errorf("import token of %d bytes, of which KMS carries %d", len(token), MaxToken)
	}
	return token, nil
}

// OpenToken returns the claims of a token that SealToken made under this secret
// and that has not been altered in any bit, otherwise [ErrToken]. Whether the
// token is for the right key, and whether its time is up, is the caller's to
// judge. No two tokens are alike, so that a hash of one identifies it.
func OpenToken(secret [32]byte, token []byte) (TokenClaims, error) {
	if !bytes.HasPrefix(token, tokenHead(&secret)) {
		return TokenClaims{}, ErrToken
	}
	key := derive(&secret, labelToken, nil)
	claims, ok := openEnvelope(&key, token, tokenHeader, nil)
	if !ok {
		return TokenClaims{}, ErrToken
	}
	var c TokenClaims
	if err := json.Unmarshal(claims, &c); err != nil {
		return TokenClaims{}, ErrToken
	}
	return c, nil
}

// tokenHead is everything of a token in front of the envelope's length.
func tokenHead(secret *[32]byte) []byte {
	name := derive(secret, labelTokenName, nil)
	return append(tokenStart[:len(tokenStart):len(tokenStart)], name[:]...)
}
