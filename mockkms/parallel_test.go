// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

// A crowd is many clients who ask one KMS at the same time. In whichever order
// they are served, it is known what must have come of it: of those who want what
// only one can have one gets it, and nobody's work is lost.
type crowd struct {
	*session
	requests []crowdRequest

	mu   sync.Mutex
	said map[string]int      // answers, as in "DescribeKey" and "CreateAlias AlreadyExistsException"
	got  map[string][]string // values that were answered, by member
}

// A crowdRequest is one kind of request.
type crowdRequest struct {
	operation, body string // the body may hold a %d, of few values
	refusal         string // a code that it may be refused with
	keep            string // a member of the answer to keep
}

func TestTenThousandRequestsAtOnce(t *testing.T) {
	now := time.Unix(1800000000, 0)
	c := &crowd{session: newSession(t, mockkms.WithClock(func() time.Time { return now })), said: make(map[string]int), got: make(map[string][]string)}
	shared, contested, doomed, imported := c.symmetric(), c.symmetric(), c.symmetric(), c.external(types.KeySpecSymmetricDefault)
	hmac := c.key(types.OriginTypeAwsKms, types.KeySpecHmac256, types.KeyUsageTypeGenerateVerifyMac)
	c.imports(imported, letters("A", 32))
	p := c.parametersFor(imported, types.AlgorithmSpecRsaesOaepSha256, types.WrappingKeySpecRsa2048)
	blob := must(c.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &shared, Plaintext: []byte("x")})).CiphertextBlob
	about := func(key string) string { return `{"KeyId": "` + key + `", ` }
	c.requests = []crowdRequest{
		{"CreateKey", `{}`, "", "KeyMetadata.Arn"},
		{"Encrypt", about(shared) + `"Plaintext": "eA=="}`, "", "CiphertextBlob"},
		{"Decrypt", `{"CiphertextBlob": "` + base64.StdEncoding.EncodeToString(blob) + `"}`, "", "Plaintext"},
		{"GenerateMac", about(hmac) + `"Message": "eA==", "MacAlgorithm": "HMAC_SHA_256"}`, "", "Mac"},
		{"GenerateDataKey", about(shared) + `"KeySpec": "AES_256"}`, "", "Plaintext"},
		{"DescribeKey", about(imported) + `"GrantTokens": []}`, "", "KeyMetadata.KeyState"},
		{"DisableKey", about(contested) + `"x": 0}`, "", ""},
		{"EnableKey", about(contested) + `"x": 0}`, "", ""},
		{"GenerateDataKeyWithoutPlaintext", about(contested) + `"NumberOfBytes": 8}`, "DisabledException", "CiphertextBlob"},
		{"CreateAlias", `{"AliasName": "alias/%d", "TargetKeyId": "` + shared + `"}`, "AlreadyExistsException", ""},
		{"RotateKeyOnDemand", about(shared) + `"x": 0}`, "", ""},
		{"ScheduleKeyDeletion", about(doomed) + `"PendingWindowInDays": 7}`, "KMSInvalidStateException", "DeletionDate"},
		{"UpdateKeyDescription", about(contested) + `"Description": "%d"}`, "", ""},
		{"TagResource", about(contested) + `"Tags": [{"TagKey": "%d", "TagValue": "x"}]}`, "", ""},
		{"ListKeys", `{"Limit": 3}`, "", "Truncated"},
	}
	c.requests = slices.Repeat(c.requests, 3) // imports take the KMS longest
	for _, letter := range []string{"B", "C", "D"} {
		c.requests = append(c.requests, crowdRequest{"ImportKeyMaterial", about(imported) +
			`"ImportToken": "` + base64.StdEncoding.EncodeToString(p.ImportToken) + `", "ImportType": "NEW_KEY_MATERIAL", "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE", ` +
			`"EncryptedKeyMaterial": "` + base64.StdEncoding.EncodeToString(wrapper(types.AlgorithmSpecRsaesOaepSha256)(p.PublicKey, letters(letter, 32))) + `"}`,
			"KMSInvalidStateException", "KeyMaterialId"})
	}
	c.rush(10_000)
	now = now.Add(mockkms.DefaultRotationTime)
	c.check(append(c.got["CreateKey KeyMetadata.Arn"], shared, contested, doomed, imported, hmac))
	c.checkKeys(shared, contested, imported)
}

