// SPDX-License-Identifier: Apache-2.0

package files

import "os"

// claim and removeStale have nothing to do: a file is closed here before it gets
// its name, so nothing tells one that is about to from one that never will.
func claim(*os.File) {}

func removeStale(string) {}
