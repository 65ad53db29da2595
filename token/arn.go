// SPDX-License-Identifier: Apache-2.0

package token

import (
	"errors"
	"regexp"
	"strings"
)

// keyARNPattern is the ARN of a KMS key in any partition (AWS, GovCloud, China, the isolated ones). Aliases are no
// keys: the import operations refuse them.
const keyARNPattern = `arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+`

func checkKeyARN(arn string) error {
	if regexp.MustCompile(`^` + keyARNPattern + `$`).MatchString(arn) {
		return nil
	}
	switch {
	case arn == "":
		return errors.New("missing")
	case strings.Contains(arn, ":alias/") || strings.HasPrefix(arn, "alias/"):
		return errors.New("an alias, want the ARN of the key")
	}
	return errors.New("not the ARN of a KMS key")
}

// keyID is the part of a key ARN after "key/".
func keyID(arn string) string {
	_, id, _ := strings.Cut(arn, ":key/")
	return id
}
