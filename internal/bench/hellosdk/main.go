// SPDX-License-Identifier: Apache-2.0

// Hellosdk is hello with the AWS SDK's KMS client linked in and not used.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

func main() {
	fmt.Println("hello, world")
	if len(os.Args) > 1 { // keeps the linker from leaving it out
		cfg, err := config.LoadDefaultConfig(context.Background())
		fmt.Println(kms.NewFromConfig(cfg), err)
	}
}
