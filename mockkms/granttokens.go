// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// A grant token begins as KMS's do: a version byte, then the grant ID as a
// counted string. There follow, in place of KMS's sealed part, 16 bytes that
// differ in every token (documented: each CreateGrant answers another one),
// the key ARN, and a MAC over all of it.
const (
	grantTokenHead = "\x01\x0a\x40"
	grantTokenSalt = 16
)

func (c *call) makeGrantToken(k *key, g *grant) (string, error) {
	token := []byte(grantTokenHead + g.ID)
	var salt [grantTokenSalt]byte
	rand.Read(salt[:])
	token = append(append(token, salt[:]...), k.arn()...)
	mac, err := c.grantTokenMAC(token)
	if err != nil {
		return "", err
	}
	return base64.URLEncoding.EncodeToString(append(token, mac...)), nil
}

// openGrantToken tells which grant of which key a token is for. Tokens of
// grants that are gone open as well.
func (c *call) openGrantToken(token string) (keyARN, grantID string, err error) {
	b, err := base64.URLEncoding.Strict().DecodeString(token)
	rest, ok := strings.CutPrefix(string(b), grantTokenHead)
	if err != nil || !ok || len(rest) < 2*sha256.Size+grantTokenSalt+sha256.Size {
		return "", "", invalidGrantToken()
	}
	signed := b[:len(b)-sha256.Size]
	mac, err := c.grantTokenMAC(signed)
	if err != nil {
		return "", "", err
	}
	if !hmac.Equal(mac, b[len(signed):]) {
		return "", "", invalidGrantToken()
	}
	grantID, rest = rest[:2*sha256.Size], rest[2*sha256.Size+grantTokenSalt:]
	return rest[:len(rest)-sha256.Size], grantID, nil
}

func (c *call) grantTokenMAC(token []byte) ([]byte, error) {
	secret, err := c.tokenSecret()
	if err != nil {
		return nil, err
	}
	h := hmac.New(sha256.New, secret[:])
	h.Write([]byte("grant token "))
	h.Write(token)
	return h.Sum(nil), nil
}

// checkGrantTokens refuses tokens that no CreateGrant of this store answered.
func (c *call) checkGrantTokens(tokens []string) error {
	for _, t := range tokens {
		if _, _, err := c.openGrantToken(t); err != nil {
			return err
		}
	}
	return nil
}

func isGrantID(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == sha256.Size && s == strings.ToLower(s)
}
