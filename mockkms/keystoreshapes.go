// SPDX-License-Identifier: Apache-2.0

package mockkms

import "strings"

// The expressions of the model that are more than one set of characters all
// belong to custom key stores.
var (
	clusterClass = class{expr: `cluster-[2-7a-zA-Z]{11,16}`, whole: func(s string) bool {
		id, ok := strings.CutPrefix(s, "cluster-")
		return ok && len(id) >= 11 && len(id) <= 16 && only(id, func(r rune) bool { return alphanumeric(r) && !strings.ContainsRune("0189", r) })
	}}
	endpointClass = class{expr: `^https://[a-zA-Z0-9.-]+$`, whole: func(s string) bool {
		host, ok := strings.CutPrefix(s, "https://")
		return ok && host != "" && only(host, letters(".-"))
	}}
	xksPathClass = class{expr: `^(/[a-zA-Z0-9\/_-]+/kms/xks/v\d{1,2})$|^(/kms/xks/v\d{1,2})$`, whole: func(s string) bool {
		i := strings.LastIndex(s, "/kms/xks/v")
		if i < 0 || i == 1 {
			return false
		}
		prefix, version := s[:i], s[i+len("/kms/xks/v"):]
		return (prefix == "" || prefix[0] == '/' && only(prefix, letters("/_-"))) && len(version) <= 2 && isDigits(version)
	}}
	vpcServiceClass = class{expr: `^(com|eu)\.amazonaws\.vpce\.([a-z]+-){2,3}\d+\.vpce-svc-[0-9a-z]+$`, whole: func(s string) bool {
		parts := strings.Split(s, ".")
		if len(parts) != 5 || parts[0] != "com" && parts[0] != "eu" || parts[1] != "amazonaws" || parts[2] != "vpce" {
			return false
		}
		id, ok := strings.CutPrefix(parts[4], "vpce-svc-")
		return ok && id != "" && strings.ToLower(id) == id && only(id, alphanumeric) && isRegionName(parts[3])
	}}
)

func only(s string, allow func(rune) bool) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !allow(r) }) < 0
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
