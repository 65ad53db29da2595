// SPDX-License-Identifier: Apache-2.0

package term

import "golang.org/x/sys/unix"

const (
	ioctlGetMode      = unix.TCGETS
	ioctlSetModeFlush = unix.TCSETSF
)
