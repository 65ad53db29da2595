// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

func TestCreateKeyRefusals(t *testing.T) {
	mock := mockkms.New()
	for body, want := range map[string]string{
		`{"KeySpec": "HMAC_224"}`:                                                                "ValidationException: You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
		`{"KeySpec": "HMAC_224", "KeyUsage": "ENCRYPT_DECRYPT"}`:                                 "ValidationException: KeyUsage ENCRYPT_DECRYPT is not compatible with KeySpec HMAC_224",
		`{"KeySpec": "RSA_2048", "KeyUsage": "KEY_AGREEMENT"}`:                                   "ValidationException: KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048",
		`{"KeySpec": "ML_DSA_44", "KeyUsage": "SIGN_VERIFY", "Origin": "EXTERNAL"}`:              "ValidationException: KeySpec ML_DSA_44 is not supported for Origin EXTERNAL",
		`{"KeySpec": "ML_DSA_44"}`:                                                               "ValidationException: You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
		`{"KeySpec": "ML_DSA_44", "KeyUsage": "KEY_AGREEMENT"}`:                                  "ValidationException: KeyUsage KEY_AGREEMENT is not compatible with KeySpec ML_DSA_44",
		`{"KeySpec": "ML_KEM_768", "KeyUsage": "ENCAPSULATE_DECAPSULATE", "Origin": "EXTERNAL"}`: "ValidationException: KeySpec ML_KEM_768 is not supported for Origin EXTERNAL",
		`{"Policy": "{"}`:                                 "MalformedPolicyDocumentException: policy: is not valid JSON",
		`{"XksKeyId": "a"}`:                               "ValidationException: XksKeyId is not valid for Origin AWS_KMS.",
		`{"XksKeyId": "a", "Origin": "EXTERNAL"}`:         "ValidationException: XksKeyId is not valid for Origin EXTERNAL.",
		`{"Tags": [{"TagKey": "aws:x", "TagValue": ""}]}`: "TagException: Tags beginning with aws: are reserved",
		`{"Tags": [{"TagKey": "a", "TagValue": ""}, {"TagKey": "a", "TagValue": "b"}]}`:  "TagException: Duplicate tag keys",
		`{"Tags": [` + strings.Join(numberedTags(51), ",") + `]}`:                        "TagException: Too many tags",
		`{"KeySpec": "SYMMETRIC_DEFAULT", "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT"}`: "ValidationException: You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.",
	} {
		got := send(t, mock, "CreateKey", body)
		if said := got.Type + ": " + got.message(); said != want {
			t.Errorf("%s:\ngot  %s\nwant %s", body, said, want)
		}
	}
	if got := send(t, mock, "ListKeys", `{}`).body; got != `{"Keys":[],"Truncated":false}` {
		t.Errorf("refused keys are there: %s", got)
	}
}

func numberedTags(n int) (tags []string) {
	for i := range n {
		tags = append(tags, fmt.Sprintf(`{"TagKey": "k%d", "TagValue": "v"}`, i))
	}
	return tags
}

// The algorithm lists of a key, in the recorded order.
func TestAlgorithmLists(t *testing.T) {
	s := newSession(t)
	for _, tt := range []struct {
		spec  types.KeySpec
		usage types.KeyUsageType
		want  string
	}{
		{types.KeySpecSymmetricDefault, types.KeyUsageTypeEncryptDecrypt, "[SYMMETRIC_DEFAULT] [] [] []"},
		{types.KeySpecRsa2048, types.KeyUsageTypeEncryptDecrypt, "[RSAES_OAEP_SHA_1 RSAES_OAEP_SHA_256] [] [] []"},
		{types.KeySpecRsa2048, types.KeyUsageTypeSignVerify, "[] [RSASSA_PKCS1_V1_5_SHA_256 RSASSA_PKCS1_V1_5_SHA_384 RSASSA_PKCS1_V1_5_SHA_512 RSASSA_PSS_SHA_256 RSASSA_PSS_SHA_384 RSASSA_PSS_SHA_512] [] []"},
		{types.KeySpecEccNistP521, types.KeyUsageTypeSignVerify, "[] [ECDSA_SHA_512] [] []"},
		{types.KeySpecEccNistEdwards25519, types.KeyUsageTypeSignVerify, "[] [ED25519_PH_SHA_512 ED25519_SHA_512] [] []"},
		{types.KeySpecHmac384, types.KeyUsageTypeGenerateVerifyMac, "[] [] [HMAC_SHA_384] []"},
		{types.KeySpecEccNistP256, types.KeyUsageTypeKeyAgreement, "[] [] [] [ECDH]"},
	} {
		m := s.describe(s.key(types.OriginTypeExternal, tt.spec, tt.usage))
		got := fmt.Sprint(m.EncryptionAlgorithms, m.SigningAlgorithms, m.MacAlgorithms, m.KeyAgreementAlgorithms)
		got = strings.ReplaceAll(got, "][", "] [")
		if got != tt.want {
			t.Errorf("%s: got %s\nwant %s", tt.spec, got, tt.want)
		}
	}
}

