// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// server is a process that prints its URL and then serves.
type server struct {
	process *exec.Cmd
	address string
	pid     int
}

// other is a server that somebody else started; nil without an address.
func other(address string, pid int) *server {
	if address == "" {
		return nil
	}
	return &server{address: address, pid: pid}
}

func serve(program string, args ...string) (*server, error) {
	c := exec.Command(program, args...)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), "http://"); ok {
			go io.Copy(io.Discard, out)
			return &server{c, address, c.Process.Pid}, nil
		}
	}
	return nil, fmt.Errorf("%s printed no address", program)
}

func (s *server) stop() {
	s.process.Process.Signal(os.Interrupt)
	s.process.Wait()
}

// processorTime is what the process of a server has used so far, by proc(5): user
// and system time in ticks of 10 ms.
func (s *server) processorTime() (time.Duration, error) {
	if s.pid == 0 {
		return 0, nil
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.pid))
	if err != nil {
		return 0, err
	}
	_, afterName, _ := bytes.Cut(stat, []byte(") "))
	fields := strings.Fields(string(afterName)) // from the third on
	ticks := 0
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}

func (s *server) request(r loadRequest) []byte { return s.requestIn("us-east-1", r) }

func (s *server) requestIn(region string, r loadRequest) []byte {
	return fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: %s\r\nX-Amz-Target: TrentService.%s\r\nContent-Type: application/x-amz-json-1.1\r\n"+
		"Authorization: AWS4-HMAC-SHA256 Credential=mock/20261122/%s/kms/aws4_request, SignedHeaders=host, Signature=00\r\nContent-Length: %d\r\n\r\n%s",
		s.address, r.operation, region, len(r.body), r.body)
}

func (s *server) ask(operation, body string, answer any) error {
	connection, err := net.Dial("tcp", s.address)
	if err != nil {
		return err
	}
	defer connection.Close()
	if _, err := connection.Write(s.request(loadRequest{operation, body})); err != nil {
		return err
	}
	got, err := readAnswer(bufio.NewReader(connection))
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return json.Unmarshal(got, answer)
}

// readAnswer reads one HTTP answer, which has to be a success.
func readAnswer(r *bufio.Reader) ([]byte, error) {
	status, err := r.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	ok := bytes.Contains(status, []byte(" 200 "))
	length := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		if len(line) <= 2 {
			break
		}
		if value, found := bytes.CutPrefix(line, []byte("Content-Length: ")); found {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return nil, err
			}
		}
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("answered %s", body)
	}
	return body, nil
}
