// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"fmt"
	"html/template"
	"slices"
	"time"

	"github.com/keymat/keymat/ceremony/transcript"
)

// Measures of the picture, in its own units, of which one is a pixel at most.
const (
	perPicture = 24 // lines of the record
	laneLeft   = 190
	laneTop    = 16
	laneHeight = 26
	columnStep = 34
	longName   = 25 // characters, of which so many fit before the lanes
	longPause  = 30 * time.Minute
)

// timeline draws who did what when: a row for each person, a column for each
// line. Columns are in order and not to scale, for a ceremony is minutes of
// work and days of waiting.
func timeline(e *Evidence) section {
	s := section{ID: "timeline", Title: "Timeline"}
	s.say("A column for each line of the records, not to scale, and a row for each person whom they name. " +
		"Squares: begin and end. Diamonds: gates. Triangles: exceptions. Circles: anything else. The table of steps says the same in words.")
	number := 0
	for part := range slices.Chunk(e.lines(), perPicture) {
		number++
		picture, err := draw(e, part, number)
		if err != nil {
			s.say("It could not be drawn.")
			return s
		}
		s.Blocks = append(s.Blocks, block{Figure: picture})
	}
	return s
}

// A picture is what its template needs.
type picture struct {
	Number        int
	Title, Desc   string
	Width, Height int
	Left, Right   int
	Foot          int // where lanes end
	Lanes         []lane
	Columns       []column
}

type lane struct {
	Y    int
	Name string
}

type column struct {
	X, Top, Bottom int
	Line           string
	Label          string // the time, where it is worth telling
	Mark           mark
	Exceptional    bool
	Ys             []int // of those whose doing it is
}

func draw(e *Evidence, entries []line, number int) (template.HTML, error) {
	people := e.lanes(entries)
	p := picture{Number: number, Left: laneLeft, Right: laneLeft + columnStep*len(entries), Foot: laneTop + laneHeight*len(people)}
	p.Width, p.Height = laneLeft+columnStep*perPicture+20, p.Foot+70
	for i, who := range people {
		p.Lanes = append(p.Lanes, lane{laneTop + laneHeight*i + laneHeight/2, shortened(who)})
	}
	var before time.Time
	for i, entry := range entries {
		c := column{X: laneLeft + columnStep*i + columnStep/2, Line: entry.ref.Text, Mark: markOf(entry.Event), Exceptional: transcript.Tell(entry.Event).Exceptional}
		for _, who := range actors(entry.Entry) {
			c.Ys = append(c.Ys, p.Lanes[slices.Index(people, who)].Y)
		}
		c.Top, c.Bottom = slices.Min(c.Ys), slices.Max(c.Ys)
		if i == 0 || entry.Time.Sub(before).Abs() >= longPause || i == len(entries)-1 {
			c.Label = entry.Time.UTC().Format("01-02 15:04")
		}
		before = entry.Time
		p.Columns = append(p.Columns, c)
	}
	first, last := entries[0], entries[len(entries)-1]
	p.Title = fmt.Sprintf("Timeline, lines %s to %s", first.ref.Text, last.ref.Text)
	p.Desc = fmt.Sprintf("%s by %s, from %s to %s by the machine's clock. The table of steps lists them.",
		count(len(entries), "event"), count(len(people), "actor"), utc(first.Time), utc(last.Time))
	t, err := template.New("timeline").Parse(drawing)
	if err != nil {
		return "", fmt.Errorf("reading the template of the timeline: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return "", fmt.Errorf("drawing the timeline: %w", err)
	}
	return template.HTML(b.String()), nil
}

func shortened(name string) string {
	if runes := []rune(name); len(runes) > longName {
		return string(runes[:longName-1]) + "…"
	}
	return name
}

// nobody has the lane of events that are nobody's doing, such as a resumption.
const nobody = "(the machine)"

func actors(entry transcript.Entry) []string {
	if len(entry.Actors) == 0 {
		return []string{nobody}
	}
	shown := make([]string, len(entry.Actors))
	for i, who := range entry.Actors {
		shown[i] = visible(who)
	}
	return shown
}

// lanes are those who act, in the order of the plan, then others.
func (e *Evidence) lanes(entries []line) (lanes []string) {
	var acting []string
	for _, entry := range entries {
		acting = append(acting, actors(entry.Entry)...)
	}
	for _, who := range e.Plan.People {
		if slices.Contains(acting, who.ID) {
			lanes = append(lanes, who.ID)
		}
	}
	for _, who := range acting {
		if !slices.Contains(lanes, who) {
			lanes = append(lanes, who)
		}
	}
	return lanes
}

const drawing = `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="timeline-{{.Number}}-title timeline-{{.Number}}-desc" viewBox="0 0 {{.Width}} {{.Height}}" width="{{.Width}}" height="{{.Height}}" font-size="13" fill="currentColor" stroke="none">
<title id="timeline-{{.Number}}-title">{{.Title}}</title>
<desc id="timeline-{{.Number}}-desc">{{.Desc}}</desc>
{{- range .Lanes}}
<text x="0" y="{{.Y}}" dy="4">{{.Name}}</text><path d="M{{$.Left}} {{.Y}}H{{$.Right}}" stroke="currentColor" stroke-opacity=".25"/>
{{- end}}
{{- range $c := .Columns}}
<g>
<path d="M{{.X}} {{.Top}}V{{.Bottom}}" stroke="currentColor" stroke-width="1.5"/>
{{- range .Ys}}
{{- if eq $c.Mark "circle"}}
<circle cx="{{$c.X}}" cy="{{.}}" r="5"/>
{{- else}}
<path transform="translate({{$c.X}} {{.}})" d="{{if eq $c.Mark "diamond"}}M0-8 8 0 0 8-8 0z{{else if eq $c.Mark "square"}}M-6-6H6V6H-6z{{else}}M0-8 8 7H-8z{{end}}"{{if $c.Exceptional}} style="fill: var(--bad)"{{end}}/>
{{- end}}
{{- end}}
<text x="{{.X}}" y="{{$.Foot}}" dy="14" text-anchor="middle">{{.Line}}</text>
{{- with .Label}}<text transform="translate({{$c.X}} {{$.Foot}}) translate(4 24) rotate(35)" font-size="11">{{.}}</text>{{end}}
</g>
{{- end}}
</svg>`
