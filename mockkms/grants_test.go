// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

const (
	grantee = "arn:aws:sts::111122223333:assumed-role/app/session"
	retirer = "arn:aws:iam::111122223333:role/cleaner"

	noGrant     = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	grantIsGone = "NotFoundException: Grant ID " + noGrant + " not found"
)

// granting is a grant request that works, for the test to alter.
func granting(key string) *kms.CreateGrantInput {
	return &kms.CreateGrantInput{KeyId: &key, GranteePrincipal: ptr(grantee), RetiringPrincipal: ptr(retirer),
		Name: ptr("session"), Operations: []types.GrantOperation{"Decrypt", "RetireGrant"}}
}

func (s *session) grants(key string) []types.GrantListEntry {
	s.Helper()
	return must(s.ListGrants(s.Context(), &kms.ListGrantsInput{KeyId: &key})).Grants
}

// The members of an entry are recorded, and that its time has no fraction.
func TestGrantsAreListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		time.Sleep(345 * time.Millisecond)
		key := *must(s.CreateKey(t.Context(), nil)).KeyMetadata.Arn
		id := key[strings.LastIndex(key, "/")+1:]
		made := must(s.CreateGrant(t.Context(), granting(id)))
		if len(*made.GrantId) != 64 || len(*made.GrantToken) < 100 {
			t.Errorf("got %+v", made)
		}
		want := `{"Grants":[{"KeyId":"` + key + `","GrantId":"` + *made.GrantId + `","Name":"session","CreationDate":946684800,` +
			`"GranteePrincipal":"` + grantee + `","RetiringPrincipal":"` + retirer + `",` +
			`"IssuingAccount":"arn:aws:iam::111122223333:root","Operations":["Decrypt","RetireGrant"]}],"Truncated":false}`
		if got := send(t, s.mock, "ListGrants", `{"KeyId": "`+id+`"}`).body; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if got := send(t, s.mock, "ListRetirableGrants", `{"RetiringPrincipal": "`+retirer+`"}`).body; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if got := send(t, s.mock, "ListRetirableGrants", `{"RetiringPrincipal": "`+grantee+`"}`).body; got != `{"Grants":[],"Truncated":false}` {
			t.Errorf("another principal's: %s", got)
		}
	})
}

// Recorded: the same name and parameters are the same grant. Documented: its
// tokens differ, any other parameter makes another grant, and so does no name.
func TestNamedGrantsAreOne(t *testing.T) {
	s := newSession(t)
	key := *must(s.CreateKey(t.Context(), nil)).KeyMetadata.Arn
	first, second := must(s.CreateGrant(t.Context(), granting(key))), must(s.CreateGrant(t.Context(), granting(key)))
	if *first.GrantId != *second.GrantId || *first.GrantToken == *second.GrantToken {
		t.Errorf("got %s and %s", *first.GrantId, *second.GrantId)
	}
	for i, alter := range []func(*kms.CreateGrantInput){
		func(in *kms.CreateGrantInput) { in.Operations = in.Operations[:1] },
		func(in *kms.CreateGrantInput) { in.RetiringPrincipal = nil },
		func(in *kms.CreateGrantInput) { in.Name = nil },
		func(in *kms.CreateGrantInput) { in.Name = nil },
		func(in *kms.CreateGrantInput) {
			in.Constraints = &types.GrantConstraints{EncryptionContextSubset: map[string]string{"a": "b"}}
		},
	} {
		in := granting(key)
		alter(in)
		must(s.CreateGrant(t.Context(), in))
		if got := len(s.grants(key)); got != i+2 {
			t.Errorf("%d: %d grants, want %d", i, got, i+2)
		}
	}
	must(s.RevokeGrant(t.Context(), &kms.RevokeGrantInput{KeyId: &key, GrantId: first.GrantId}))
	if again := must(s.CreateGrant(t.Context(), granting(key))); *again.GrantId == *first.GrantId {
		t.Error("a revoked grant came back")
	}
}

