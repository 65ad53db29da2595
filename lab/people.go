// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	_ "embed"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/internal/experiment"
)

// People are the users of the account in which lesson key-policy is played: a
// file for keymat mock serve --principals. Their access key IDs are their names
// in capitals, and they have no secrets.
//
//go:embed people.json
var People []byte

// Owner is the access key ID of the one who makes the keys there, and cleans
// up.
const Owner = "KEYADMIN"

// askAs makes a call with the access key of somebody else.
func askAs[In, Out any](r *Run, who, what string, want experiment.Answer, call func(context.Context, *In, ...func(*kms.Options)) (*Out, error), in *In) *Out {
	as := func(ctx context.Context, in *In, more ...func(*kms.Options)) (*Out, error) {
		return call(ctx, in, append(more, func(o *kms.Options) {
			o.Credentials = aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(who, "checked by nobody", ""))
		})...)
	}
	return experiment.Do(r.Trial, what, want, as, in)
}
