// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"github.com/keymat/keymat/mockkms"
)

// A test needs no more than this to have a KMS: the SDK's own client, at the
// bottom of which the mock answers, without a socket.
func Example() {
	client := kms.New(kms.Options{
		Region:      "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("mock", "mock", ""),
		HTTPClient:  &http.Client{Transport: mockkms.Transport(mockkms.New())},
	})
	ctx := context.Background()
	key, err := client.CreateKey(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	sealed, err := client.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyMetadata.KeyId, Plaintext: []byte("hello")})
	if err != nil {
		log.Fatal(err)
	}
	opened, err := client.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, %s\n", opened.Plaintext, key.KeyMetadata.KeyState)
	// Output: hello, Enabled
}

// exampleClient is the client that the other examples use.
func exampleClient(mock *mockkms.KMS) *kms.Client {
	return kms.New(kms.Options{
		Region:      "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("mock", "mock", ""),
		HTTPClient:  &http.Client{Transport: mockkms.Transport(mock)},
		Retryer:     aws.NopRetryer{},
	})
}

// Over a socket, for clients of any language: Server also answers /healthz,
// and lets programs on the same machine move the clock.
func ExampleKMS_Server() {
	mock := mockkms.New()
	server := httptest.NewServer(mock.Server())
	defer server.Close()
	answer, err := http.Get(server.URL + "/healthz")
	if err != nil {
		log.Fatal(err)
	}
	answer.Body.Close()
	fmt.Println(answer.Status)

	remote := mockkms.NewRemote(server.URL, nil)
	clock, err := remote.MoveClock(context.Background(), mockkms.ClockMove{Set: time.Date(2031, 1, 31, 0, 0, 0, 0, time.UTC), Freeze: true})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(clock.Time.Format(time.RFC3339))
	// Output:
	// 200 OK
	// 2031-01-31T00:00:00Z
}

// A key that waits to be deleted goes at its date; nobody has to wait for it.
func ExampleKMS_MoveClock() {
	mock := mockkms.New()
	client := exampleClient(mock)
	ctx := context.Background()
	key, err := client.CreateKey(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	id := key.KeyMetadata.KeyId
	if _, err := client.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: id, PendingWindowInDays: aws.Int32(7)}); err != nil {
		log.Fatal(err)
	}
	if _, err := mock.MoveClock(mockkms.ClockMove{Advance: 7 * 24 * time.Hour}); err != nil {
		log.Fatal(err)
	}
	_, err = client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: id})
	fmt.Println(code(err))
	// Output: NotFoundException
}

// code is the error code that KMS answered.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

// The second call is throttled, and the third finds its connection broken
// after the key was made.
func ExampleKMS_Inject() {
	mock := mockkms.New()
	mock.Inject(mockkms.Fault{Operation: "CreateKey", Kind: mockkms.FaultThrottle, Skip: 1})
	mock.Inject(mockkms.Fault{Operation: "CreateKey", Kind: mockkms.FaultDropAfter})
	client := exampleClient(mock)
	ctx := context.Background()
	for range 3 {
		_, err := client.CreateKey(ctx, nil)
		var api smithy.APIError
		switch {
		case err == nil:
			fmt.Println("made")
		case errors.As(err, &api):
			fmt.Println(api.ErrorCode())
		default:
			fmt.Println("no answer")
		}
	}
	keys, err := client.ListKeys(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(keys.Keys), "keys")
	// Output:
	// made
	// ThrottlingException
	// no answer
	// 2 keys
}

