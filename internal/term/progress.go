// SPDX-License-Identifier: Apache-2.0

package term

import (
	"fmt"
	"io"
	"sync"
)

// eraseLine returns to the first column and erases what is there.
const eraseLine = "\r\x1b[K"

// Progress says what long work is doing: on a terminal in one line that
// changes, elsewhere in a line for each change. It may be used from several
// goroutines; a nil *Progress says nothing.
type Progress struct {
	w    io.Writer
	live bool

	mu   sync.Mutex
	text string // last shown
}

// NewProgress returns a Progress that writes to w, which is a terminal that
// understands escape sequences if live.
func NewProgress(w io.Writer, live bool) *Progress {
	return &Progress{w: w, live: live}
}

// Update shows text in place of the last one. Saying the same again shows
// nothing.
func (p *Progress) Update(text string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if text == p.text {
		return
	}
	p.text = text
	if p.live {
		fmt.Fprint(p.w, eraseLine, text)
		return
	}
	fmt.Fprintln(p.w, text)
}

// Done erases the changing line, so that other output can follow, and shows
// text, if there is any, as the last word. Update may follow nevertheless.
func (p *Progress) Done(text string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.live && p.text != "" {
		fmt.Fprint(p.w, eraseLine)
	}
	p.text = ""
	if text != "" {
		fmt.Fprintln(p.w, text)
	}
}
