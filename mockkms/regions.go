// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"slices"
	"strings"
)

// multiRegions are the Regions that can hold multi-Region keys, of the three
// partitions that the mock tells apart. (Endpoint table of the SDK, 2026.)
var multiRegions = []string{
	"af-south-1",
	"ap-east-1", "ap-east-2",
	"ap-northeast-1", "ap-northeast-2", "ap-northeast-3",
	"ap-south-1", "ap-south-2",
	"ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7",
	"ca-central-1", "ca-west-1",
	"cn-north-1", "cn-northwest-1",
	"eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3",
	"il-central-1",
	"me-central-1", "me-south-1",
	"mx-central-1",
	"sa-east-1",
	"us-east-1", "us-east-2", "us-west-1", "us-west-2",
	"us-gov-east-1", "us-gov-west-1",
}

// checkReplicaRegion refuses Regions that cannot hold a replica of k.
func (k *key) checkReplicaRegion(region string) error {
	switch {
	case region == k.Scope.Region:
		return validation("%s cannot have a replica because it contains the primary.", region)
	case !slices.Contains(multiRegions, region):
		return validation("Region %s is not a valid Region or multi-Region keys are not supported in Region %s.", region, region)
	case (scope{Region: region}).partition() != k.Scope.partition():
		return validation("The replica key Region must be in the same AWS partition as the primary key Region.")
	case slices.Contains(k.Replicas, region):
		return refuse("AlreadyExistsException", "You can create only one replica of each primary key in each AWS Region.")
	}
	return nil
}

// isRegionName judges by ^([a-z]+-){2,3}\d+$.
func isRegionName(s string) bool {
	words := strings.Split(s, "-")
	if len(words) < 3 || len(words) > 4 {
		return false
	}
	number := words[len(words)-1]
	for _, w := range words[:len(words)-1] {
		if w == "" || strings.Trim(w, "abcdefghijklmnopqrstuvwxyz") != "" {
			return false
		}
	}
	return number != "" && strings.Trim(number, "0123456789") == ""
}
