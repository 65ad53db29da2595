// SPDX-License-Identifier: Apache-2.0

//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package term

import "golang.org/x/sys/unix"

const (
	ioctlGetMode      = unix.TIOCGETA
	ioctlSetModeFlush = unix.TIOCSETAF
)
