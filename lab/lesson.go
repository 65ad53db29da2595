// SPDX-License-Identifier: Apache-2.0

// Package lab teaches how imported key material behaves: lessons of text and
// of real steps. A lesson is data, its steps are foretold calls to a KMS, made
// on scratch keys with an [experiment.Trial]. How a lesson is played, whether on
// a terminal with questions or straight through, is up to a [Guide]; what was
// played is a [Transcript], which can be written as a page. [WriteScript] writes
// what a student would have typed without keymat.
//
// Secret material never leaves the process: what openssl needs of it goes
// through a pipe, never a file or an argument.
package lab

// A Lesson is a series of steps that share keys. It is played once: ask
// [Find] or [Lessons] for a new one to play it again.
type Lesson struct {
	Name    string   // "byok": what is typed
	Title   string   // "Bring your own key"
	Learn   []string // what the student knows afterwards, each a clause
	Minutes int      // to read and play it
	Keys    int      // KMS keys that it makes, replicas included
	Steps   []Step

	// Own is why the lesson needs a KMS made for it, whatever KMS is there; ""
	// if it does not.
	Own string
}

// A Step explains, asks, does and concludes. Texts are paragraphs divided by
// empty lines.
type Step struct {
	Title  string
	Text   string    // before it is done
	Hand   []Command // the same by hand: shell, openssl and the AWS CLI, in one folder from step to step
	Keymat []string  // the same with keymat, as command lines
	Ask    *Question // to predict what will happen; may be nil
	Do     func(*Run)
	Then   string // after it was done: what was seen
	More   string // for those who want to know more; may be ""
}

// A Command is what a student types into a shell.
type Command struct {
	Line    string // may continue over several lines
	Refused string // the error code with which KMS is to refuse it, or AnyRefusal; "" if it is to work
	Makes   string // the shell variable that holds a new key's ARN afterwards; "" if it makes none
}

// A Question has the student predict.
type Question struct {
	Text    string
	Choices []string
	Right   int    // position in Choices
	Why     string // the reason, told afterwards
}

// AnyRefusal is a refusal of which it is not known what code KMS gives it.
const AnyRefusal = "[A-Za-z]*Exception"

// commands makes commands that are to work.
func commands(lines ...string) []Command {
	all := make([]Command, len(lines))
	for i, line := range lines {
		all[i] = Command{Line: line}
	}
	return all
}

// refused is a command that KMS is to refuse.
func refused(code, line string) Command { return Command{Line: line, Refused: code} }

// makes is a command that puts the ARN of a new key into a shell variable.
func makes(variable, flags string) Command {
	return Command{Line: variable + "=$(aws kms create-key --origin EXTERNAL" + flags + " \\\n  --query KeyMetadata.Arn --output text)", Makes: variable}
}

// Lessons returns all lessons, in the order to take them.
func Lessons() []Lesson {
	lessons := []func() Lesson{byok, secondKey, portability, deleteAndReturn, expiry, rotation, keyPolicy, keyPair}
	all := make([]Lesson, len(lessons))
	for i, lesson := range lessons {
		all[i] = lesson()
	}
	return all
}

// First is the name of the lesson to begin with.
const First = "byok"

// Find returns the lesson of a name.
func Find(name string) (Lesson, bool) {
	for _, l := range Lessons() {
		if l.Name == name {
			return l, true
		}
	}
	return Lesson{}, false
}