func TestGrantRefusals(t *testing.T) {
	s := newSession(t)
	symmetric := *must(s.CreateKey(t.Context(), nil)).KeyMetadata.Arn
	hmac := s.key(types.OriginTypeAwsKms, types.KeySpecHmac256, types.KeyUsageTypeGenerateVerifyMac)
	pair := s.key(types.OriginTypeAwsKms, types.KeySpecEccNistP256, types.KeyUsageTypeSignVerify)
	context := &types.GrantConstraints{EncryptionContextEquals: map[string]string{"a": "b"}}
	const noContext = "EncryptionContext is supported only when creating a grant for a symmetric encryption KMS key."
	for _, tt := range []struct {
		name, key     string
		alter         func(*kms.CreateGrantInput)
		code, message string
	}{
		{"operation", hmac, func(in *kms.CreateGrantInput) { in.Operations = []types.GrantOperation{"Encrypt"} }, "ValidationException",
			"Operations [Encrypt] are not supported when creating a grant for a symmetric KMS key with key usage GENERATE_VERIFY_MAC. " +
				"Valid operations are [CreateGrant, RetireGrant, DescribeKey, GenerateMac, VerifyMac]"}, // recorded
		{"operations", pair, func(in *kms.CreateGrantInput) { in.Operations = []types.GrantOperation{"Encrypt", "Sign", "Decrypt"} }, "ValidationException",
			"Operations [Encrypt, Decrypt] are not supported when creating a grant for an asymmetric KMS key with key usage SIGN_VERIFY. " +
				"Valid operations are [CreateGrant, RetireGrant, DescribeKey, GetPublicKey, Sign, Verify]"},
		{"context on HMAC", hmac, func(in *kms.CreateGrantInput) {
			in.Operations, in.Constraints = []types.GrantOperation{"GenerateMac"}, context
		}, "ValidationException", noContext}, // recorded
		{"context on a key pair", pair, func(in *kms.CreateGrantInput) {
			in.Operations, in.Constraints = []types.GrantOperation{"Sign"}, context
		}, "ValidationException", noContext}, // recorded
		{"role path in a session", symmetric, func(in *kms.CreateGrantInput) {
			in.GranteePrincipal = ptr("arn:aws:sts::111122223333:assumed-role/path/app/session")
		}, "InvalidArnException", "ARN is not valid: arn:aws:sts::111122223333:assumed-role/path/app/session"}, // recorded
		{"group", symmetric, func(in *kms.CreateGrantInput) { in.GranteePrincipal = ptr("arn:aws:iam::111122223333:group/x") },
			"InvalidArnException", "ARN does not refer to a valid principal: arn:aws:iam::111122223333:group/x"},
		{"no ARN", symmetric, func(in *kms.CreateGrantInput) { in.RetiringPrincipal = ptr("somebody") }, "InvalidArnException", "ARN is not valid: somebody"},
		{"nobody", symmetric, func(in *kms.CreateGrantInput) { in.GranteePrincipal = nil }, "ValidationException",
			"Either GranteePrincipal or GranteeServicePrincipal must be specified."},
		{"service without source", symmetric, func(in *kms.CreateGrantInput) {
			in.GranteePrincipal, in.GranteeServicePrincipal = nil, ptr("sns.amazonaws.com")
		}, "ValidationException", "GranteeServicePrincipal requires a SourceArn grant constraint."},
		{"nine pairs", symmetric, func(in *kms.CreateGrantInput) {
			in.Constraints = &types.GrantConstraints{EncryptionContextSubset: pairs(9)}
		}, "ValidationException", "A grant constraint cannot have more than 8 encryption context pairs."},
		{"long value", symmetric, func(in *kms.CreateGrantInput) {
			in.Constraints = &types.GrantConstraints{EncryptionContextSubset: map[string]string{"a": strings.Repeat("ä", 385)}}
		}, "ValidationException", "An encryption context value in a grant constraint cannot exceed 384 characters."},
		{"foreign token", symmetric, func(in *kms.CreateGrantInput) { in.GrantTokens = []string{"AQpA"} }, "InvalidGrantTokenException", ""},
		{"alias", "alias/a", func(*kms.CreateGrantInput) {}, "InvalidArnException", "Key Aliases are not supported for this operation."}, // reported
		{"enumeration", symmetric, func(in *kms.CreateGrantInput) { in.Operations = []types.GrantOperation{"Decrypt", "Fly", "Swim"} }, "ValidationException",
			"1 validation error detected: Value '[Decrypt, Fly, Swim]' at 'operations' failed to satisfy constraint: Member must satisfy constraint: " +
				"[Member must satisfy enum value set: [Decrypt, Encrypt, GenerateDataKey, GenerateDataKeyWithoutPlaintext, ReEncryptFrom, ReEncryptTo, Sign, Verify, " +
				"GetPublicKey, CreateGrant, RetireGrant, DescribeKey, GenerateDataKeyPair, GenerateDataKeyPairWithoutPlaintext, GenerateMac, VerifyMac, " +
				"DeriveSharedSecret, Encapsulate, Decapsulate]]"},
		{"name", symmetric, func(in *kms.CreateGrantInput) { in.Name = ptr("a b") }, "ValidationException",
			"1 validation error detected: Value 'a b' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$"},
	} {
		in := granting(tt.key)
		tt.alter(in)
		_, err := s.CreateGrant(t.Context(), in)
		t.Log(tt.name)
		refused(t, err, tt.code, tt.message)
	}
	for _, key := range []string{symmetric, hmac, pair} {
		if got := s.grants(key); len(got) != 0 {
			t.Errorf("%d refused grants are there", len(got))
		}
	}
	for body, want := range map[string]string{
		`{"KeyId": "K", "GranteePrincipal": "x", "Operations": ["Decrypt"], "Constraints": []}`:  "SerializationException: Start of list found where not expected",
		`{"KeyId": "K", "GranteePrincipal": "x", "Operations": ["Decrypt"], "Constraints": "x"}`: "SerializationException: STRING_VALUE can not be converted to a Structure",
		`{"KeyId": "K", "GranteePrincipal": "x", "Operations": ["Decrypt"], "Constraints": {"SourceArn": "arn"}}`: "ValidationException: 1 validation error detected: Value 'arn' at 'constraints.sourceArn' " +
			"failed to satisfy constraint: Member must have length greater than or equal to 20",
	} {
		got := send(t, s.mock, "CreateGrant", body)
		if said := got.Type + ": " + got.message(); said != want {
			t.Errorf("%s:\ngot  %s\nwant %s", body, said, want)
		}
	}
}

