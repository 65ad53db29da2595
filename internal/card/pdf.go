// SPDX-License-Identifier: Apache-2.0

package card

import (
	"crypto/fips140"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"rsc.io/qr"
)

// Measures of the printed page, in millimetres.
const (
	margin     = 18.0
	printWidth = 210 - 2*margin // of A4
	lineHeight = 4.6
	wordHeight = 6.2
	labelWidth = 24.0
)

// WritePDF writes the card as one page of PDF, with text that can be selected. Nothing in it is compressed: what stands on the card
// can be read back from the file, see [Text].
func (c Card) WritePDF(w io.Writer) error {
	code, err := encodeQR(c.Line)
	if err != nil {
		return err
	}
	// The library names fonts by their SHA-1, which protects nothing.
	fips140.WithoutEnforcement(func() { err = c.writeSheet(w, code) })
	if err != nil {
		return fmt.Errorf("writing the card: %w", err)
	}
	return nil
}

func (c Card) writeSheet(w io.Writer, code *qr.Code) error {
	s := sheet{fpdf.New("P", "mm", "A4", "")}
	s.SetCompression(false)
	s.SetCreationDate(c.Created.UTC())
	s.SetModificationDate(c.Created.UTC())
	s.SetTitle(c.title(), false)
	s.SetCreator(c.By, false)
	s.SetLang("en")
	s.SetMargins(margin, margin, margin)
	s.SetAutoPageBreak(true, margin)
	s.AddPage()
	s.head(c, code)
	s.share(c)
	s.instructions(c)
	s.custody(c)
	return s.Output(w)
}

// sheet is the page that is being filled, from top to bottom.
type sheet struct{ *fpdf.Fpdf }

// The fonts are among those that every reader of PDF has.
func (s sheet) plain() { s.SetFont("Helvetica", "", 9.5) }
func (s sheet) mono()  { s.SetFont("Courier", "", 9) }

func (s sheet) paragraph(text string) {
	s.plain()
	s.MultiCell(0, lineHeight, text, "", "L", false)
}

func (s sheet) heading(text string) {
	s.Ln(2.5)
	s.SetFont("Helvetica", "B", 12)
	s.CellFormat(0, 6.5, text, "", 1, "L", false, 0, "")
}

func (s sheet) command(text string) {
	s.SetFont("Courier", "", 8.5) // the longest stays on one line
	s.SetX(margin + 4)
	s.MultiCell(0, lineHeight, text, "", "L", false)
}

// head is what the card is, with the code beside it.
func (s sheet) head(c Card, code *qr.Code) {
	s.SetFont("Helvetica", "B", 17)
	s.CellFormat(0, 9, c.title(), "", 1, "L", false, 0, "")
	s.paragraph(c.lead())
	s.Ln(2)
	top := s.GetY()
	side := float64(code.Size+2*quietZone) * moduleSize
	s.drawQR(code, margin+printWidth-side, top)
	s.SetRightMargin(margin + side + 2)
	for _, text := range c.warning() {
		s.paragraph(text)
	}
	s.Ln(2)
	for _, d := range c.details() {
		s.plain()
		s.CellFormat(labelWidth, lineHeight, d[0], "", 0, "L", false, 0, "")
		s.mono()
		s.SetLeftMargin(margin + labelWidth)
		s.MultiCell(0, lineHeight, d[1], "", "L", false)
		s.SetLeftMargin(margin)
		s.SetX(margin)
	}
	s.SetRightMargin(margin)
	s.SetY(max(s.GetY(), top+side))
}

// drawQR draws a rectangle for each run of dark modules.
func (s sheet) drawQR(code *qr.Code, x, y float64) {
	s.SetFillColor(0, 0, 0)
	for _, r := range runsOf(code) {
		s.Rect(x+float64(r.x+quietZone)*moduleSize, y+float64(r.y+quietZone)*moduleSize, float64(r.length)*moduleSize, moduleSize, "F")
	}
}

// Comments in the page's drawing, between which the share stands.
const (
	shareBegins = "%keymat share"
	shareEnds   = "%keymat share ends"
)

// share is the share itself: words down three columns, or one string with gaps for the eye.
func (s sheet) share(c Card) {
	s.heading("The share")
	all := words(c.Text)
	if all == nil {
		s.SetFont("Courier", "B", 12)
		s.RawWriteStr(shareBegins)
		for line := range slices.Chunk(groups(c.Text), 11) {
			for _, group := range line {
				s.CellFormat(printWidth/11, wordHeight, group, "", 0, "L", false, 0, "")
			}
			s.Ln(wordHeight)
		}
		s.RawWriteStr(shareEnds)
		s.paragraph(gapsNote)
		return
	}
	rows := (len(all) + 2) / 3
	top := s.GetY()
	for n := range all {
		s.plain()
		s.SetXY(margin+float64(n/rows)*printWidth/3, top+float64(n%rows)*wordHeight)
		s.CellFormat(8, wordHeight, strconv.Itoa(n+1)+".", "", 0, "R", false, 0, "")
	}
	s.SetFont("Courier", "B", 12)
	s.RawWriteStr(shareBegins)
	for n, word := range all {
		s.SetXY(margin+float64(n/rows)*printWidth/3+9, top+float64(n%rows)*wordHeight)
		s.CellFormat(printWidth/3-9, wordHeight, word.Head+word.Tail, "", 0, "L", false, 0, "")
	}
	s.RawWriteStr(shareEnds)
	s.SetXY(margin, top+float64(rows)*wordHeight)
	s.paragraph(wordsNote)
}

func (s sheet) instructions(c Card) {
	s.heading("To bring the material back")
	s.paragraph(c.needs())
	s.command(withKeymat)
	s.paragraph("Without keymat:")
	for n, step := range c.withoutKeymat() {
		s.paragraph(fmt.Sprintf("%d. %s", n+1, step.Text))
		if step.Code != "" {
			s.command(step.Code)
		}
	}
}

// custody is for the pen.
func (s sheet) custody(c Card) {
	s.heading("Custody")
	for _, what := range custody {
		s.plain()
		s.CellFormat(labelWidth, 7, what, "", 0, "L", false, 0, "")
		s.CellFormat(90, 7, "", "B", 1, "L", false, 0, "")
	}
	s.Ln(2)
	s.SetFont("Helvetica", "", 8)
	s.CellFormat(0, 4, fmt.Sprintf("Made by %s, %s", c.By, c.Created.UTC().Format(time.RFC3339)), "", 1, "L", false, 0, "")
}
