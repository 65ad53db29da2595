// SPDX-License-Identifier: Apache-2.0

package entry

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/escrow/slip39"
)

// Share asks for one share of a scheme: word by word, of which four letters are
// enough, or at once as a scanner of QR codes types it. "-" takes the last word
// back. Enter alone instead of the first word, or Ctrl-D anywhere, is io.EOF.
// Other errors: [*escrow.ShareError], and the prompter's.
func (d Desk) Share(ctx context.Context, which string, scheme escrow.Scheme) (escrow.Share, error) {
	if scheme == escrow.Shamir {
		text, err := d.Prompter.Secret(ctx, which)
		defer clear(text)
		if err != nil {
			return escrow.Share{}, err
		}
		if len(bytes.TrimSpace(text)) == 0 {
			return escrow.Share{}, io.EOF
		}
		return escrow.ParseShare(text)
	}
	return d.words(ctx, which)
}

func (d Desk) words(ctx context.Context, which string) (escrow.Share, error) {
	mnemonic := make([]byte, 0, escrow.MaxShareText)
	defer func() { clear(mnemonic[:cap(mnemonic)]) }()
	ends := []int{0} // of the words so far
	for len(ends) <= slip39.Words256 {
		answer, err := d.Prompter.Secret(ctx, fmt.Sprintf("%s, word %d of %d", which, len(ends), slip39.Words256))
		if err != nil {
			return escrow.Share{}, err
		}
		entry := bytes.TrimSpace(answer)
		word, ok := slip39.Complete(entry)
		switch {
		case bytes.ContainsRune(entry, ' '):
			defer clear(answer)
			return escrow.ParseShare(entry)
		case ok:
			mnemonic = append(append(mnemonic, word...), ' ')
			ends = append(ends, len(mnemonic))
		case string(entry) == "-" && len(ends) > 1:
			ends = ends[:len(ends)-1]
			mnemonic = mnemonic[:ends[len(ends)-1]]
		case len(entry) == 0 && len(ends) == 1:
			return escrow.Share{}, io.EOF
		default:
			d.Warn("no word of the list begins like that, or less than %d letters were typed; - takes the last word back", slip39.PrefixLength)
		}
		clear(answer)
	}
	return escrow.ParseShare(mnemonic)
}

// Layout lays a share out to be copied by hand: words in numbered lines of
// three, other shares as they are. The caller clears it.
func Layout(s escrow.Share) (lines []byte) {
	s.Text().Expose(func(text []byte) error {
		words := bytes.Fields(text)
		if len(words) == 1 {
			lines = bytes.Clone(text)
			return nil
		}
		for i, w := range words {
			lines = fmt.Appendf(lines, "%3d %-10s", i+1, w)
			if i%3 == 2 {
				lines = append(lines, '\n')
			}
		}
		return nil
	})
	return lines
}
