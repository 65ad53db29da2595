// SPDX-License-Identifier: Apache-2.0

package mockkms

import "strings"

// checkPrincipal refuses what cannot be a principal of IAM or STS by its
// spelling. A unique ID is what KMS shows of a principal that was
// deleted; given back to KMS it leads to nobody, which each operation says in
// its own words (recorded). "" passes.
func (s scope) checkPrincipal(p string, nobody *apiError) error {
	if p == "" || isServicePrincipal(p) {
		return nil
	}
	if isUniqueID(p) {
		return nobody
	}
	parts := strings.SplitN(p, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[1] != s.partition() || parts[3] != "" || !isAccount(parts[4]) {
		return invalidPrincipal(p)
	}
	kind, name, _ := strings.Cut(parts[5], "/")
	switch parts[2] + " " + kind {
	case "iam root":
		if name == "" {
			return nil
		}
	case "iam user", "iam role":
		if name != "" && !strings.HasSuffix(name, "/") {
			return nil
		}
	case "iam group": // exists, but cannot act
		return invalidARN("ARN does not refer to a valid principal: %s", p)
	case "sts assumed-role":
		// Without the role's path (recorded).
		role, session, ok := strings.Cut(name, "/")
		if ok && role != "" && session != "" && !strings.Contains(session, "/") {
			return nil
		}
	case "sts federated-user":
		if name != "" && !strings.Contains(name, "/") {
			return nil
		}
	}
	return invalidPrincipal(p)
}

func invalidPrincipal(p string) error { return invalidARN("ARN is not valid: %s", p) }

// isUniqueID reports whether p is spelt as IAM's unique IDs of users and roles,
// AIDA… and AROA…, the latter perhaps with a session.
func isUniqueID(p string) bool {
	id, _, _ := strings.Cut(p, ":")
	return len(id) >= 16 && (strings.HasPrefix(id, "AROA") || strings.HasPrefix(id, "AIDA")) &&
		strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// isServicePrincipal reports whether p is spelt as an AWS service's principal.
func isServicePrincipal(p string) bool {
	name, ok := strings.CutSuffix(strings.TrimSuffix(p, ".cn"), ".amazonaws.com")
	return ok && name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") == ""
}
