// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/internal/spoken"
	"github.com/keymat/keymat/internal/term"
)

// A RefusedError says that people did not let the ceremony pass a gate, or did not
// confirm something else.
type RefusedError struct{ Gate plan.Gate } // "" for something else

func (e *RefusedError) Error() string {
	if e.Gate == "" {
		return "somebody says that it is not so"
	}
	return fmt.Sprintf("the gate %s: somebody says that it is not as it should be", e.Gate)
}

// Words that cannot be taken for the ID of somebody who is asked.
const (
	everybody = "all"
	nobody    = "none"
	refusal   = "no"
)

// Present takes the IDs of those who are here in one line. The task that was
// announced, and its people, are not told again.
func (c *Console) Present(ctx context.Context, who []string, why string) ([]string, error) {
	if why != c.doing {
		c.paragraph(why)
		for _, id := range who {
			c.line("  " + c.name(id))
		}
	}
	prompt := fmt.Sprintf("%s Who of these is here? Type their IDs, or %s, or %s", c.number(), everybody, nobody)
	for {
		answer, err := c.Prompter.Line(ctx, prompt)
		if err != nil {
			return nil, err
		}
		here, unknown := present(who, fields(answer))
		switch {
		case unknown != "":
			c.warn("%s", c.notOne(unknown, "is not one of them"))
		case answer != "":
			return here, nil
		}
	}
}

// present picks out who is named; unknown is the first name that is nobody's.
func present(who, named []string) (here []string, unknown string) {
	for _, id := range named {
		switch {
		case slices.Contains(who, id):
			if !slices.Contains(here, id) {
				here = append(here, id)
			}
		case len(named) == 1 && id == everybody:
			return slices.Clone(who), ""
		case len(named) == 1 && id == nobody:
			return nil, ""
		default:
			return nil, id
		}
	}
	return here, ""
}

func fields(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r == ' ' || r == ',' })
}

// notOne says what keeps somebody from answering.
func (c *Console) notOne(id, because string) string {
	if _, ok := c.Plan.Person(id); !ok {
		return fmt.Sprintf("the plan has nobody called %q", id)
	}
	return c.name(id) + " " + because
}

// Confirm shows what is to be seen, a digest also in words, and takes the IDs one
// after another, in any order. "no" is a [*RefusedError].
func (c *Console) Confirm(ctx context.Context, g plan.Gate, who []string, seen string) (string, error) {
	c.Tell("%s", seen)
	for _, digest := range regexp.MustCompile(`\b[0-9a-f]{64}\b`).FindAllString(seen, -1) {
		c.digest(digest)
	}
	text := seen
	if g == plan.GateOpen {
		wall, err := c.wallClock(ctx, who)
		if err != nil {
			return "", err
		}
		text = strings.TrimSpace(wall.Format(time.RFC3339) + " " + seen)
	}
	ask := "Each of you types their ID if it is so, and " + refusal + " if not"
	if what := seenAt(c.Plan, g); what != "" {
		ask += ": " + what
	}
	c.paragraph(ask + ".")
	for missing := slices.Clone(who); len(missing) > 0; {
		answer, err := c.Prompter.Line(ctx, c.to(missing, "your ID"))
		if err != nil {
			return "", err
		}
		switch id := strings.ToLower(answer); {
		case slices.Contains(missing, id):
			missing = slices.DeleteFunc(missing, func(m string) bool { return m == id })
			c.line(c.name(id) + " confirms.")
			continue
		case id == refusal:
			return "", &RefusedError{Gate: g}
		case slices.Contains(who, id):
			c.warn("%s has confirmed already", c.name(id))
		case id != "":
			c.warn("%s", c.notOne(id, "is not one of those who confirm this"))
		}
		c.question-- // the same question again
	}
	return text, nil
}

// digest shows one as it is compared aloud.
func (c *Console) digest(digits string) {
	data, err := hex.DecodeString(digits)
	if err != nil {
		return
	}
	for _, line := range spoken.Lines(data) {
		c.line("  " + line)
	}
}

// wallClock asks for the time, which a machine that was off the network for long
// does not know.
func (c *Console) wallClock(ctx context.Context, who []string) (time.Time, error) {
	if witnesses := c.among(who, plan.Witness); len(witnesses) > 0 {
		who = witnesses
	}
	prompt := c.to(who, "date and time by the clock on the wall, in UTC (such as 2026-12-01 09:30)")
	for {
		answer, err := c.Prompter.Line(ctx, prompt)
		if err != nil {
			return time.Time{}, err
		}
		for _, layout := range []string{"2006-01-02 15:04", "2006-01-02 15:04:05", time.RFC3339, "2006-01-02T15:04Z07:00"} {
			if t, err := time.Parse(layout, answer); err == nil {
				return t.UTC(), nil
			}
		}
		c.warn("that is no date and time like 2026-12-01 09:30")
	}
}

// among are those who have a role.
func (c *Console) among(who []string, r plan.Role) (some []string) {
	return slices.DeleteFunc(slices.Clone(who), func(id string) bool {
		person, _ := c.Plan.Person(id)
		return !person.Has(r)
	})
}

// Heard takes the digest in as many lines as people like.
func (c *Console) Heard(ctx context.Context, what string) (string, error) {
	const size = 32 // SHA-256
	c.paragraph("Type " + what + ". Words or hexadecimal digits, in one line or several.")
	number, heard := c.number(), ""
	for taken := 0; ; {
		answer, err := c.Prompter.Line(ctx, fmt.Sprintf("%s %d of %d", number, taken, size))
		if err != nil {
			return "", err
		}
		if answer == "-" {
			c.line("Begin again with the first word.")
			heard, taken = "", 0
			continue
		}
		longer := strings.TrimSpace(heard + " " + answer)
		digest, err := spoken.Parse(longer, size)
		short, unfinished := err.(*spoken.LengthError)
		switch {
		case err == nil:
			return hex.EncodeToString(digest), nil
		case unfinished && short.Got < size:
			heard, taken = longer, short.Got
		default:
			c.warn("%v; the line was not taken (- begins again)", err)
		}
	}
}

// Ask asks some people for a line, until there is something in it.
func (c *Console) Ask(ctx context.Context, who []string, question string) (string, error) {
	prompt := c.to(who, "%s", question)
	for {
		answer, err := c.Prompter.Line(ctx, prompt)
		if answer != "" || err != nil {
			return answer, err
		}
	}
}

// Decide puts a question to the lead.
func (c *Console) Decide(ctx context.Context, question string, options []string) (int, error) {
	all := make([]term.Option, len(options))
	for i, o := range options {
		all[i] = term.Option{Key: fmt.Sprint(i + 1), Label: o}
	}
	return c.Prompter.Choose(ctx, c.to(c.Having(plan.Lead), "%s", question), all)
}
