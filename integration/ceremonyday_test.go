// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

package integration_test

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/keymat/keymat/ceremony/console/consoletest"
	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/online"
	"github.com/keymat/keymat/ceremony/plan/plantest"
	"github.com/keymat/keymat/internal/term/termtest"
)

// A day is a ceremony of three machines, each with a folder and a process of its
// own, and nothing between them but media. Its people know what they see on the
// screens.
type day struct {
	*desk
	people  *consoletest.People
	target  string        // that is fetched for next
	fetches string        // folder of the machine that fetches
	screen  func() string // of the machine that was started last
	shown   string        // on the screen of the machine that ended last
	lost    bool          // the medium from the offline machine never came
	trace   bool          // the kernel is asked what the offline machine does with networks
}

// newMockDay is before a ceremony for keys in a KMS of its own, which gives out a
// new wrapping key each time.
func newMockDay(t *testing.T) *day {
	t.Helper()
	return newDay(t, newDesk(t))
}

// newDay is before a ceremony at a desk.
func newDay(t *testing.T, at *desk) *day {
	t.Helper()
	d := &day{desk: at, target: "primary", fetches: "F"}
	mock, err := serve(d.dir, "--memory")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mock.kill)
	d.url = mock.url
	memory, err := os.MkdirTemp("/dev/shm", "keymat-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(memory) })
	stick := &consoletest.Stick{Base: d.path("media")}
	d.people = &consoletest.People{Keys: d.dir, Media: stick.Mount, Memory: memory, Lead: d.lead}
	return d
}

// agree puts the plan of a rehearsal, signed, into the folders of the machines: O,
// which has a mirror in M, F and I.
func (d *day) agree(spec, quorum string, targets []string, changes ...string) {
	d.t.Helper()
	d.agreeOn(append([]string{"--spec", spec, "--quorum", quorum}, targetFlags(targets)...), changes...)
}

func targetFlags(targets []string) (flags []string) {
	for _, target := range targets {
		flags = append(flags, "--target", target)
	}
	return flags
}

// agreeOn is agree for a plan that is drafted with some flags.
func (d *day) agreeOn(flags []string, changes ...string) {
	d.t.Helper()
	line := append([]string{"ceremony", "plan", "init", "plan.yaml", "--id", "test", "--rehearsal"}, flags...)
	d.keymat(line...)
	if err := plantest.FillKeys(d.path("plan.yaml"), d.dir); err != nil {
		d.t.Fatal(err)
	}
	d.write("plan.yaml", []byte(strings.NewReplacer(changes...).Replace(string(d.read("plan.yaml")))))
	d.keymat("ceremony", "plan", "sign", "plan.yaml", "--as", "lead", "--key", "lead.key", "--yes")
	d.run(tool(d.t, "ssh-keygen", "openssh-client"), "-q", "-Y", "sign", "-f", "witness.key", "-n", "keymat-plan@v1", "plan.yaml")
	d.sh("mv plan.yaml.sig plan.yaml.witness.sig && mkdir O F I M && for m in O F I; do cp plan.yaml plan.yaml.*.sig $m; done")
}

// lead decides as the plan would have it: whoever fetches does so while the
// offline machine waits.
func (d *day) lead(question string, options []string) int {
	d.t.Helper()
	without := slices.IndexFunc(options, func(o string) bool { return strings.HasPrefix(o, "go on without ") })
	switch {
	case strings.Contains(question, "it was not done"):
		d.t.Fatalf("something was not done: %s", d.screen())
	case strings.Contains(question, "which state is it in?"):
		return d.lookUp(options)
	case strings.Contains(question, "Has a medium come from the machine that imports"):
		if d.lost {
			return 2
		}
		return 1
	case strings.Contains(question, "Has the medium with what was fetched come"):
		if without >= 0 {
			return without
		}
		d.hold(built.keymat, d.fetches, "--machine", "fetch", "--target", d.target)
	}
	return 0
}

// hold has one of the machines do what there is to do, and returns what it prints.
func (d *day) hold(program, folder string, args ...string) string {
	d.t.Helper()
	stdout, err := d.play(program, folder, args...)
	if err != nil {
		d.t.Fatalf("%s ceremony run %s: %v: %s\n%s", program, folder, err, stdout, d.shown)
	}
	return stdout
}

// play is hold, with the error of the machine. What was on its screen is shown.
func (d *day) play(program, folder string, args ...string) (string, error) {
	d.t.Helper()
	line := append([]string{program, "ceremony", "run", folder}, args...)
	if program == built.offline && d.trace {
		line = append([]string{tool(d.t, "strace", "strace"), "-f", "-q", "-s", "0", "-o", "network.log", "-e", "trace=network"}, line...)
	}
	terminal := termtest.Open(d.t)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Dir, cmd.Env = d.dir, slices.Concat(environment(d.dir, d.url), d.env, []string{"TERM=xterm", "NO_COLOR=1"})
	terminal.Attach(cmd)
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	terminal.Start(cmd)
	before := d.screen
	d.screen = terminal.Screen
	defer func() { d.screen = before }()
	err := d.people.Play(d.t, terminal)
	d.shown = terminal.Screen()
	d.t.Log(d.shown)
	return stdout.String(), err
}

