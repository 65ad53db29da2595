// SPDX-License-Identifier: Apache-2.0

package chain

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/keymat/keymat/escrow/slip39"
)

// A SecretError says that a text was not recorded, for it looks like a secret.
type SecretError struct{ What string }

func (e *SecretError) Error() string {
	return fmt.Sprintf("the text holds what looks like %s, which must not be recorded", e.What)
}

// mostShareWords is how many words of SLIP-0039's list may follow each other:
// English has some of them, a share has 20 or more.
const mostShareWords = 7

// checkText looks for secrets that people put where they do not belong, such as
// the words of a share into the report of a slip of the pen.
func checkText(v any) error {
	encoded, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var decoded any
	if err := json.Unmarshal(encoded, &decoded); err != nil {
		return err
	}
	for _, text := range texts(decoded) {
		if what := looksLike(text); what != "" {
			return &SecretError{what}
		}
	}
	return nil
}

// texts are all strings within what json.Unmarshal gives.
func texts(v any) (all []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, item := range v {
			all = append(all, texts(item)...)
		}
	case map[string]any:
		for _, item := range v {
			all = append(all, texts(item)...)
		}
	}
	return all
}

// looksLike says what secret a text looks like, or "".
func looksLike(text string) string {
	for marker, what := range map[string]string{
		"PRIVATE KEY-----": "a private key", "AGE-SECRET-KEY-": "an age identity", "AGE-PLUGIN-": "an age identity", "keymat1": "a share",
	} {
		if strings.Contains(text, marker) {
			return what
		}
	}
	run := 0
	for _, word := range strings.FieldsFunc(strings.ToLower(text), notLetter) {
		if full, ok := slip39.Complete([]byte(word)); !ok || full != word {
			run = 0
		} else if run++; run > mostShareWords {
			return "the words of a share"
		}
	}
	return ""
}

func notLetter(r rune) bool { return r < 'a' || r > 'z' }
