// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

// One operation over the handler alone, without a network; on the file store
// every answered write is on disk.
func BenchmarkOperations(b *testing.B) {
	memory := mockkms.New(mockkms.WithSharedWrappingKeys())
	file := mockkms.New(mockkms.WithSharedWrappingKeys(), mockkms.WithStore(must(mockkms.OpenStore(filepath.Join(b.TempDir(), "state")))))
	defer file.Close()
	for name, mock := range map[string]*mockkms.KMS{"memory": memory, "file": file} {
		key := *must(newClient(mock).CreateKey(b.Context(), nil)).KeyMetadata.KeyId
		external := *must(newClient(mock).CreateKey(b.Context(), externalKey)).KeyMetadata.KeyId
		for operation, members := range map[string]string{
			"DescribeKey":            `"KeyId": "` + key + `"`,
			"Encrypt":                `"KeyId": "` + key + `", "Plaintext": "eA=="`,
			"CreateKey":              ``,
			"GetParametersForImport": `"KeyId": "` + external + `", "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"`,
		} {
			b.Run(name+"/"+operation, func(b *testing.B) {
				b.SetParallelism(32)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if got := send(b, mock, operation, "{"+members+"}"); got.status != 200 {
							b.Error(got.body)
						}
					}
				})
			})
		}
	}
}

var externalKey = &kms.CreateKeyInput{Origin: types.OriginTypeExternal}
