// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"

	"github.com/keymat/keymat/mockkms"
)

// The members an empty request lacks are the ones the SDK would not send a
// request without.
func TestRequiredMembersAreTheSDKs(t *testing.T) {
	s := newSession(t)
	missing := regexp.MustCompile(`Value null at '(\w+)'`)
	for _, operation := range mockkms.OperationNames() {
		var got []string
		for _, m := range missing.FindAllStringSubmatch(send(t, s.mock, operation, `{}`).message(), -1) {
			got = append(got, strings.ToUpper(m[1][:1])+m[1][1:])
		}
		want := requiredBySDK(t, s.Client, operation)
		if operation == "Decrypt" || operation == "ReEncrypt" {
			want = append(want, "CiphertextBlob") // but for a dry run without
			if operation == "ReEncrypt" {
				got = append(got, "CiphertextBlob") // told after the model's own
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s requires %v, want %v", operation, got, want)
		}
	}
}

func requiredBySDK(t *testing.T, client *kms.Client, operation string) (names []string) {
	t.Helper()
	method := reflect.ValueOf(client).MethodByName(operation)
	in := reflect.New(method.Type().In(1).Elem())
	err, _ := method.Call([]reflect.Value{reflect.ValueOf(t.Context()), in})[1].Interface().(error)
	var invalid smithy.InvalidParamsError
	if errors.As(err, &invalid) {
		for _, e := range invalid.Errs() {
			if p, ok := e.(smithy.InvalidParamError); ok {
				names = append(names, p.Field()[strings.LastIndex(p.Field(), ".")+1:])
			}
		}
	}
	return names
}
