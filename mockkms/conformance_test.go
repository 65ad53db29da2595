// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/mockkms"
)

// TestConformance asks over HTTP for every fact in testdata/conformance, whose
// README explains the language. Each case has a KMS and a clock of its own.
func TestConformance(t *testing.T) {
	files := must(filepath.Glob(filepath.Join("testdata", "conformance", "*.txt")))
	for _, file := range files {
		source := string(must(os.ReadFile(file)))
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			cases := regexp.MustCompile(`(?m)^case `).Split(source, -1)
			line := strings.Count(cases[0], "\n") + 1
			for _, text := range cases[1:] {
				where := fmt.Sprintf("%s:%d", file, line)
				name, script, _ := strings.Cut(text, "\n")
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					newConformer(t, where).play(strings.ReplaceAll(script, " \\\n", " "))
				})
				line += strings.Count(text, "\n")
			}
		})
	}
}

// A conformer plays one case.
type conformer struct {
	*testing.T
	mock  *mockkms.KMS
	now   time.Time
	names map[string]string
	where string // file and line of the case
	last  answer // of the latest call
	asked string // the latest call as written
}

// conformanceStart is when every case begins.
var conformanceStart = time.Date(2026, 9, 12, 10, 5, 20, 956e6, time.UTC)

func newConformer(t *testing.T, where string) *conformer {
	c := &conformer{T: t, now: conformanceStart, names: map[string]string{}, where: where}
	c.mock = mockkms.New(mockkms.WithSharedWrappingKeys(), mockkms.WithClock(func() time.Time { return c.now }))
	t.Cleanup(func() { c.mock.Close() })
	return c
}

// play runs the lines of a case. A call that no "error" line follows succeeds.
func (c *conformer) play(script string) {
	var lines []string
	for line := range strings.Lines(script) {
		if s := strings.TrimSpace(line); s != "" && !strings.HasPrefix(s, "#") {
			lines = append(lines, strings.TrimRight(line, "\n"))
		}
	}
	for i, line := range lines {
		if strings.HasPrefix(line, "    ") {
			c.expect(strings.TrimSpace(line))
			continue
		}
		c.do(strings.TrimSpace(line))
		if c.last.status != 200 && (i+1 == len(lines) || !strings.HasPrefix(strings.TrimSpace(lines[i+1]), "error")) {
			c.complain("answered %d %s", c.last.status, c.last.body)
		}
	}
}

func (c *conformer) complain(format string, args ...any) {
	c.Helper()
	c.Errorf("%s: %.400s\n%s", c.where, c.asked, fmt.Sprintf(format, args...))
}

// do carries out one step: a call of KMS, or one of the verbs that save typing.
func (c *conformer) do(line string) {
	scope := ""
	if rest, ok := strings.CutPrefix(line, "@"); ok {
		scope, line, _ = strings.Cut(rest, " ")
	}
	verb, rest, _ := strings.Cut(line, " ")
	rest = c.fill(rest)
	c.last = answer{status: 200}
	switch verb {
	case "advance":
		c.now = c.now.Add(must(time.ParseDuration(rest)))
	case "let":
		name, value, _ := strings.Cut(rest, " ")
		c.names[name] = value
	case "same":
		if a, b, _ := strings.Cut(rest, " "); a != b {
			c.complain("%s differs from %s", a, b)
		}
	case "differ":
		if a, b, _ := strings.Cut(rest, " "); a == b {
			c.complain("%s twice", a)
		}
	case "wrap":
		f := strings.Fields(rest) // name, algorithm, public key, material
		c.names[f[0]] = wrapFor(f[1], f[2], conformanceMaterial(f[3]))
	case "proves":
		f := strings.Fields(rest) // algorithm, public key, message, signature
		if !proves(f[0], unbase64(f[1]), unbase64(f[2]), unbase64(f[3])) {
			c.complain("%s: the signature does not verify", line)
		}
	case "create":
		name, members, _ := strings.Cut(rest, " ")
		c.call(scope, "CreateKey", members)
		arn, _ := c.at("KeyMetadata.Arn")
		id, _ := c.at("KeyMetadata.KeyId")
		c.names[name], c.names[name+".id"] = fmt.Sprint(arn), fmt.Sprint(id)
	case "import":
		f := strings.SplitN(rest, " ", 3) // key, material, members or nothing
		c.importInto(scope, f[0], f[1], strings.Join(f[2:], ""))
	default:
		c.call(scope, verb, rest)
	}
}

var requestID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// call sends one request, to @region or @region/account where given.
func (c *conformer) call(scope, operation, body string) {
	region, account, _ := strings.Cut(scope, "/")
	if region == "" {
		region = "us-east-1"
	}
	if account == "" {
		account = "111122223333"
	}
	if body == "" {
		body = "{}"
	}
	c.asked = operation + " " + body
	c.last = send(c, c.mock, operation, body, "Authorization", "AWS4-HMAC-SHA256 Credential="+account+
		"/20260912/"+region+"/kms/aws4_request, SignedHeaders=host, Signature=00")
	if !requestID.MatchString(c.last.header.Get("x-amzn-RequestId")) {
		c.complain("x-amzn-RequestId is %q", c.last.header.Get("x-amzn-RequestId"))
	}
}

// expect judges the latest answer by one indented line.
func (c *conformer) expect(line string) {
	c.Helper()
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "error": // Code: message, Code: ~ pattern, or Code where there is no such member
		code, message, any := strings.Cut(c.fill(rest), ": ")
		said := c.last.message() == message
		if pattern, ok := strings.CutPrefix(message, "~ "); ok {
			said = regexp.MustCompile(pattern).MatchString(c.last.message())
		}
		if c.last.status != 400 || c.last.Type != code || (c.last.Text != nil) != any || !said {
			c.complain("got  %d %s\nwant 400 %s", c.last.status, c.last.body, c.fill(rest))
		}
		return
	case "empty":
		if c.last.body != "" {
			c.complain("got %s, want an empty body", c.last.body)
		}
		return
	case "save":
		name, path, _ := strings.Cut(rest, " ")
		value, ok := c.at(path)
		if !ok {
			c.complain("no %s to save in %s", path, c.last.body)
		}
		c.names[name] = fmt.Sprint(value)
		return
	}
	got, ok := c.at(verb)
	rest = c.fill(rest)
	if pattern, matched := strings.CutPrefix(rest, "~ "); matched {
		if !regexp.MustCompile(pattern).MatchString(fmt.Sprint(got)) {
			c.complain("%s is %v, want %s", verb, got, pattern)
		}
		return
	}
	if rest == "-" {
		if ok {
			c.complain("there is a %s: %v", verb, got)
		}
		return
	}
	var want any
	if err := json.Unmarshal([]byte(rest), &want); err != nil {
		c.Fatalf("%s: %s: %v", c.where, line, err)
	}
	if !ok || !matches(got, want) {
		c.complain("%s\ngot  %s\nwant %s", verb, must(json.Marshal(got)), rest)
	}
}

// at finds a member of the answer: names and indices between dots; "=" is all of it.
func (c *conformer) at(path string) (v any, ok bool) {
	if c.last.body == "" || json.Unmarshal([]byte(c.last.body), &v) != nil {
		return nil, false
	}
	if path == "=" {
		return v, true
	}
	for _, step := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v, ok = x[step]
		case []any:
			i, err := strconv.Atoi(step)
			if ok = err == nil && i < len(x); ok {
				v = x[i]
			}
		default:
			ok = false
		}
		if !ok {
			return nil, false
		}
	}
	return v, true
}
