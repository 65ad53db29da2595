// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/internal/sshsig"
)

// TestSSHSignatures signs with us and verifies with ssh-keygen, and the other
// way round, for every kind of key that needs no hardware.
func TestSSHSignatures(t *testing.T) {
	keygen := tool(t, "ssh-keygen", "openssh-client")
	const namespace = "keymat-plan@v1"
	message := []byte("what was agreed on\n")
	for _, kind := range []string{"ed25519", "rsa", "ecdsa -b 256", "ecdsa -b 384", "ecdsa -b 521"} {
		t.Run(kind, func(t *testing.T) {
			d := newDesk(t)
			d.run(keygen, append([]string{"-q", "-N", "", "-f", "id", "-t"}, strings.Fields(kind)...)...)
			signer, err := ssh.ParsePrivateKey(d.read("id"))
			if err != nil {
				t.Fatal(err)
			}
			key, err := sshsig.ParsePublicKey(string(d.read("id.pub")))
			if err != nil {
				t.Fatal(err)
			}
			armoured, err := sshsig.Sign(message, namespace, signer)
			if err != nil {
				t.Fatal(err)
			}
			d.write("message", message)
			d.write("ours.sig", armoured)
			d.write("signers", fmt.Appendf(nil, "alice namespaces=%q %s", namespace, ssh.MarshalAuthorizedKey(key)))
			verify := keygen + " -Y verify -f signers -I alice -s ours.sig -n "
			d.sh(verify + namespace + " < message")
			if o := d.try("/bin/sh", "-c", verify+"other < message"); o.status == 0 {
				t.Error("ssh-keygen takes another namespace")
			}
			if o := d.try("/bin/sh", "-c", verify+namespace+" < id.pub"); o.status == 0 {
				t.Error("ssh-keygen takes other bytes")
			}
			for _, hash := range []string{"sha512", "sha256"} {
				d.run(keygen, "-q", "-Y", "sign", "-f", "id", "-n", namespace, "-O", "hashalg="+hash, "message")
				if err := sshsig.Verify(message, d.read("message.sig"), namespace, key); err != nil {
					t.Errorf("theirs, %s: %v", hash, err)
				}
				if err := sshsig.Verify(message[1:], d.read("message.sig"), namespace, key); err == nil {
					t.Error("we take other bytes")
				}
				os.Remove(d.path("message.sig"))
			}
		})
	}
}

// TestPlanSignedByOpenSSH plans a ceremony whose people use OpenSSH: one signs
// with ssh-keygen, another with an agent of OpenSSH's, and ssh-keygen verifies
// both with the signers of the plan.
func TestPlanSignedByOpenSSH(t *testing.T) {
	keygen := tool(t, "ssh-keygen", "openssh-client")
	d := newDesk(t)
	planWithKeys(d, keygen)
	d.run(keygen, "-q", "-Y", "sign", "-f", "lead.key", "-n", plan.Namespace, "plan.yaml")
	if err := os.Rename(d.path("plan.yaml.sig"), d.path("plan.yaml.lead.sig")); err != nil {
		t.Fatal(err)
	}
	agent := strings.Join([]string{tool(t, "ssh-agent", "openssh-client"), "sh", "-c",
		fmt.Sprintf("'%s -q witness.key && %s ceremony plan sign plan.yaml --as witness --yes'", tool(t, "ssh-add", "openssh-client"), built.keymat)}, " ")
	d.run("/bin/sh", "-c", agent)
	d.keymat("ceremony", "plan", "verify", "plan.yaml")
	p, err := plan.Read(bytes.NewReader(d.read("plan.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	d.write("allowed_signers", p.AllowedSigners(plan.Namespace))
	for _, person := range []string{"lead", "witness"} {
		d.sh(fmt.Sprintf("%s -Y verify -f allowed_signers -I %s -n %s -s plan.yaml.%s.sig < plan.yaml", keygen, person, plan.Namespace, person))
	}
}

// planWithKeys drafts a plan and makes a key for each of its people with
// OpenSSH.
func planWithKeys(d *desk, keygen string) {
	d.t.Helper()
	d.keymat("ceremony", "plan", "init", "plan.yaml", "--id", "test", "--target", "arn:aws:kms:us-east-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab")
	var filled strings.Builder
	person := ""
	for line := range strings.Lines(string(d.read("plan.yaml"))) {
		if id, ok := strings.CutPrefix(strings.TrimSpace(line), "- id: "); ok {
			person = id
		}
		if strings.HasPrefix(line, "    # key: ") {
			file := person + ".key"
			d.run(keygen, "-q", "-N", "", "-t", "ed25519", "-C", person+"@example.org", "-f", file)
			line = "    key: " + string(d.read(filepath.Base(file)+".pub"))
		}
		filled.WriteString(line)
	}
	d.write("plan.yaml", []byte(filled.String()))
}