func TestMultiRegionPrimary(t *testing.T) {
	s := newSession(t)
	m := must(s.CreateKey(t.Context(), &kms.CreateKeyInput{Origin: types.OriginTypeExternal, MultiRegion: aws.Bool(true)})).KeyMetadata
	if !regexp.MustCompile(`^mrk-[0-9a-f]{32}$`).MatchString(*m.KeyId) || !*m.MultiRegion {
		t.Errorf("got ID %s", *m.KeyId)
	}
	c := m.MultiRegionConfiguration
	if c.MultiRegionKeyType != types.MultiRegionKeyTypePrimary || *c.PrimaryKey.Arn != *m.Arn || c.ReplicaKeys == nil || len(c.ReplicaKeys) != 0 {
		t.Errorf("got %+v", c)
	}
}

func TestListKeysPages(t *testing.T) {
	s := newSession(t)
	var want []string
	for range 5 {
		want = append(want, *must(s.CreateKey(t.Context(), nil)).KeyMetadata.Arn)
	}
	var got []string
	pages := kms.NewListKeysPaginator(s.Client, &kms.ListKeysInput{Limit: ptr[int32](2)})
	n := 0
	for ; pages.HasMorePages(); n++ {
		for _, k := range must(pages.NextPage(t.Context())).Keys {
			got = append(got, *k.KeyArn)
		}
	}
	slices.Sort(want)
	if n != 3 || !slices.Equal(got, want) {
		t.Errorf("got %d pages: %v\nwant %v", n, got, want)
	}
	_, err := s.ListKeys(t.Context(), &kms.ListKeysInput{Marker: ptr("x")})
	refused(t, err, "InvalidMarkerException", "")
}

func TestAliases(t *testing.T) {
	s := newSession(t)
	one, two := s.external(types.KeySpecSymmetricDefault), s.external(types.KeySpecSymmetricDefault)
	id := func(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }
	create := func(name, key string) error {
		_, err := s.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: &name, TargetKeyId: &key})
		return err
	}
	must(0, create("alias/lab", id(one)))
	must(0, create("alias/alias/odd", one))
	refused(t, create("alias/lab", two), "AlreadyExistsException", "An alias with the name arn:aws:kms:us-east-1:111122223333:alias/lab already exists")
	refused(t, create("lab", two), "ValidationException",
		`Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html`)
	refused(t, create("alias/aws/lab", two), "NotAuthorizedException", "")
	refused(t, create("alias/lab:2", two), "ValidationException", "alias/lab:2 contains invalid characters for an alias")
	refused(t, create("alias/new", "alias/lab"), "ValidationException", "Aliases must refer to keys. Not aliases")
	for _, ref := range []string{"alias/lab", "arn:aws:kms:us-east-1:111122223333:alias/lab", id(one), one, "alias/alias/odd"} {
		if got := *s.describe(ref).Arn; got != one {
			t.Errorf("%s is %s, want %s", ref, got, one)
		}
	}
	must(s.UpdateAlias(t.Context(), &kms.UpdateAliasInput{AliasName: ptr("alias/lab"), TargetKeyId: &two}))
	if got := *s.describe("alias/lab").Arn; got != two {
		t.Errorf("alias/lab is still %s", got)
	}
	list := func(key *string) (names []string) {
		for _, a := range must(s.ListAliases(t.Context(), &kms.ListAliasesInput{KeyId: key})).Aliases {
			names = append(names, *a.AliasName+" "+*a.TargetKeyId)
		}
		return names
	}
	if got, want := list(nil), []string{"alias/alias/odd " + id(one), "alias/lab " + id(two)}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := list(&one), []string{"alias/alias/odd " + id(one)}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	must(s.DeleteAlias(t.Context(), &kms.DeleteAliasInput{AliasName: ptr("alias/lab")}))
	_, err := s.DeleteAlias(t.Context(), &kms.DeleteAliasInput{AliasName: ptr("alias/lab")})
	refused(t, err, "NotFoundException", "Alias arn:aws:kms:us-east-1:111122223333:alias/lab is not found.")
	_, err = s.DeleteAlias(t.Context(), &kms.DeleteAliasInput{AliasName: ptr("lab")})
	refused(t, err, "ValidationException",
		`Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html`)
}