// rush makes n requests at once.
func (c *crowd) rush(n int) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			c.ask(c.requests[i%len(c.requests)], i/len(c.requests)%20)
		})
	}
	close(start)
	all.Wait()
}

func (c *crowd) ask(r crowdRequest, n int) {
	a := c.send(r.operation, strings.ReplaceAll(r.body, "%d", fmt.Sprint(n)))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said[strings.TrimSpace(r.operation+" "+a.Type)]++
	switch {
	case a.Type == "" && r.keep != "":
		c.got[r.operation+" "+r.keep] = append(c.got[r.operation+" "+r.keep], member(a.members(c), r.keep))
	case a.Type == "" || a.Type == r.refusal:
	case r.operation == "ImportKeyMaterial" && a.Type == "IncorrectKeyMaterialException": // it is pending already
	default:
		c.Errorf("%s: %s", r.operation, a.body)
	}
}

// check demands what the answers must have been, and that exactly the keys
// that were answered are there.
func (c *crowd) check(keys []string) {
	c.Helper()
	for what, want := range map[string]int{"CreateAlias": 20, "ScheduleKeyDeletion": 1, "ImportKeyMaterial": 1} {
		if c.said[what] != want {
			c.Errorf("%s succeeded %d times, want %d", what, c.said[what], want)
		}
	}
	for what, want := range map[string]int{"Decrypt Plaintext": 1, "GenerateMac Mac": 1, "DescribeKey KeyMetadata.KeyState": 1,
		"CreateKey KeyMetadata.Arn": c.said["CreateKey"], "Encrypt CiphertextBlob": c.said["Encrypt"], "GenerateDataKey Plaintext": c.said["GenerateDataKey"]} {
		if got := len(slices.Compact(slices.Sorted(slices.Values(c.got[what])))); got != want || got == 0 {
			c.Errorf("%s: %d different answers, want %d", what, got, want)
		}
	}
	there := make(map[string]bool)
	for pages := kms.NewListKeysPaginator(c, nil); pages.HasMorePages(); {
		for _, k := range must(pages.NextPage(c.Context())).Keys {
			there[*k.KeyArn] = true
		}
	}
	if got, want := slices.Sorted(maps.Keys(there)), slices.Sorted(slices.Values(keys)); !slices.Equal(got, want) {
		c.Errorf("%d keys are listed, want %d", len(got), len(want))
	}
}

// checkKeys demands that the keys are whole: whatever was encrypted can be
// read, of the rotations and the imports that were asked for there was one,
// and the key that everybody changed can be used.
func (c *crowd) checkKeys(shared, contested, imported string) {
	c.Helper()
	must(c.EnableKey(c.Context(), &kms.EnableKeyInput{KeyId: &contested}))
	for _, blob := range slices.Concat(c.got["Encrypt CiphertextBlob"], c.got["GenerateDataKeyWithoutPlaintext CiphertextBlob"]) {
		if a := c.send("Decrypt", `{"CiphertextBlob": "`+blob+`"}`); a.Type != "" {
			c.Fatalf("a ciphertext from the crowd: %s", a.body)
		}
	}
	for key, want := range map[string][]types.KeyMaterialState{
		shared:   {types.KeyMaterialStateNonCurrent, types.KeyMaterialStateCurrent},
		imported: {types.KeyMaterialStateCurrent, types.KeyMaterialStatePendingRotation},
	} {
		var got []types.KeyMaterialState
		for _, m := range c.rotations(key) {
			got = append(got, m.KeyMaterialState)
		}
		if !slices.Equal(got, want) {
			c.Errorf("materials %v, want %v", got, want)
		}
	}
	if got := len(must(c.ListResourceTags(c.Context(), &kms.ListResourceTagsInput{KeyId: &contested})).Tags); got != 20 {
		c.Errorf("%d tags, want 20", got)
	}
	if got := len(must(c.ListAliases(c.Context(), &kms.ListAliasesInput{KeyId: &shared})).Aliases); got != 20 {
		c.Errorf("%d aliases, want 20", got)
	}
}
