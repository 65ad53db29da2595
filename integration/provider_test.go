// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// TestExternalKeyResource makes, in their order, the calls of Terraform's AWS
// provider for an aws_kms_external_key: created with everything it takes, read
// for a plan that finds no difference, changed, and destroyed. It demands what
// the provider waits for, and what it would report as a difference.
func TestExternalKeyResource(t *testing.T) {
	t.Parallel()
	d := newAccount(t)
	material := make([]byte, 32)
	rand.Read(material)
	p := &provider{t: t, client: d.client(), material: material}
	in := func(days int) string { return time.Now().AddDate(0, 0, days).UTC().Format(time.RFC3339) }
	want := externalKey{
		description: "of Terraform", enabled: true, expirationModel: "KEY_MATERIAL_EXPIRES", validTo: in(30),
		policy: providerPolicy(d.account, "kms:*"), tags: map[string]string{"stage": "test", "Name": "external"},
	}
	p.create(want)
	p.checkRead("after creation", want)

	// Enabling comes before all other changes, disabling after them.
	want.description, want.policy = "changed", providerPolicy(d.account, "kms:Describe*")
	p.putDescription(want.description)
	p.putPolicy(want.policy)
	want.validTo = in(60)
	p.importMaterial(want.validTo)
	want.enabled = false
	p.setEnabled(false)
	want.tags = map[string]string{"stage": "live", "owner": "us"}
	p.retag([]string{"Name", "stage"}, want.tags)
	p.checkRead("after changes", want)

	want.enabled = true
	p.setEnabled(true)
	want.expirationModel, want.validTo = "KEY_MATERIAL_DOES_NOT_EXPIRE", ""
	p.importMaterial("")
	want.description = ""
	p.putDescription("")
	p.checkRead("after the expiry was taken out", want)

	p.destroy()
}

// TestExternalKeyResourceEmpty does the same with a key whose material comes
// from elsewhere, and an alias to it.
func TestExternalKeyResourceEmpty(t *testing.T) {
	t.Parallel()
	d := newAccount(t)
	p := &provider{t: t, client: d.client()}
	want := externalKey{policy: providerPolicy(d.account, "kms:*"), tags: map[string]string{}}
	p.create(want)
	p.checkRead("after creation", want)

	alias := aws.String("alias/terraform/external")
	_, err := p.client.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: alias, TargetKeyId: &p.id})
	p.must(err)
	var found []string
	for pages := kms.NewListAliasesPaginator(p.client, &kms.ListAliasesInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		p.must(err)
		for _, a := range page.Aliases {
			if *a.AliasName == *alias && aws.ToString(a.TargetKeyId) == p.id {
				found = append(found, *a.AliasArn)
			}
		}
	}
	if want := "arn:aws:kms:us-east-1:" + d.account + ":" + *alias; len(found) != 1 || found[0] != want {
		t.Errorf("listed for the alias: %q, want %s", found, want)
	}
	_, err = p.client.DeleteAlias(t.Context(), &kms.DeleteAliasInput{AliasName: alias})
	p.must(err)
	p.destroy()
}

// TestReplicaExternalKeyResource makes the calls for an
// aws_kms_replica_external_key and its primary, in two Regions.
func TestReplicaExternalKeyResource(t *testing.T) {
	t.Parallel()
	d := newAccount(t)
	material := make([]byte, 32)
	rand.Read(material)
	p := &provider{t: t, client: d.client(), material: material, multiRegion: true}
	validTo := time.Now().AddDate(0, 0, 30).UTC().Format(time.RFC3339)
	want := externalKey{
		description: "primary", enabled: true, expirationModel: "KEY_MATERIAL_EXPIRES", validTo: validTo,
		policy: providerPolicy(d.account, "kms:*"), tags: map[string]string{"Region": "east"},
	}
	p.create(want)
	p.checkRead("after creation", want)

	description := "replica"
	tags := map[string]string{"Region": "west"}
	out, err := p.client.ReplicateKey(t.Context(), &kms.ReplicateKeyInput{
		KeyId: &p.id, ReplicaRegion: aws.String("us-west-2"), Description: &description, Policy: &want.policy, Tags: sdkTags(tags),
	})
	p.must(err)
	options := p.client.Options()
	options.Region = "us-west-2"
	r := &provider{t: t, client: kms.New(options), id: *out.ReplicaKeyMetadata.KeyId, material: material, multiRegion: true}
	for r.describe().KeyState == types.KeyStateCreating {
		if t.Context().Err() != nil {
			t.Fatal("the replica stays in creation")
		}
	}
	r.importMaterial("")
	replica := externalKey{
		description: description, enabled: true, expirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE", policy: want.policy, tags: tags,
	}
	r.checkRead("of the replica", replica)
	r.setEnabled(false)
	replica.enabled = false
	r.checkRead("of the disabled replica", replica)
	p.checkRead("with a disabled replica", want)
	r.destroy()
	p.destroy()
}

