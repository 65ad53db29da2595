// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// TestGoSDK calls every operation that the SDK has: the mock knows them all and
// answers in the SDK's types, with an output or a refusal of the service.
func TestGoSDK(t *testing.T) {
	t.Parallel()
	d := newAccount(t)
	client := d.client()
	operations := sdkOperations(client)
	for _, name := range slices.Sorted(maps.Keys(operations)) {
		t.Run(name, func(t *testing.T) {
			if !d.knownOnTheWire(name) {
				t.Fatal("the mock does not know it")
			}
			output, err := operations[name](t.Context(), d.at(t).someKeyFor(name))
			checkAnswer(t, output, err)
		})
	}
}

// checkAnswer demands an output, or an error that the service has.
func checkAnswer(t *testing.T, output any, err error) {
	t.Helper()
	if refused := smithy.APIError(nil); errors.As(err, &refused) {
		unmodelled := []string{"ValidationException", "AccessDeniedException"}
		general := new(smithy.GenericAPIError)
		if refused.ErrorFault() == smithy.FaultServer || errors.As(err, &general) && !slices.Contains(unmodelled, refused.ErrorCode()) {
			t.Errorf("got %v (%T), want an exception of KMS's", err, refused)
		}
		t.Log(err)
		return
	}
	if err != nil {
		t.Errorf("no answer: %v", err)
		return
	}
	if reflect.ValueOf(output).IsNil() {
		t.Error("got neither output nor error")
	}
}

// An sdkCall calls one operation on a key, with the rest of its required
// members filled with something of the right type.
type sdkCall func(ctx context.Context, key string) (output any, err error)

// sdkOperations finds the operations among the methods of the client.
func sdkOperations(client *kms.Client) map[string]sdkCall {
	found := make(map[string]sdkCall)
	v := reflect.ValueOf(client)
	for i := range v.NumMethod() {
		method, name := v.Method(i), v.Type().Method(i).Name
		m := method.Type()
		if m.NumIn() != 3 || m.NumOut() != 2 || m.In(1) != inputType(m, name) {
			continue // Options
		}
		found[name] = func(ctx context.Context, key string) (any, error) {
			input := reflect.New(m.In(1).Elem())
			fill(input.Elem(), key)
			out := method.Call([]reflect.Value{reflect.ValueOf(ctx), input})
			err, _ := out[1].Interface().(error)
			return out[0].Interface(), err
		}
	}
	return found
}

// inputType is the type of an operation's second parameter, if it is one.
func inputType(method reflect.Type, name string) reflect.Type {
	if in := method.In(1); in.Kind() == reflect.Pointer && in.Elem().Name() == name+"Input" {
		return in
	}
	return nil
}

// fill gives the members of an input what the service's model takes: the key,
// what the table below has, zeros, and of each enum the first value.
func fill(input reflect.Value, key string) {
	for i := range input.NumField() {
		field, name := input.Field(i), input.Type().Field(i).Name
		value, given := members[input.Type().Name()+"."+name]
		if !given {
			value, given = members[name]
		}
		switch {
		case value != nil:
			field.Set(reflect.ValueOf(value))
		case given || !field.CanSet():
		case strings.HasSuffix(name, "KeyId"):
			field.Set(reflect.ValueOf(&key))
		case field.Type() == reflect.TypeFor[[]byte]():
			field.SetBytes(make([]byte, 32))
		case field.Kind() == reflect.String:
			field.SetString(field.MethodByName("Values").Call(nil)[0].Index(0).String())
		}
	}
}