func pairs(n int) map[string]string {
	m := make(map[string]string)
	for i := range n {
		m[fmt.Sprint(i)] = "v"
	}
	return m
}

func TestPrincipals(t *testing.T) {
	s := newSession(t)
	key := *must(s.CreateKey(t.Context(), nil)).KeyMetadata.Arn
	for _, p := range []string{ // sessions never issued are recorded
		"arn:aws:iam::111122223333:root", "arn:aws:iam::444455556666:role/path/x", "arn:aws:iam::111122223333:user/x",
		"arn:aws:sts::111122223333:federated-user/unissued", "logs.eu-west-1.amazonaws.com",
	} {
		in := granting(key)
		in.GranteePrincipal, in.RetiringPrincipal = &p, &p
		must(s.CreateGrant(t.Context(), in))
		got := must(s.ListGrants(t.Context(), &kms.ListGrantsInput{KeyId: &key, GranteePrincipal: &p})).Grants
		if len(got) != 1 || *got[0].GranteePrincipal != p {
			t.Errorf("%s: got %d grants", p, len(got))
		}
		if got := must(s.ListRetirableGrants(t.Context(), &kms.ListRetirableGrantsInput{RetiringPrincipal: &p})).Grants; len(got) != 1 {
			t.Errorf("%s may retire %d grants", p, len(got))
		}
	}
	for _, p := range []string{
		"arn:aws-cn:iam::111122223333:root", "arn:aws:iam::1:root", "arn:aws:iam::111122223333:role/", "arn:aws:s3:::bucket",
		"arn:aws:sts::111122223333:assumed-role/app", "arn:aws:iam::111122223333:root/x", "111122223333",
	} {
		in := granting(key)
		in.GranteePrincipal = &p
		_, err := s.CreateGrant(t.Context(), in)
		refused(t, err, "InvalidArnException", "ARN is not valid: "+p)
		_, err = s.ListRetirableGrants(t.Context(), &kms.ListRetirableGrantsInput{RetiringPrincipal: &p})
		refused(t, err, "InvalidArnException", "ARN is not valid: "+p)
	}
}

// A service gets a grant with a source, and shows with it.
func TestServiceGrants(t *testing.T) {
	s := newSession(t)
	key := *must(s.CreateKey(t.Context(), nil)).KeyMetadata.Arn
	must(s.CreateGrant(t.Context(), &kms.CreateGrantInput{KeyId: &key, Operations: []types.GrantOperation{"Decrypt"},
		GranteeServicePrincipal: ptr("sns.amazonaws.com"), RetiringServicePrincipal: ptr("sns.amazonaws.com"),
		Constraints: &types.GrantConstraints{SourceArn: ptr("arn:aws:sns:us-east-1:111122223333:topic")}}))
	got := must(s.ListRetirableGrants(t.Context(), &kms.ListRetirableGrantsInput{RetiringServicePrincipal: ptr("sns.amazonaws.com")})).Grants
	if len(got) != 1 || got[0].GranteePrincipal != nil || *got[0].GranteeServicePrincipal != "sns.amazonaws.com" ||
		*got[0].Constraints.SourceArn != "arn:aws:sns:us-east-1:111122223333:topic" {
		t.Errorf("got %+v", got)
	}
}

