// SPDX-License-Identifier: Apache-2.0

package term

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// The alternate screen has no scrollback of its own. Some terminals keep what
// was on it nevertheless, so it is wiped before it is left, and the scrollback
// as well (3J, which xterm brought up).
const (
	enterScreen = "\x1b[?1049h\x1b[2J\x1b[H"
	leaveScreen = "\x1b[2J\x1b[3J\x1b[H\x1b[?1049l"
)

// Show shows title and secret on a screen of its own. Nothing can be done here
// about terminals that write a log, cameras, and people behind one's back.
func (t *Terminal) Show(ctx context.Context, title string, secret []byte) error {
	if t.dumb {
		return &NoTerminalError{What: title, Err: errors.New("this terminal cannot wipe its screen")}
	}
	tty, err := openTTY(ctx, title)
	if err != nil {
		return err
	}
	defer tty.end()
	defer io.WriteString(tty, leaveScreen)
	fmt.Fprintf(tty, "%s%s\n\n", enterScreen, Printable(title))
	tty.Write(secret)
	io.WriteString(tty, "\n\nPress Enter to wipe the screen: ")
	_, err = readLine(tty, io.Discard)
	return err
}
