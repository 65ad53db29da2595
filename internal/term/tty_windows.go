// SPDX-License-Identifier: Apache-2.0

package term

import (
	"fmt"
	"os"

	"golang.org/x/sys/windows"
	xterm "golang.org/x/term"
)

// readWait is how long readSoon waits for a key, in milliseconds.
const readWait = 100

// openConsole opens the two halves of the console, whatever the standard
// handles are.
func openConsole() (in, out *os.File, err error) {
	in, err = os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the console: %w", err)
	}
	out, err = os.OpenFile("CONOUT$", os.O_RDWR, 0)
	if err != nil {
		in.Close()
		return nil, nil, fmt.Errorf("opening the console: %w", err)
	}
	return in, out, nil
}

// setMode turns echo, line editing and Ctrl-C events off, makes the console
// understand escape sequences, and throws away what was typed before.
func setMode(in, out *os.File) (restore func(), err error) {
	input, output := windows.Handle(in.Fd()), windows.Handle(out.Fd())
	var screen uint32
	if err := windows.GetConsoleMode(output, &screen); err != nil {
		return nil, err
	}
	former, err := xterm.MakeRaw(int(input))
	if err != nil {
		return nil, err
	}
	windows.FlushConsoleInputBuffer(input)
	windows.SetConsoleMode(output, screen|windows.ENABLE_PROCESSED_OUTPUT|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING)
	return func() {
		windows.FlushConsoleInputBuffer(input)
		windows.SetConsoleMode(output, screen)
		xterm.Restore(int(input), former)
	}, nil
}

// readSoon returns what has been typed, or nothing if that stays so for 0.1 s.
// Letting go of a key also counts as an event here, but not for Read, which then
// waits for the next one: only giving up a question may be late for that.
func readSoon(in *os.File, p []byte) (int, error) {
	event, err := windows.WaitForSingleObject(windows.Handle(in.Fd()), readWait)
	if err != nil {
		return 0, fmt.Errorf("waiting for the console: %w", err)
	}
	if event != windows.WAIT_OBJECT_0 {
		return 0, nil
	}
	return in.Read(p)
}