// proves sees to it that the ceremony is over, and that its folder shows so to
// somebody who was not there.
func (d *day) proves(progress string) {
	d.t.Helper()
	if found, err := evidence.Folder(d.path("I")).Verify(); err != nil || len(found.Problems) > 0 || found.State.Progress() != progress {
		d.t.Errorf("%s, with the problems %q, error %v", found.State.Progress(), found.Problems, err)
	}
	d.keymat("ceremony", "verify", "I")
	d.keymat("ceremony", "report", "I", "--out", "report.html")
	if !bytes.Contains(bytes.ToLower(d.read("report.html")), []byte("rehearsal")) {
		d.t.Error("the report does not say that it is of a rehearsal")
	}
}

// TestCeremonyDays holds whole ceremonies, unattended: AES-256 for a new key in two
// Regions, which takes two days, an RSA key and an HMAC key.
func TestCeremonyDays(t *testing.T) {
	t.Run("AES-256", func(t *testing.T) {
		t.Parallel()
		d := newMockDay(t)
		primary := d.created("--spec", "SYMMETRIC_DEFAULT", "--multi-region")
		replica := strings.Replace(primary, "us-east-1", "eu-west-1", 1)
		d.agree("SYMMETRIC_DEFAULT", "3/5", []string{primary, replica},
			"custodian: custodian-4, mode: form", "custodian: custodian-4, mode: file", "custodian: custodian-5, mode: form", "custodian: custodian-5, mode: print",
			"key_spec: RSA_4096", "key_spec: RSA_3072")
		d.hold(built.offline, "O", "M")
		d.hold(built.keymat, "I", "--machine", "import")
		d.aws("replicate-key", "--key-id", primary, "--replica-region", "eu-west-1")
		d.keymat("mock", "clock", "--advance", "1m") // while it is Creating
		d.target = plannedReplica(string(d.read("plan.yaml")))
		d.hold(built.offline, "O", "M")
		d.hold(built.keymat, "I", "--machine", "import")
		d.proves("VERIFIED 2 of 2")
		d.encrypts(primary, replica)
	})
	t.Run("RSA_4096", func(t *testing.T) {
		t.Parallel()
		d := newMockDay(t)
		d.trace = true
		key := d.created("--spec", "RSA_4096", "--usage", "ENCRYPT_DECRYPT")
		d.agree("RSA_4096", "2/3", []string{key}, "profile: quorum ", "profile: fips-quorum ")
		d.hold(built.offline, "O", "M")
		d.hold(built.keymat, "I", "--machine", "import")
		d.proves("VERIFIED 1 of 1")
		if calls := tracedCalls(string(d.read("network.log"))); len(calls) > 0 {
			t.Errorf("the offline machine called for a network: %s", calls)
		}
	})
	t.Run("HMAC_512", func(t *testing.T) {
		t.Parallel()
		d := newMockDay(t)
		key := d.created("--spec", "HMAC_512")
		d.agree("HMAC_512", "2/3", []string{key}, "profile: quorum ", "profile: fips-quorum ", "key_spec: RSA_4096", "key_spec: RSA_3072")
		d.hold(built.offline, "O", "M")
		d.lost = true
		d.hold(built.offline, "O", "M")
		d.hold(built.keymat, "I", "--machine", "import")
		d.proves("VERIFIED 1 of 1")
		d.calls()
	})
}

// calls sees to it that the two machines called nothing but what help iam says that
// they have to be allowed.
func (d *day) calls() {
	d.t.Helper()
	var happened struct {
		Events []struct {
			EventName string
		}
	}
	d.keymatJSON(&happened, "mock", "events")
	allowed := slices.Concat(online.FetchActions(), online.ImportActions(), []string{"kms:CreateKey"})
	for _, e := range happened.Events {
		if !slices.Contains(allowed, "kms:"+e.EventName) {
			d.t.Errorf("%s was called", e.EventName)
		}
	}
}

// created is the ARN of a new KMS key without material.
func (d *day) created(args ...string) string {
	d.t.Helper()
	return strings.TrimSpace(string(d.keymat(append([]string{"create"}, args...)...)))
}

// plannedReplica is the ID of the second target of a plan.
func plannedReplica(plan string) string {
	_, targets, _ := strings.Cut(plan, "\ntargets:\n")
	ids := regexp.MustCompile(`(?m)^  - id: (\S+)$`).FindAllStringSubmatch(targets, 2)
	return ids[1][1]
}

// encrypts sees to it that a replica has the material of its primary.
func (d *day) encrypts(primary, replica string) {
	d.t.Helper()
	d.write("message", []byte("across"))
	var encrypted struct{ CiphertextBlob string }
	d.awsJSON(&encrypted, "encrypt", "--key-id", primary, "--plaintext", "fileb://message")
	d.write("ciphertext", d.unbase64(encrypted.CiphertextBlob))
	var decrypted struct{ Plaintext string }
	d.awsJSON(&decrypted, "decrypt", "--region", "eu-west-1", "--key-id", replica, "--ciphertext-blob", "fileb://ciphertext")
	if got := string(d.unbase64(decrypted.Plaintext)); got != "across" {
		d.t.Errorf("the replica decrypts to %q", got)
	}
}