// externalKey is what Terraform has in its state about the resource.
type externalKey struct {
	description, expirationModel, validTo, policy string
	enabled                                       bool
	tags                                          map[string]string
}

func providerPolicy(account, action string) string {
	return `{"Statement":[{"Action":"` + action + `","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account +
		`:root"},"Resource":"*","Sid":"all"}],"Version":"2012-10-17"}`
}

// provider makes the provider's calls for one key, known by its bare ID.
type provider struct {
	t        *testing.T
	client   *kms.Client
	id       string
	material []byte // nil: comes from elsewhere

	multiRegion bool
}

func (p *provider) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// waitFor demands what the provider waits for: to be so several times in a row.
func (p *provider) waitFor(what string, so func(*types.KeyMetadata) bool) {
	p.t.Helper()
	for range 5 {
		if key := p.describe(); !so(key) {
			p.t.Fatalf("the provider would wait for %s: %+v", what, key)
		}
	}
}

func (p *provider) describe() *types.KeyMetadata {
	p.t.Helper()
	out, err := p.client.DescribeKey(p.t.Context(), &kms.DescribeKeyInput{KeyId: &p.id})
	p.must(err)
	return out.KeyMetadata
}

func (p *provider) create(k externalKey) {
	p.t.Helper()
	input := &kms.CreateKeyInput{
		BypassPolicyLockoutSafetyCheck: true,
		KeyUsage:                       types.KeyUsageTypeEncryptDecrypt,
		Origin:                         types.OriginTypeExternal,
		Policy:                         &k.policy,
		Tags:                           sdkTags(k.tags),
	}
	if p.multiRegion {
		input.MultiRegion = aws.Bool(true)
	}
	if k.description != "" {
		input.Description = &k.description
	}
	out, err := p.client.CreateKey(p.t.Context(), input)
	p.must(err)
	p.id = *out.KeyMetadata.KeyId
	if p.material == nil {
		return
	}
	p.importMaterial(k.validTo)
	if !k.enabled {
		p.setEnabled(false)
	}
}

// importMaterial imports it to expire at validTo, as RFC 3339, or never.
func (p *provider) importMaterial(validTo string) {
	p.t.Helper()
	fetched, err := p.client.GetParametersForImport(p.t.Context(), &kms.GetParametersForImportInput{
		KeyId:             &p.id,
		WrappingAlgorithm: types.AlgorithmSpecRsaesOaepSha256,
		WrappingKeySpec:   types.WrappingKeySpecRsa2048,
	})
	p.must(err)
	public, err := x509.ParsePKIXPublicKey(fetched.PublicKey)
	p.must(err)
	encrypted, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, public.(*rsa.PublicKey), p.material, nil)
	p.must(err)
	input := &kms.ImportKeyMaterialInput{
		EncryptedKeyMaterial: encrypted,
		ExpirationModel:      types.ExpirationModelTypeKeyMaterialDoesNotExpire,
		ImportToken:          fetched.ImportToken,
		KeyId:                &p.id,
	}
	var expires time.Time
	if validTo != "" {
		expires, err = time.Parse(time.RFC3339, validTo)
		p.must(err)
		input.ExpirationModel, input.ValidTo = types.ExpirationModelTypeKeyMaterialExpires, &expires
	}
	_, err = p.client.ImportKeyMaterial(p.t.Context(), input)
	p.must(err)
	p.waitFor("the import", func(k *types.KeyMetadata) bool {
		return k.KeyState == types.KeyStateEnabled || k.KeyState == types.KeyStateDisabled
	})
	p.waitFor("the expiry", func(k *types.KeyMetadata) bool {
		if k.ValidTo == nil {
			return validTo == ""
		}
		return k.ValidTo.Equal(expires)
	})
}

func (p *provider) setEnabled(enabled bool) {
	p.t.Helper()
	var err error
	if enabled {
		_, err = p.client.EnableKey(p.t.Context(), &kms.EnableKeyInput{KeyId: &p.id})
	} else {
		_, err = p.client.DisableKey(p.t.Context(), &kms.DisableKeyInput{KeyId: &p.id})
	}
	p.must(err)
	p.waitFor("the key's state", func(k *types.KeyMetadata) bool { return k.Enabled == enabled })
}

