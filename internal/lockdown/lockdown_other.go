// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package lockdown

import "runtime"

func enter() Report {
	why := "not known how on " + runtime.GOOS
	return Report{why, why, why}
}