func TestTagsPoliciesAndDescription(t *testing.T) {
	s := newSession(t)
	key := *must(s.CreateKey(t.Context(), &kms.CreateKeyInput{Tags: []types.Tag{{TagKey: ptr("a"), TagValue: ptr("1")}}})).KeyMetadata.Arn
	must(s.TagResource(t.Context(), &kms.TagResourceInput{KeyId: &key, Tags: []types.Tag{
		{TagKey: ptr("b"), TagValue: ptr("")}, {TagKey: ptr("a"), TagValue: ptr("2")},
	}}))
	must(s.UntagResource(t.Context(), &kms.UntagResourceInput{KeyId: &key, TagKeys: []string{"b", "never there"}}))
	if got := send(t, s.mock, "ListResourceTags", `{"KeyId": "`+key+`"}`).body; got != `{"Tags":[{"TagKey":"a","TagValue":"2"}],"Truncated":false}` {
		t.Errorf("got tags %s", got)
	}
	policy := func() string {
		return *must(s.GetKeyPolicy(t.Context(), &kms.GetKeyPolicyInput{KeyId: &key})).Policy
	}
	if got := policy(); !strings.Contains(got, `"Id" : "key-default-1"`) || !strings.Contains(got, "arn:aws:iam::111122223333:root") {
		t.Errorf("got policy %s", got)
	}
	const own = `{"Version":"2012-10-17","Statement":[]}`
	must(s.PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{KeyId: &key, Policy: ptr(own)}))
	if got := policy(); got != own {
		t.Errorf("got policy %s", got)
	}
	must(s.UpdateKeyDescription(t.Context(), &kms.UpdateKeyDescriptionInput{KeyId: &key, Description: ptr("<new> & other")}))
	if got := *s.describe(key).Description; got != "<new> & other" {
		t.Errorf("got description %q", got)
	}
}

// Two servers on one file are one KMS: keys, aliases, tokens and all.
func TestTwoServersShareAStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	one := newSession(t, mockkms.WithStore(must(mockkms.OpenStore(path))))
	two := newSession(t, mockkms.WithStore(must(mockkms.OpenStore(path))))
	key := one.external(types.KeySpecSymmetricDefault)
	in := one.importing(key, letters("A", 32))
	must(two.ImportKeyMaterial(t.Context(), in))
	blob := must(one.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x")})).CiphertextBlob
	must(0, one.mock.Close())
	if got := must(two.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob})).Plaintext; string(got) != "x" {
		t.Errorf("got %q", got)
	}
	must(0, two.mock.Close())
	again := newSession(t, mockkms.WithStore(must(mockkms.OpenStore(path))))
	if got := again.describe(key).KeyState; got != types.KeyStateEnabled {
		t.Errorf("after closing and opening the key is %s", got)
	}
	must(0, mockkms.ResetStore(path))
	_, err := again.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &key})
	refused(t, err, "NotFoundException", "Key '"+key+"' does not exist")
}