func (p *provider) putDescription(description string) {
	p.t.Helper()
	_, err := p.client.UpdateKeyDescription(p.t.Context(), &kms.UpdateKeyDescriptionInput{Description: &description, KeyId: &p.id})
	p.must(err)
	p.waitFor("the description", func(k *types.KeyMetadata) bool { return aws.ToString(k.Description) == description })
}

func (p *provider) putPolicy(policy string) {
	p.t.Helper()
	_, err := p.client.PutKeyPolicy(p.t.Context(), &kms.PutKeyPolicyInput{
		BypassPolicyLockoutSafetyCheck: true, KeyId: &p.id, Policy: &policy, PolicyName: aws.String("default"),
	})
	p.must(err)
}

func (p *provider) retag(removed []string, added map[string]string) {
	p.t.Helper()
	_, err := p.client.UntagResource(p.t.Context(), &kms.UntagResourceInput{KeyId: &p.id, TagKeys: removed})
	p.must(err)
	_, err = p.client.TagResource(p.t.Context(), &kms.TagResourceInput{KeyId: &p.id, Tags: sdkTags(added)})
	p.must(err)
}

// checkRead reads the resource as each plan does, and demands no difference.
func (p *provider) checkRead(when string, want externalKey) {
	p.t.Helper()
	key := p.describe()
	got := externalKey{
		description: aws.ToString(key.Description), enabled: key.Enabled,
		expirationModel: string(key.ExpirationModel), tags: make(map[string]string),
	}
	if key.ValidTo != nil {
		got.validTo = key.ValidTo.Format(time.RFC3339)
	}
	policy, err := p.client.GetKeyPolicy(p.t.Context(), &kms.GetKeyPolicyInput{KeyId: &p.id, PolicyName: aws.String("default")})
	p.must(err)
	got.policy = normal(p.t, *policy.Policy)
	// Providers of before version 5 ask this of external keys too.
	rotation, err := p.client.GetKeyRotationStatus(p.t.Context(), &kms.GetKeyRotationStatusInput{KeyId: &p.id})
	p.must(err)
	for pages := kms.NewListResourceTagsPaginator(p.client, &kms.ListResourceTagsInput{KeyId: &p.id}); pages.HasMorePages(); {
		page, err := pages.NextPage(p.t.Context())
		p.must(err)
		for _, t := range page.Tags {
			got.tags[*t.TagKey] = *t.TagValue
		}
	}
	if !reflect.DeepEqual(got, want) {
		p.t.Errorf("%s Terraform finds %+v, want %+v", when, got, want)
	}
	if key.KeyManager != types.KeyManagerTypeCustomer || key.Origin != types.OriginTypeExternal || aws.ToBool(key.MultiRegion) != p.multiRegion || rotation.KeyRotationEnabled {
		p.t.Errorf("%s the provider refuses the key: %+v, %+v", when, key, rotation)
	}
}

// destroy schedules the deletion, which for Terraform is one. It takes the
// refusal of a second time for success, but not that of a primary with replicas.
func (p *provider) destroy() {
	p.t.Helper()
	input := &kms.ScheduleKeyDeletionInput{KeyId: &p.id, PendingWindowInDays: aws.Int32(7)}
	out, err := p.client.ScheduleKeyDeletion(p.t.Context(), input)
	p.must(err)
	p.waitFor("the deletion", func(k *types.KeyMetadata) bool {
		return k.KeyState == out.KeyState && (k.KeyState == types.KeyStatePendingDeletion || k.KeyState == types.KeyStatePendingReplicaDeletion)
	})
	want := " is pending deletion."
	if out.KeyState == types.KeyStatePendingReplicaDeletion {
		want = " is pending replica deletion."
	}
	_, err = p.client.ScheduleKeyDeletion(p.t.Context(), input)
	if refused := new(types.KMSInvalidStateException); !errors.As(err, &refused) || !strings.HasSuffix(refused.ErrorMessage(), want) {
		p.t.Errorf("a second deletion: %v, want%s", err, want)
	}
}

func sdkTags(tags map[string]string) (list []types.Tag) {
	for key, value := range tags {
		list = append(list, types.Tag{TagKey: &key, TagValue: &value})
	}
	return list
}

// normal is JSON with its members sorted and no space.
func normal(t *testing.T, document string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(document), &v); err != nil {
		t.Fatal(err)
	}
	sorted, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(sorted)
}
