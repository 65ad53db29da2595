// SPDX-License-Identifier: Apache-2.0

package card

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/keymat/keymat/internal/page"
)

//go:embed acknowledgement.html
var acknowledgement string

//go:embed blank.html
var blank string

// A Form is paper that a ceremony takes, before there is anything secret: the
// acknowledgement that a custodian signs (PCI DSS 3.7.8), and the blank that a
// share is copied to by hand. It names no other custodian.
type Form struct {
	Ceremony   string // ID
	Title      string
	PlanSHA256 string // hexadecimal
	Rehearsal  bool
	Person     string // ID of the custodian
	Name       string
	Shares     []int // numbers, from 1; a blank is for one
	Threshold  int
	Count      int
	Places     int    // of a blank: words, or groups of four characters
	Of         string // what goes into each place, such as "word"
	Made       time.Time
	By         string // what made the form
}

// WriteAcknowledgement writes the page in which a custodian acknowledges duties,
// for the files of the ceremony: it never says a share.
func (f Form) WriteAcknowledgement(w io.Writer) error {
	return f.write(w, acknowledgement, "keymat-ack/1", page.Page{
		Title: f.marked("Acknowledgement of a custodian"),
		Lead:  fmt.Sprintf("To be signed before a share is handed over, and kept with the evidence of %s.", f.Ceremony),
	})
}

// WriteBlank writes the page that a share is copied to by hand. Once it is filled
// in, it is as secret as the share.
func (f Form) WriteBlank(w io.Writer) error {
	return f.write(w, blank, "keymat-blank/1", page.Page{
		Title: f.marked(fmt.Sprintf("Share %s of %d", f.numbers(), f.Count)),
		Lead:  fmt.Sprintf("To be filled in by hand. From then on this page is secret. Any %d open the escrow.", f.Threshold),
	})
}

func (f Form) marked(title string) string {
	if f.Rehearsal {
		return "REHEARSAL: " + title
	}
	return title
}

func (f Form) numbers() string {
	texts := make([]string, len(f.Shares))
	for i, n := range f.Shares {
		texts[i] = fmt.Sprint(n)
	}
	return strings.Join(texts, ", ")
}

// line is what the QR code holds: which form it is, and by which plan.
func (f Form) line(kind string) []byte {
	return []byte(strings.Join([]string{kind, f.Ceremony, f.Person, strings.ReplaceAll(f.numbers(), ", ", "+"), f.PlanSHA256}, " "))
}

func (f Form) write(w io.Writer, body, kind string, p page.Page) error {
	code, err := encodeQR(f.line(kind))
	if err != nil {
		return err
	}
	t, err := template.New("form").Parse(body)
	if err != nil {
		return fmt.Errorf("reading the template of the form: %w", err)
	}
	if p.Body, err = page.Execute(t, map[string]any{
		"Details": f.details(), "Duties": f.duties(), "Places": make([]struct{}, f.Places), "Of": f.Of, "QR": drawing(code),
		"Sign": signing, "Received": receiving, "Bagged": bagging,
	}); err != nil {
		return err
	}
	p.Made, p.By = f.Made, f.By
	return page.Write(w, p)
}

// What is filled in with a pen.
var (
	signing   = []string{"Name of the custodian", "Identified by (document)", "Place and date", "Signature", "Name of the witness", "Signature of the witness"}
	receiving = []string{"Share received on", "Bag, serial number", "Signature"}
	bagging   = []string{"Bag, serial number", "Sealed on", "Signature"}
)

func (f Form) details() [][2]string {
	return [][2]string{
		{"Ceremony", f.Title + " (" + f.Ceremony + ")"},
		{"Custodian", f.Name + " (" + f.Person + ")"},
		{"Share", fmt.Sprintf("%s of %d; any %d open the escrow", f.numbers(), f.Count, f.Threshold)},
		{"Plan", "SHA-256 " + f.PlanSHA256},
	}
}

// duties are what a custodian takes on.
func (f Form) duties() []string {
	return []string{
		"I keep the share where nobody else can get at it, in the bag and at the place that the plan names, and apart from other shares and from copies of the escrow.",
		"I do not photograph, scan or copy it, do not say it, and do not type it anywhere but at a ceremony.",
		"I hand it over to nobody. Should I leave, or my duties change, another ceremony deals new shares.",
		fmt.Sprintf("I know that %d shares together give whoever has them the key, and will not come into possession of another share.", f.Threshold),
		"When a ceremony calls for it, I bring it in its bag, compare the serial number, and make sure who asks.",
		"I report at once when it is lost or damaged, when the bag was opened, or when I suspect that somebody has seen it.",
		"I have read these duties, have had my questions answered, and accept them.",
	}
}