// What was called, as CloudTrail would tell it.
func ExampleKMS_Events() {
	mock := mockkms.New()
	client := exampleClient(mock)
	ctx := context.Background()
	key, err := client.CreateKey(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.Encrypt(ctx, &kms.EncryptInput{
		KeyId: key.KeyMetadata.Arn, Plaintext: []byte("never told"), EncryptionContext: map[string]string{"tenant": "a"},
	}); err != nil {
		log.Fatal(err)
	}
	page, err := mock.Events(mockkms.EventQuery{Key: *key.KeyMetadata.Arn})
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range page.Events {
		fmt.Println(e.EventName, e.ReadOnly, e.RequestParameters["encryptionContext"])
	}
	// Output:
	// CreateKey false <nil>
	// Encrypt true map[tenant:a]
}

// Code that creates keys in bulk has to live with five a second.
func ExampleWithQuotas() {
	mock := mockkms.New(mockkms.WithQuotas(nil), mockkms.WithClock(func() time.Time { return time.Date(2031, 1, 31, 0, 0, 0, 0, time.UTC) }))
	client := exampleClient(mock)
	made := 0
	for range 10 {
		if _, err := client.CreateKey(context.Background(), nil); err == nil {
			made++
		}
	}
	fmt.Println(made)
	// Output: 5
}

// A key that was just made is not to be found for a while, as may happen with KMS.
func ExampleWithLag() {
	mock := mockkms.New(mockkms.WithLag(time.Hour))
	client := exampleClient(mock)
	ctx := context.Background()
	key, err := client.CreateKey(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyMetadata.KeyId})
	fmt.Println(code(err))
	// Output: NotFoundException
}

// Requests must be signed with an access key that the mock knows.
func ExampleWithCredentials() {
	mock := mockkms.New(mockkms.WithCredentials(mockkms.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "secret", Account: "444455556666"}))
	ctx := context.Background()
	_, err := exampleClient(mock).ListKeys(ctx, nil)
	fmt.Println(code(err))
	client := kms.New(exampleClient(mock).Options(), func(o *kms.Options) {
		o.Credentials = credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "secret", "")
	})
	key, err := client.CreateKey(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(*key.KeyMetadata.AWSAccountId)
	// Output:
	// UnrecognizedClientException
	// 444455556666
}

// State in a file outlives the process, and several processes can share it.
func ExampleOpenStore() {
	store, err := mockkms.OpenStore("/path/to/kms.db")
	if err != nil {
		log.Fatal(err)
	}
	mock := mockkms.New(mockkms.WithStore(store))
	defer mock.Close()
	log.Fatal(http.ListenAndServe("127.0.0.1:4599", mock.Server()))
}

// With principals, policies are enforced: here an importer may bring material
// that expires, and nothing else.
func ExampleWithPrincipals() {
	ctx := context.Background()
	principals, err := mockkms.NewPrincipals(
		mockkms.Principal{ARN: "arn:aws:iam::111122223333:root", Credentials: mockkms.Credentials{AccessKeyID: "ROOT"}},
		mockkms.Principal{ARN: "arn:aws:iam::111122223333:user/importer", Credentials: mockkms.Credentials{AccessKeyID: "IMPORTER"}, Policies: []string{`{
			"Version": "2012-10-17",
			"Statement": {
				"Effect": "Allow", "Action": "kms:ImportKeyMaterial", "Resource": "*",
				"Condition": {"StringEquals": {"kms:ExpirationModel": "KEY_MATERIAL_EXPIRES"}}
			}}`}},
	)
	if err != nil {
		log.Fatal(err)
	}
	mock := mockkms.New(mockkms.WithPrincipals(principals))
	defer mock.Close()

	key, err := newClientIn(mock, "ROOT", region).CreateKey(ctx, &kms.CreateKeyInput{Origin: types.OriginTypeExternal})
	if err != nil {
		log.Fatal(err)
	}
	_, err = newClientIn(mock, "IMPORTER", region).Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyMetadata.KeyId, Plaintext: []byte("x")})
	var denied smithy.APIError
	if errors.As(err, &denied) {
		fmt.Println(denied.ErrorCode(), strings.HasSuffix(denied.ErrorMessage(), "because no identity-based policy allows the kms:Encrypt action"))
	}
	// Output: AccessDeniedException true
}
