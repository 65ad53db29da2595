// SPDX-License-Identifier: Apache-2.0

package term

import (
	"context"
	"fmt"
	"io"
)

// Secret shows the prompt with a colon and reads a line without echo. What was
// typed before the prompt appeared is not part of the answer.
func (*Terminal) Secret(ctx context.Context, prompt string) ([]byte, error) {
	t, err := openTTY(ctx, prompt)
	if err != nil {
		return nil, err
	}
	defer t.end()
	fmt.Fprintf(t, "%s: ", Printable(prompt))
	secret, err := readLine(t, io.Discard)
	fmt.Fprintln(t)
	return secret, err
}
