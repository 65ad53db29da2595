// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Credentials are an access key that requests may be signed with.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string // demanded of the request when not empty
	Account         string // 12 digits; empty: by the access key ID, as without verification
}

// maxSkew is how far the time of a signature may be from ours, either way.
const maxSkew = 5 * time.Minute

// An authorization is the Authorization header of Signature Version 4.
type authorization struct {
	credential    string
	signedHeaders string
	signature     string
}

// parseAuthorization reads the header's parameters; which of them are there
// is for others to judge.
func parseAuthorization(h http.Header) (a authorization, refused *apiError) {
	header := h.Get("Authorization")
	if header == "" {
		return a, refuse("MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	parameters, ok := strings.CutPrefix(header, "AWS4-HMAC-SHA256 ")
	if !ok {
		return a, refuse("IncompleteSignatureException", "Authorization header requires the AWS4-HMAC-SHA256 algorithm.")
	}
	for p := range strings.SplitSeq(parameters, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch name {
		case "Credential":
			a.credential = value
		case "SignedHeaders":
			a.signedHeaders = value
		case "Signature":
			a.signature = value
		}
	}
	if a.credential == "" {
		return a, refuse("IncompleteSignatureException", "Authorization header requires 'Credential' parameter.")
	}
	return a, nil
}

// verify checks a request's signature, if there is a secret to check it with,
// and gives the account that its credentials belong to. Its time is compared
// with the clock beneath, for clients sign with the time of day, wherever the
// mock's clock was moved to.
func (c *call) verify(r *http.Request, body []byte) *apiError {
	known, checked, ok := c.credentials()
	if ok && !checked {
		return nil
	}
	a, refused := parseAuthorization(r.Header)
	if refused != nil {
		return refused
	}
	token := r.Header.Get("X-Amz-Security-Token")
	if !ok || subtle.ConstantTimeCompare([]byte(known.SessionToken), []byte(token)) == 0 {
		return refuse("UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	date := r.Header.Get("X-Amz-Date")
	for _, part := range []struct{ name, value string }{{"Signature", a.signature}, {"SignedHeaders", a.signedHeaders}} {
		if part.value == "" {
			return refuse("IncompleteSignatureException", "Authorization header requires '%s' parameter.", part.name)
		}
	}
	if date == "" {
		return refuse("IncompleteSignatureException", "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	if refused := checkSignatureDate(date, a.credential, c.kms.clock()); refused != nil {
		return refused
	}
	if !signs(known, a, date, r, body) {
		return refuse("InvalidSignatureException", "The request signature we calculated does not match the signature you provided. "+
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	if known.Account != "" {
		c.scope.Account = known.Account
	}
	return nil
}

// credentials are those of the call's access key; ok is false when nobody has
// it. They are not checked when no secret is known: with principals, that of the
// principal or else of the configured credentials.
func (c *call) credentials() (known Credentials, checked, ok bool) {
	known, ok = c.kms.credentials[c.accessKey]
	checked = c.kms.credentials != nil
	if c.kms.principals == nil {
		return known, checked, ok || !checked
	}
	if c.caller = c.kms.principals.callers[c.accessKey]; c.caller == nil {
		return Credentials{}, false, false
	}
	c.scope.Account = c.caller.who.Account
	if c.caller.credentials.SecretAccessKey != "" {
		known, checked, ok = c.caller.credentials, true, true
	}
	known.Account = ""
	return known, checked, ok || !checked
}

const signatureTime = "20060102T150405Z"

func checkSignatureDate(date, credential string, now time.Time) *apiError {
	at, err := time.Parse(signatureTime, date)
	now = now.UTC()
	switch {
	case err != nil:
		return refuse("IncompleteSignatureException", "Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601", date)
	case !strings.Contains(credential, "/"+date[:8]+"/"):
		return refuse("InvalidSignatureException", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.")
	case at.Before(now.Add(-maxSkew)):
		return refuse("InvalidSignatureException", "Signature expired: %s is now earlier than %s (%s - 5 min.)",
			date, now.Add(-maxSkew).Format(signatureTime), now.Format(signatureTime))
	case at.After(now.Add(maxSkew)):
		return refuse("InvalidSignatureException", "Signature not yet current: %s is still later than %s (%s + 5 min.)",
			date, now.Add(maxSkew).Format(signatureTime), now.Format(signatureTime))
	}
	return nil
}

// signs reports whether the signature is that of the credentials over the
// request (AWS Signature Version 4).
func signs(known Credentials, a authorization, date string, r *http.Request, body []byte) bool {
	headers := strings.Split(a.signedHeaders, ";")
	if !slices.Contains(headers, "host") {
		return false
	}
	_, scope, _ := strings.Cut(a.credential[len(known.AccessKeyID):], "/")
	canonical := sha256.Sum256([]byte(canonicalRequest(r, headers, a.signedHeaders, body)))
	toSign := "AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n" + hex.EncodeToString(canonical[:])
	key := []byte("AWS4" + known.SecretAccessKey)
	for part := range strings.SplitSeq(scope, "/") {
		key = mac(key, part)
	}
	return hmac.Equal([]byte(hex.EncodeToString(mac(key, toSign))), []byte(a.signature))
}

func mac(key []byte, message string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(message))
	return m.Sum(nil)
}

func canonicalRequest(r *http.Request, headers []string, signedHeaders string, body []byte) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + r.URL.EscapedPath() + "\n")
	b.WriteString(strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20") + "\n")
	for _, name := range headers {
		b.WriteString(name + ":" + signedHeader(r, name) + "\n")
	}
	digest := sha256.Sum256(body)
	b.WriteString("\n" + signedHeaders + "\n" + hex.EncodeToString(digest[:]))
	return b.String()
}

// signedHeader is a header as it is signed: two of them Go keeps elsewhere.
func signedHeader(r *http.Request, name string) string {
	switch values := r.Header.Values(name); {
	case name == "host":
		return r.Host
	case name == "content-length" && len(values) == 0:
		return strconv.FormatInt(r.ContentLength, 10)
	default:
		trimmed := make([]string, len(values))
		for i, v := range values {
			trimmed[i] = strings.Join(strings.Fields(v), " ")
		}
		return strings.Join(trimmed, ",")
	}
}