// members are the values of input members by their names; nil leaves one out.
var members = map[string]any{
	"CustomerMasterKeySpec":                nil, // the old name of KeySpec
	"XksKeyId":                             nil,
	"ExpirationModel":                      types.ExpirationModelTypeKeyMaterialDoesNotExpire,
	"WrappingAlgorithm":                    types.AlgorithmSpecRsaesOaepSha256,
	"AliasName":                            aws.String("alias/sdk"),
	"Description":                          aws.String("of the SDK"),
	"PolicyName":                           aws.String("default"),
	"PutKeyPolicyInput.Policy":             aws.String(`{"Statement": []}`),
	"Tags":                                 []types.Tag{{TagKey: aws.String("key"), TagValue: aws.String("value")}},
	"TagKeys":                              []string{"key"},
	"GenerateRandomInput.NumberOfBytes":    aws.Int32(32),
	"ReplicaRegion":                        aws.String("us-west-2"),
	"PrimaryRegion":                        aws.String("us-west-2"),
	"GranteePrincipal":                     aws.String("arn:aws:iam::111122223333:root"),
	"RetiringPrincipal":                    aws.String("arn:aws:iam::111122223333:root"),
	"GrantId":                              aws.String(strings.Repeat("0", 64)),
	"CustomKeyStoreName":                   aws.String("store"),
	"CustomKeyStoreId":                     aws.String("cks-1234567890abcdef0"),
	"CreateKeyInput.CustomKeyStoreId":      nil,
	"GenerateRandomInput.CustomKeyStoreId": nil,
	"DescribeCustomKeyStoresInput.CustomKeyStoreName": nil,
	"Operations": []types.GrantOperation{types.GrantOperationEncrypt},
}

// keysOfUse are the keys for operations that want a particular one: with the
// first algorithm that the SDK lists.
var keysOfUse = []struct {
	operations []string
	key        kms.CreateKeyInput
}{
	{[]string{"Sign", "Verify", "GetPublicKey"}, kms.CreateKeyInput{KeySpec: types.KeySpecRsa2048, KeyUsage: types.KeyUsageTypeSignVerify}},
	{[]string{"GenerateMac", "VerifyMac"}, kms.CreateKeyInput{KeySpec: types.KeySpecHmac224, KeyUsage: types.KeyUsageTypeGenerateVerifyMac}},
	{[]string{"DeriveSharedSecret"}, kms.CreateKeyInput{KeySpec: types.KeySpecEccNistP256, KeyUsage: types.KeyUsageTypeKeyAgreement}},
	{[]string{"Encapsulate", "Decapsulate"}, kms.CreateKeyInput{KeySpec: types.KeySpecMlKem512, KeyUsage: types.KeyUsageTypeEncapsulateDecapsulate}},
	{[]string{"ReplicateKey", "UpdatePrimaryRegion"}, kms.CreateKeyInput{MultiRegion: aws.Bool(true)}},
	{[]string{"GetParametersForImport", "ImportKeyMaterial", "DeleteImportedKeyMaterial"}, kms.CreateKeyInput{Origin: types.OriginTypeExternal}},
}

// someKeyFor makes a key that suits the operation.
func (d *desk) someKeyFor(operation string) (arn string) {
	d.t.Helper()
	var input kms.CreateKeyInput
	for _, k := range keysOfUse {
		if slices.Contains(k.operations, operation) {
			input = k.key
		}
	}
	out, err := d.client().CreateKey(d.t.Context(), &input)
	if err != nil {
		d.t.Fatal(err)
	}
	return *out.KeyMetadata.Arn
}

// client is the SDK's, which asks once, and sends also what it knows to be
// incomplete.
func (d *desk) client() *kms.Client {
	return kms.New(kms.Options{
		Region:       "us-east-1",
		BaseEndpoint: &d.url,
		Credentials:  credentials.NewStaticCredentialsProvider(d.account, "mock", ""),
		Retryer:      aws.NopRetryer{},
		APIOptions: []func(*middleware.Stack) error{func(s *middleware.Stack) error {
			s.Initialize.Remove("OperationInputValidation") // no error: operations without required members have none
			return nil
		}},
	})
}

// knownOnTheWire asks for an operation without the SDK.
func (d *desk) knownOnTheWire(operation string) bool {
	d.t.Helper()
	request, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.url, strings.NewReader("{}"))
	if err != nil {
		d.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "TrentService."+operation)
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+d.account+"/20260912/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return !strings.Contains(string(body), "UnknownOperationException")
}
