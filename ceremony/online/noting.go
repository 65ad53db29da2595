// SPDX-License-Identifier: Apache-2.0

package online

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/importer"
)

// noting notes the ID of the request that fetched: with it the trail of the
// account finds who it was.
type noting struct {
	importer.KMS
	requestID string
}

// GetParametersForImport is the KMS operation of that name.
func (n *noting) GetParametersForImport(ctx context.Context, in *kms.GetParametersForImportInput, options ...func(*kms.Options)) (*kms.GetParametersForImportOutput, error) {
	out, err := n.KMS.GetParametersForImport(ctx, in, options...)
	if err == nil {
		n.requestID, _ = middleware.GetRequestIDMetadata(out.ResultMetadata)
	}
	return out, err
}
