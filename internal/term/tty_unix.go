// SPDX-License-Identifier: Apache-2.0

//go:build unix

package term

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// console names the controlling terminal of the process.
const console = "/dev/tty"

// openConsole opens the terminal, blocking: readSoon relies on the terminal's
// own timer, which a descriptor watched by the runtime poller would not use.
func openConsole() (in, out *os.File, err error) {
	fd, err := unix.Open(console, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("opening %s: %w", console, err)
	}
	f := os.NewFile(uintptr(fd), console)
	return f, f, nil
}

// setMode turns echo, line editing and signals off and gives reads a time limit
// of 0.1 s. Output keeps turning newlines into new lines. Both changes throw
// away what was typed before them (the F in TCSETSF, TIOCSETAF; TCSAFLUSH in
// POSIX).
func setMode(in, _ *os.File) (restore func(), err error) {
	fd := int(in.Fd())
	former, err := unix.IoctlGetTermios(fd, ioctlGetMode)
	if err != nil {
		return nil, err
	}
	mode := *former
	mode.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	mode.Iflag &^= unix.ICRNL | unix.INLCR | unix.IGNCR | unix.IXON | unix.ISTRIP
	mode.Cc[unix.VMIN], mode.Cc[unix.VTIME] = 0, 1
	if err := unix.IoctlSetTermios(fd, ioctlSetModeFlush, &mode); err != nil {
		return nil, err
	}
	return func() { unix.IoctlSetTermios(fd, ioctlSetModeFlush, former) }, nil
}

// readSoon returns what has been typed, or nothing if that stays so for 0.1 s.
// A terminal that went away may also read as nothing, so it is asked for its
// mode.
func readSoon(in *os.File, p []byte) (int, error) {
	fd := int(in.Fd())
	n, err := unix.Read(fd, p)
	switch {
	case n > 0:
		return n, nil
	case errors.Is(err, unix.EINTR):
		return 0, nil
	case errors.Is(err, unix.EIO): // hung up while waiting
		return 0, io.ErrUnexpectedEOF
	case err != nil:
		return 0, fmt.Errorf("reading %s: %w", console, err)
	}
	if _, err := unix.IoctlGetTermios(fd, ioctlGetMode); err != nil {
		return 0, io.ErrUnexpectedEOF
	}
	return 0, nil
}
