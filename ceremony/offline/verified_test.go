// SPDX-License-Identifier: Apache-2.0

package offline_test

import "github.com/keymat/keymat/ceremony/evidence"

// verified demands that a folder, or a medium that goes to the other machines,
// verifies, and that the records vouch for everything in it.
func (c *ceremony) verified(folder string) {
	c.t.Helper()
	v, err := evidence.Folder(folder).Verify()
	if err != nil {
		c.t.Fatal(err)
	}
	for _, problem := range v.Problems {
		c.t.Errorf("verifying: %v", problem)
	}
	for _, remark := range v.Remarks {
		c.t.Errorf("vouched for by nothing: %v", remark)
	}
}