func TestGrantsEnd(t *testing.T) {
	s := newSession(t)
	key := *must(s.CreateKey(t.Context(), nil)).KeyMetadata.Arn
	for name, end := range map[string]func(g *kms.CreateGrantOutput) error{
		"retired by token": func(g *kms.CreateGrantOutput) error {
			_, err := s.RetireGrant(t.Context(), &kms.RetireGrantInput{GrantToken: g.GrantToken})
			return err
		},
		"retired by ID": func(g *kms.CreateGrantOutput) error {
			_, err := s.RetireGrant(t.Context(), &kms.RetireGrantInput{KeyId: &key, GrantId: g.GrantId})
			return err
		},
		"revoked": func(g *kms.CreateGrantOutput) error {
			_, err := s.RevokeGrant(t.Context(), &kms.RevokeGrantInput{KeyId: &key, GrantId: g.GrantId})
			return err
		},
	} {
		g := must(s.CreateGrant(t.Context(), granting(key)))
		if err := end(g); err != nil || len(s.grants(key)) != 0 {
			t.Errorf("%s: %v, %d grants left", name, err, len(s.grants(key)))
		}
		refused(t, end(g), "NotFoundException", "Grant ID "+*g.GrantId+" not found")
		if got := must(s.ListRetirableGrants(t.Context(), &kms.ListRetirableGrantsInput{RetiringPrincipal: ptr(retirer)})).Grants; len(got) != 0 {
			t.Errorf("%s: still retirable", name)
		}
	}
	for body, want := range map[string]string{
		`{}`: "ValidationException: Either GrantToken, or both KeyId and GrantId, must be specified.",
		`{"KeyId": "` + key + `", "GrantId": "x"}`: "InvalidGrantIdException: ",
		`{"GrantToken": "x"}`:                      "InvalidGrantTokenException: ",
	} {
		got := send(t, s.mock, "RetireGrant", body)
		if said := got.Type + ": " + got.message(); said != want {
			t.Errorf("%s:\ngot  %s\nwant %s", body, said, want)
		}
	}
}

// A token goes with every call that takes one; one changed in any place, or of
// another store, is refused.
func TestGrantTokens(t *testing.T) {
	s := newSession(t)
	key := *must(s.CreateKey(t.Context(), nil)).KeyMetadata.Arn
	token := *must(s.CreateGrant(t.Context(), granting(key))).GrantToken
	use := func(s *session, key, token string) error {
		_, err := s.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x"), GrantTokens: []string{token}})
		return err
	}
	must(0, use(s, key, token))
	must(s.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &key, GrantTokens: []string{token}}))
	for i := range len(token) - 1 {
		if token[i+1] == '=' {
			break
		}
		other := byte('A')
		if token[i] == other {
			other = 'B'
		}
		refused(t, use(s, key, token[:i]+string(other)+token[i+1:]), "InvalidGrantTokenException", "")
	}
	elsewhere := newSession(t)
	foreign := *must(elsewhere.CreateKey(t.Context(), nil)).KeyMetadata.Arn
	refused(t, use(elsewhere, foreign, token), "InvalidGrantTokenException", "")
	must(s.RetireGrant(t.Context(), &kms.RetireGrantInput{GrantToken: &token}))
	must(0, use(s, key, token)) // says nothing any more, and does no harm
}

