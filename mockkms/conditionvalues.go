// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/keymat/keymat/mockkms/internal/hsm"
)

// What the condition keys tell of the caller, the key and the request.

// given is a value that may not be there.
func given(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// principalARN is the role's where a role calls, not its session's.
func (a *asking) principalARN() []string {
	if who := a.call.caller.who; who.Role != "" {
		return []string{who.Role}
	}
	return []string{a.call.caller.who.ARN}
}

func (a *asking) principalType() []string {
	return []string{map[string]string{"IAMUser": "User", "AssumedRole": "AssumedRole", "Root": "Account"}[a.call.caller.kind]}
}

func (a *asking) userID() []string {
	if a.call.caller.session != "" {
		return []string{a.call.caller.id + ":" + a.call.caller.session}
	}
	return []string{a.call.caller.id}
}

func (a *asking) userName() []string {
	if a.call.caller.kind != "IAMUser" {
		return nil
	}
	return []string{a.call.caller.name}
}

// multiFactor: nobody here has a second factor. Only temporary credentials say
// so; with others the key is absent (documented).
func (a *asking) multiFactor() []string {
	if a.call.caller.kind != "AssumedRole" {
		return nil
	}
	return []string{"false"}
}

// secureTransport is true over TLS, and within the process.
func (a *asking) secureTransport() []string {
	return []string{strconv.FormatBool(a.call.http.TLS != nil || a.call.http.RemoteAddr == "")}
}

// ofKey is a property of the key that an action is on.
func (a *asking) ofKey(property func(*key) string) []string {
	if a.key == nil {
		return nil
	}
	return given(property(a.key))
}

// ofAny is a property of that key, or of the one that will be created.
func (a *asking) ofAny(property func(*key) string) []string {
	if a.about == nil {
		return nil
	}
	return given(property(a.about))
}

func (k *key) multiRegionType() string {
	switch {
	case !k.multiRegion():
		return ""
	case k.isReplica():
		return "REPLICA"
	}
	return "PRIMARY"
}

// requestAlias is the alias by which a request names the key.
func (a *asking) requestAlias() []string {
	ref := a.ref
	if strings.HasPrefix(ref, "arn:") {
		ref = ref[strings.LastIndex(ref, ":")+1:]
	}
	if !strings.HasPrefix(ref, "alias/") {
		return nil
	}
	return []string{ref}
}

func (a *asking) resourceAliases() []string {
	if a.key == nil {
		return nil
	}
	return a.records.aliasesOf(a.key.Scope, a.key.ID)
}

func (a *asking) resourceTags() map[string]string {
	if a.key == nil {
		return nil
	}
	return tagMap(a.key.Tags)
}

func (a *asking) requestTags() []tag {
	switch q := a.asked.(type) {
	case *createKeyRequest:
		return q.Tags
	case *replicateKeyRequest:
		return q.Tags
	case *tagResourceRequest:
		return q.Tags
	}
	return nil
}

func (a *asking) tagKeys() []string {
	if q, ok := a.asked.(*untagResourceRequest); ok {
		return q.TagKeys
	}
	var keys []string
	for _, t := range a.requestTags() {
		keys = append(keys, t.TagKey)
	}
	return keys
}

func tagMap(tags []tag) map[string]string {
	m := make(map[string]string, len(tags))
	for _, t := range tags {
		m[t.TagKey] = t.TagValue
	}
	return m
}

// lookup finds the values under a name; in condition keys names have no case.
func lookup(m map[string]string, name string) (values []string) {
	for n, v := range m {
		if strings.EqualFold(n, name) {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	return values
}

// encryptionContext is the request's, on its side of ReEncrypt, or that of the
// constraints of a grant to be made.
func (a *asking) encryptionContext() map[string]string {
	if q, ok := a.asked.(*createGrantRequest); ok {
		if q.Constraints == nil {
			return nil
		}
		if len(q.Constraints.EncryptionContextEquals) > 0 {
			return q.Constraints.EncryptionContextEquals
		}
		return q.Constraints.EncryptionContextSubset
	}
	context, _ := memberOf(a.asked, a.side+"EncryptionContext").(map[string]string)
	return context
}

// encryptionAlgorithm is there for all that encrypts or decrypts; data keys are
// sealed under symmetric keys only.
func (a *asking) encryptionAlgorithm() []string {
	switch a.asked.(type) {
	case *generateDataKeyRequest, *generateDataKeyPairRequest:
		return []string{hsm.SymmetricDefault}
	}
	return fromMember(a.side+"EncryptionAlgorithm", hsm.SymmetricDefault)(a)
}

func (a *asking) onSameKey() []string {
	if a.side == "" {
		return nil
	}
	return []string{strconv.FormatBool(a.same)}
}

// forAWSResource is false: no AWS service makes grants here.
func (a *asking) forAWSResource() []string {
	switch a.action {
	case "CreateGrant", "ListGrants", "RevokeGrant":
		return []string{"false"}
	}
	return nil
}

func (a *asking) constraintSource() []string {
	q, ok := a.asked.(*createGrantRequest)
	if !ok || q.Constraints == nil {
		return nil
	}
	return given(q.Constraints.SourceArn)
}

func (a *asking) constraintTypes() (types []string) {
	q, ok := a.asked.(*createGrantRequest)
	if !ok || q.Constraints == nil {
		return nil
	}
	if len(q.Constraints.EncryptionContextEquals) > 0 {
		types = append(types, "EncryptionContextEquals")
	}
	if len(q.Constraints.EncryptionContextSubset) > 0 {
		types = append(types, "EncryptionContextSubset")
	}
	if q.Constraints.SourceArn != "" {
		types = append(types, "SourceArn")
	}
	return types
}

// fromMember is a member of the request as a condition key, which requests without
// such a member do not have. One that was left out has the standard value, if
// there is one.
func fromMember(name, standard string) conditionKey {
	return func(a *asking) []string {
		switch value := memberOf(a.asked, name).(type) {
		case nil:
			return nil
		case []string:
			return value
		case string:
			return given(orDefault(value, standard))
		case bool:
			if !value { // as good as left out
				return nil
			}
			return []string{"true"}
		case *int:
			if value == nil {
				return given(standard)
			}
			return []string{strconv.Itoa(*value)}
		case *time.Time:
			if value == nil {
				return given(standard)
			}
			return []string{strconv.FormatFloat(float64(value.UnixMilli())/1000, 'f', -1, 64)}
		}
		return nil
	}
}

// memberOf is a member of a request, or nil where requests of its kind have
// none of that name.
func memberOf(request any, name string) any {
	v := reflect.ValueOf(request).Elem().FieldByName(name)
	if !v.IsValid() {
		return nil
	}
	return v.Interface()
}
