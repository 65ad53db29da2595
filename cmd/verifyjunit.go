// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/rules"
)

// The form that build servers read (JUnit's, as of Ant and Surefire): a suite
// for each group, a case for each rule. A broken rule is a failure, one that
// could not be tested an error.
type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		junitCounts
		Suites []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name      string `xml:"name,attr"`
		Timestamp string `xml:"timestamp,attr"` // UTC
		junitCounts
		Cases []junitCase `xml:"testcase"`
	}
	junitCounts struct {
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Time     string `xml:"time,attr"` // seconds
	}
	junitCase struct {
		Name      string        `xml:"name,attr"`
		ClassName string        `xml:"classname,attr"`
		Time      string        `xml:"time,attr"`
		Failure   *junitProblem `xml:"failure"`
		Error     *junitProblem `xml:"error"`
		Skipped   *junitProblem `xml:"skipped"`
		Output    string        `xml:"system-out,omitempty"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// junit is the report for build servers.
func junit(v verification) ([]byte, error) {
	report := junitSuites{Name: "keymat verify", junitCounts: junitCountsOf(v.Rules)}
	report.Time = junitSeconds(v.Seconds)
	for _, g := range v.groups() {
		suite := junitSuite{Name: g.Name, Timestamp: v.Started.UTC().Format("2006-01-02T15:04:05"), junitCounts: junitCountsOf(g.Rules)}
		for _, r := range g.Rules {
			suite.Cases = append(suite.Cases, junitCaseOf(r))
		}
		report.Suites = append(report.Suites, suite)
	}
	if missing := v.describeIncomplete(); missing != "" {
		report.Suites = append(report.Suites, incompleteSuite(v, missing))
		report.Tests++
		report.Errors++
	}
	body, err := xml.MarshalIndent(report, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the report: %w", err)
	}
	return append([]byte(xml.Header), append(body, '\n')...), nil
}

// incompleteSuite lets no build server take what was tested for all.
func incompleteSuite(v verification, missing string) junitSuite {
	return junitSuite{
		Name: "run", Timestamp: v.Started.UTC().Format("2006-01-02T15:04:05"),
		junitCounts: junitCounts{Tests: 1, Errors: 1, Time: junitSeconds(0)},
		Cases:       []junitCase{{Name: "run/complete", ClassName: "keymat.run", Time: junitSeconds(0), Error: &junitProblem{Message: missing, Type: "incomplete"}}},
	}
}

func junitCountsOf(all []verifiedRule) junitCounts {
	c := junitCounts{Tests: len(all)}
	took := 0.0
	for _, r := range all {
		took += r.Seconds
		switch r.Verdict {
		case rules.Broken:
			c.Failures++
		case rules.Failed:
			c.Errors++
		case rules.Skipped:
			c.Skipped++
		}
	}
	c.Time = junitSeconds(took)
	return c
}

func junitCaseOf(r verifiedRule) junitCase {
	group, _, _ := strings.Cut(r.ID, "/")
	c := junitCase{Name: r.ID, ClassName: "keymat." + group, Time: junitSeconds(r.Seconds), Output: describeSteps(r.Steps)}
	problem := &junitProblem{Message: r.Reason}
	switch r.Verdict {
	case rules.Broken:
		problem.Type, problem.Text = "broken", r.Statement+"\n"+r.Why
		c.Failure = problem
	case rules.Failed:
		problem.Type = "failed"
		c.Error = problem
	case rules.Skipped:
		c.Skipped = problem
	}
	return c
}

func junitSeconds(s float64) string { return fmt.Sprintf("%.3f", s) }

// describeSteps are the steps as text, one line each.
func describeSteps(steps []experiment.Observation) string {
	var b strings.Builder
	for _, s := range steps {
		fmt.Fprintf(&b, "%s  %s", s.At.UTC().Format(time.TimeOnly), s.What)
		if s.Operation != "" {
			fmt.Fprintf(&b, " (%s)", s.Operation)
		}
		fmt.Fprintf(&b, ": expected %s, observed %s\n", s.Expected, s.Observed)
	}
	return b.String()
}
