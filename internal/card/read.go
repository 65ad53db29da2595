// SPDX-License-Identifier: Apache-2.0

package card

import (
	"bytes"

	"github.com/keymat/keymat/internal/lazyregexp"
)

// Is reports whether data is a page that Write or WritePDF made, and so holds a share.
func Is(data []byte) bool {
	if isPDF(data) {
		return bytes.Contains(data, []byte(shareBegins+"\n"))
	}
	return bytes.HasPrefix(bytes.TrimSpace(data), []byte("<!")) && bytes.Contains(data, []byte("<h2>The share</h2>"))
}

func isPDF(data []byte) bool { return bytes.HasPrefix(data, []byte("%PDF-")) }

var (
	wordItem  = lazyregexp.New(`<li class="id"><b>([a-z]+)</b>([a-z]*)</li>`)
	groupLine = lazyregexp.New(`<h2>The share</h2>\n<p class="id"[^>]*>([0-9a-z ]+)</p>`)
	shownText = lazyregexp.New(`\(([0-9a-z]+)\) ?Tj`)
)

// Text gives the share of a card back as a person would read it from there:
// words with spaces between, or one string with gaps. It is empty if the page
// shows none. The caller clears it; pages are secret as they stand.
func Text(page []byte) []byte {
	if isPDF(page) {
		return pdfText(page)
	}
	if line := groupLine().FindSubmatch(page); line != nil {
		return bytes.Clone(line[1])
	}
	text := make([]byte, 0, len(page)) // as long as it may get, so that growing leaves no copy behind
	for _, word := range wordItem().FindAllSubmatch(page, -1) {
		text = append(append(append(text, word[1]...), word[2]...), ' ')
	}
	return bytes.TrimSuffix(text, []byte(" "))
}

// pdfText reads what is drawn between the comments about the share.
func pdfText(page []byte) []byte {
	_, after, _ := bytes.Cut(page, []byte(shareBegins+"\n"))
	share, _, ended := bytes.Cut(after, []byte(shareEnds+"\n"))
	if !ended {
		return nil
	}
	text := make([]byte, 0, len(share))
	for _, shown := range shownText().FindAllSubmatch(share, -1) {
		text = append(append(text, shown[1]...), ' ')
	}
	return bytes.TrimSuffix(text, []byte(" "))
}