func TestGrantPages(t *testing.T) {
	s := newSession(t)
	key := *must(s.CreateKey(t.Context(), nil)).KeyMetadata.Arn
	made := make(map[string]bool)
	for range 51 {
		in := granting(key)
		in.Name = nil
		made[*must(s.CreateGrant(t.Context(), in)).GrantId] = true
	}
	seen := make(map[string]bool)
	pages := kms.NewListGrantsPaginator(s.Client, &kms.ListGrantsInput{KeyId: &key})
	for _, want := range []int{50, 1} {
		page := must(pages.NextPage(t.Context()))
		if len(page.Grants) != want {
			t.Errorf("a page of %d grants, want %d", len(page.Grants), want)
		}
		for _, g := range page.Grants {
			seen[*g.GrantId] = true
		}
	}
	if pages.HasMorePages() || !maps.Equal(seen, made) {
		t.Errorf("saw %d of %d grants", len(seen), len(made))
	}
	one := must(s.ListRetirableGrants(t.Context(), &kms.ListRetirableGrantsInput{RetiringPrincipal: ptr(retirer), Limit: ptr[int32](1)}))
	if len(one.Grants) != 1 || !one.Truncated {
		t.Errorf("got %d grants, truncated %v", len(one.Grants), one.Truncated)
	}
	_, err := s.ListGrants(t.Context(), &kms.ListGrantsInput{KeyId: &key, Limit: ptr[int32](101)})
	refused(t, err, "ValidationException", "Limit must be between 1 and 100")
	_, err = s.ListGrants(t.Context(), &kms.ListGrantsInput{KeyId: &key, Marker: ptr("x")})
	refused(t, err, "InvalidMarkerException", "")
	_, err = s.ListGrants(t.Context(), &kms.ListGrantsInput{KeyId: &key, GrantId: ptr("x")})
	refused(t, err, "InvalidGrantIdException", "")
}

// Grants go with their key, and leave nothing in the store.
func TestGrantsOfADeletedKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := mockkms.NewMemoryStore()
		s := newSession(t, mockkms.WithStore(store))
		key := *must(s.CreateKey(t.Context(), nil)).KeyMetadata.Arn
		token := must(s.CreateGrant(t.Context(), granting(key))).GrantToken
		must(s.ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: &key, PendingWindowInDays: ptr[int32](7)}))
		if got := s.grants(key); len(got) != 1 {
			t.Errorf("%d grants while the key waits for its deletion", len(got))
		}
		time.Sleep(8 * 24 * time.Hour)
		for range 2 { // before and after the store is cleaned up
			if got := must(s.ListRetirableGrants(t.Context(), &kms.ListRetirableGrantsInput{RetiringPrincipal: ptr(retirer)})).Grants; len(got) != 0 {
				t.Errorf("%d grants of a deleted key", len(got))
			}
			must(s.CreateKey(t.Context(), nil))
		}
		_, err := s.RetireGrant(t.Context(), &kms.RetireGrantInput{GrantToken: token})
		refused(t, err, "NotFoundException", "Key '"+key+"' does not exist")
		must(0, store.View(func(tx mockkms.Tx) error {
			tx.Ascend("", "", func(name, _ []byte) bool {
				if strings.Contains(string(name), key[strings.LastIndex(key, "/")+1:]) {
					t.Errorf("record %s is left", name)
				}
				return true
			})
			return nil
		}))
	})
}

// What is rehearsed does not happen.
func TestGrantDryRuns(t *testing.T) {
	s := newSession(t)
	const done = "The request would have succeeded, but the DryRun option is set."
	key := *must(s.CreateKey(t.Context(), nil)).KeyMetadata.Arn
	in := granting(key)
	in.DryRun = aws.Bool(true)
	_, err := s.CreateGrant(t.Context(), in)
	refused(t, err, "DryRunOperationException", done)
	if got := s.grants(key); len(got) != 0 {
		t.Errorf("%d rehearsed grants are there", len(got))
	}
	g := must(s.CreateGrant(t.Context(), granting(key)))
	_, err = s.RetireGrant(t.Context(), &kms.RetireGrantInput{GrantToken: g.GrantToken, DryRun: aws.Bool(true)})
	refused(t, err, "DryRunOperationException", done)
	_, err = s.RevokeGrant(t.Context(), &kms.RevokeGrantInput{KeyId: &key, GrantId: g.GrantId, DryRun: aws.Bool(true)})
	refused(t, err, "DryRunOperationException", done)
	if got := s.grants(key); len(got) != 1 {
		t.Errorf("%d grants after rehearsing their end", len(got))
	}
	_, err = s.RevokeGrant(t.Context(), &kms.RevokeGrantInput{KeyId: &key, GrantId: ptr(noGrant), DryRun: aws.Bool(true)})
	refused(t, err, "NotFoundException", "Grant ID "+noGrant+" not found")
	if slices.ContainsFunc(s.grants(key), func(g types.GrantListEntry) bool { return *g.GrantId == noGrant }) {
		t.Error("a grant from nowhere")
	}
}