// Many at once, on one key and on their own: no answer is wrong, none is lost.
func TestParallelUse(t *testing.T) {
	for name, store := range stores(t) {
		s := newSession(t, mockkms.WithStore(store))
		key := s.external(types.KeySpecSymmetricDefault)
		in := s.importing(key, letters("A", 32))
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				for range 4 {
					must(s.ImportKeyMaterial(t.Context(), in))
					blob := must(s.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x")})).CiphertextBlob
					must(s.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob}))
					own := must(s.CreateKey(t.Context(), nil)).KeyMetadata.KeyId
					must(s.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: own}))
				}
			})
		}
		wg.Wait()
		if got := len(must(s.ListKeys(t.Context(), nil)).Keys); got != 1+64 {
			t.Errorf("%s: got %d keys, want 65", name, got)
		}
	}
}

// A watchedStore tells of each update it made.
type watchedStore struct {
	mockkms.Store
	updated chan struct{}
}

func (s watchedStore) Update(f func(mockkms.Tx) error) error {
	defer func() { s.updated <- struct{}{} }()
	return s.Store.Update(f)
}

// Keys made ahead are taken from the store by the fetch, and made up for.
func TestKeysAhead(t *testing.T) {
	memory := mockkms.NewMemoryStore()
	store := watchedStore{memory, make(chan struct{}, 100)}
	mock := mockkms.New(mockkms.WithStore(store), mockkms.WithKeysAhead(mockkms.KeysAhead{RSA2048: 1}))
	defer mock.Close()
	<-store.updated // the first key is there
	stock := func() string { return strings.Join(must(contents(memory, "pool/"))[:1], "") }
	before := stock()
	s := &session{t, newClient(mock), mock, region}
	key := s.external(types.KeySpecSymmetricDefault)
	<-store.updated
	p := s.parametersFor(key, types.AlgorithmSpecRsaesOaepSha256, types.WrappingKeySpecRsa2048)
	for range 3 { // the key taken, the secret made, a new key put
		<-store.updated
	}
	if before == stock() {
		t.Error("the fetch did not take the key made ahead")
	}
	must(s.ImportKeyMaterial(t.Context(), &kms.ImportKeyMaterialInput{
		KeyId: &key, ImportToken: p.ImportToken, ExpirationModel: types.ExpirationModelTypeKeyMaterialDoesNotExpire,
		EncryptedKeyMaterial: wrapper(types.AlgorithmSpecRsaesOaepSha256)(p.PublicKey, letters("A", 32)),
	}))
}

// A key policy is held to IAM's grammar also where none is enforced. Only a
// statement without Action or Resource is let pass (PutKeyPolicy in the API
// reference).
func TestKeyPolicySyntax(t *testing.T) {
	s := newSession(t)
	key := s.symmetric()
	const usual = `"Effect": "Allow", "Action": "kms:*", "Resource": "*"`
	for _, tt := range []struct{ policy, want string }{
		{`{"Version": "2012-10-17", "Statement": [{` + usual + `, "Principal": {"AWS": "arn:aws:iam::111122223333:root"}}]}`, ""},
		{`{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "kms:*"}}`, ""},
		{`{"Statement": {"Effect": "Allow", "Principal": "*", "Resource": "*"}}`, ""},
		{`{"Statement": {` + usual + `, "Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}}`, ""},
		{`{"Statement": []}`, ""},
		{`5`, "policy: is not a JSON object"},
		{`{}`, "policy: Statement: is missing"},
		{`{"Statement": {` + usual + `}}`, "statement 1: Principal: is missing"},
		{`{"Statement": {"Principal": "*", "Action": "kms:*", "Resource": "*"}}`, "statement 1: Effect: is missing"},
		{`{"Version": "2020-01-01", "Statement": {` + usual + `, "Principal": "*"}}`, "policy: Version: is neither 2012-10-17 nor 2008-10-17"},
	} {
		_, err := s.PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{KeyId: &key, Policy: &tt.policy})
		if tt.want != "" {
			refused(t, err, "MalformedPolicyDocumentException", tt.want)
		} else if err != nil {
			t.Errorf("%s: %v", tt.policy, err)
		}
	}
}
