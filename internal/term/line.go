// SPDX-License-Identifier: Apache-2.0

package term

import (
	"fmt"
	"io"
	"unicode/utf8"
)

// MaxSecret is the greatest length of an answer, in bytes. There is no smaller
// limit from the terminal, whose own line editing stops at 1023 (macOS) or 4095
// (Linux) and drops the rest of a pasted line.
const MaxSecret = 8192

// The keys that edit a line.
const (
	ctrlC     = 0x03
	ctrlD     = 0x04
	backspace = 0x08
	ctrlU     = 0x15
	del       = 0x7f
)

// takeBack makes a terminal forget the character before the cursor.
const takeBack = "\b \b"

// readLine reads keys up to Enter and shows on echo what they make. The line
// never moves in memory, so the caller's clearing of it leaves no copies; on an
// error it is cleared here.
func readLine(keys io.Reader, echo io.Writer) ([]byte, error) {
	line := make([]byte, 0, MaxSecret)
	var key [1]byte
	defer clear(key[:])
	for {
		if _, err := io.ReadFull(keys, key[:]); err != nil {
			clear(line)
			return nil, err
		}
		switch k := key[0]; {
		case k == '\r', k == '\n':
			return line, nil
		case k == ctrlC:
			clear(line)
			return nil, ErrInterrupted
		case k == ctrlD && len(line) == 0:
			return nil, io.EOF
		case k == ctrlD:
			return line, nil
		case k == ctrlU:
			for len(line) > 0 {
				line = dropLast(line, echo)
			}
		case k == backspace, k == del:
			line = dropLast(line, echo)
		case len(line) == MaxSecret:
			clear(line)
			return nil, fmt.Errorf("the answer is longer than %d bytes", MaxSecret)
		default:
			line = append(line, k)
			if k >= ' ' {
				echo.Write(key[:])
			}
		}
	}
}

// dropLast takes back the last character, which may have several bytes.
func dropLast(line []byte, echo io.Writer) []byte {
	last, size := utf8.DecodeLastRune(line)
	if last >= ' ' && size > 0 {
		io.WriteString(echo, takeBack)
	}
	clear(line[len(line)-size:])
	return line[:len(line)-size]
}
