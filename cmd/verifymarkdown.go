// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/keymat/keymat/rules"
)

// markdown is the report in Markdown, with tables as GitHub and others show
// them.
func markdown(v verification) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Rules of imported key material\n\n%s\n\n", md(v.summary()))
	if missing := v.describeIncomplete(); missing != "" {
		fmt.Fprintf(&b, "**%s**\n\n", md(missing))
	}
	fmt.Fprintf(&b, "- KMS: %s, %s\n- Run: `%s`, %s\n", md(v.Target), regions(v), v.Run, seconds(v.Started))
	if left := v.describeLeaving(); left != "" {
		fmt.Fprintf(&b, "- %s\n", md(left))
	}
	b.WriteString("\n| rule | verdict | promise | statement |\n| --- | --- | --- | --- |\n")
	for _, r := range v.Rules {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.ID, strong(r.Verdict), r.Promise, md(r.Statement))
	}
	for _, g := range v.groups() {
		fmt.Fprintf(&b, "\n## %s\n", g.Name)
		for _, r := range g.Rules {
			markdownRule(&b, r)
		}
	}
	return b.Bytes(), nil
}

func markdownRule(b *bytes.Buffer, r verifiedRule) {
	fmt.Fprintf(b, "\n### %s: %s\n\n%s (%s)\n\n%s\n", r.ID, r.Verdict, md(r.Statement), r.Promise, md(r.Why))
	if r.Reason != "" {
		fmt.Fprintf(b, "\n**%s**: %s\n", r.Verdict, md(r.Reason))
	}
	if len(r.Sources) > 0 {
		b.WriteByte('\n')
	}
	for _, s := range r.Sources {
		if s.URL == "" {
			fmt.Fprintf(b, "- Source: %s\n", md(s.Title))
		} else {
			fmt.Fprintf(b, "- Source: [%s](<%s>)\n", md(s.Title), s.URL)
		}
	}
	if len(r.Steps) == 0 {
		return
	}
	b.WriteString("\n| step | call | expected | observed | s |\n| --- | --- | --- | --- | ---: |\n")
	for _, s := range r.Steps {
		observed := md(s.Observed)
		if !s.AsExpected {
			observed = "**" + observed + "**"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %.2f |\n", md(s.What), s.Operation, md(s.Expected), observed, s.Seconds)
	}
}

// regions are those of a run, for a sentence.
func regions(v verification) string {
	if v.Second == "" {
		return v.Region
	}
	return v.Region + " and " + v.Second
}

// strong makes stand out what is not as it should be.
func strong(verdict rules.Verdict) string {
	if verdict == rules.Broken || verdict == rules.Failed {
		return "**" + string(verdict) + "**"
	}
	return string(verdict)
}

// md is text that Markdown shows as it is, in a table, too.
func md(text string) string {
	return strings.NewReplacer(
		`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "<", `\<`, ">", `\>`, "[", `\[`, "]", `\]`, "#", `\#`, "\n", " ",
	).Replace(text)
}
