// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// measureLoad asks a mock server as fast as it answers, beside a server that
// does the least and, if its address is given, another KMS. The client is as
// cheap as it can be: it has the same two cores.
func measureLoad(dir, keymat, beside string) error {
	least := filepath.Join(dir, "least")
	if err := build("", least, "./internal/bench/least"); err != nil {
		return err
	}
	yardstick, err := serve(least)
	if err != nil {
		return err
	}
	defer yardstick.stop()
	var other *server
	if beside != "" {
		other = &server{address: beside}
	}
	fmt.Printf("\n| requests a second | at once | mock | p99 | other | p99 | mock/other | least server | mock/least |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, state := range [][]string{{"--memory"}, {"--state", filepath.Join(dir, "load.db")}} {
		mock, err := serve(keymat, append([]string{"mock", "serve", "--listen", "127.0.0.1:0", "--shared-wrapping-keys"}, state...)...)
		if err != nil {
			return err
		}
		err = loadOperations(mock, other, yardstick, state[0])
		mock.stop()
		if err != nil {
			return err
		}
	}
	return nil
}

func loadOperations(mock, other, yardstick *server, state string) error {
	requests, err := mock.requests()
	if err != nil {
		return err
	}
	var others []loadRequest
	if other != nil {
		if others, err = other.requests(); err != nil {
			return fmt.Errorf("the other KMS: %w", err)
		}
	}
	for i, r := range requests {
		for _, clients := range []int{1, 8, 64} {
			ours, err := mock.load(r, clients)
			if err != nil {
				return err
			}
			theirs, times := "| | ", ""
			if other != nil {
				o, err := other.load(others[i], clients)
				if err != nil {
					return fmt.Errorf("the other KMS: %w", err)
				}
				theirs, times = fmt.Sprintf("%.0f | %s |", o.perSecond, short(o.p99)), fmt.Sprintf("%.1f", ours.perSecond/o.perSecond)
			}
			least, err := yardstick.load(r, clients)
			if err != nil {
				return err
			}
			fmt.Printf("| %s %s | %d | %.0f | %s | %s %s | %.0f | %.2f |\n", r.operation, state, clients, ours.perSecond, short(ours.p99), theirs, times, least.perSecond, ours.perSecond/least.perSecond)
		}
	}
	return nil
}

// loadRequest is what a load repeats.
type loadRequest struct{ operation, body string }

// requests makes the keys that a load needs, and the requests about them.
func (s *server) requests() ([]loadRequest, error) {
	var created, waiting struct{ KeyMetadata struct{ KeyID string } }
	if err := s.ask("CreateKey", `{}`, &created); err != nil {
		return nil, err
	}
	if err := s.ask("CreateKey", `{"Origin":"EXTERNAL"}`, &waiting); err != nil {
		return nil, err
	}
	id := created.KeyMetadata.KeyID
	encrypt := fmt.Sprintf(`{"KeyId":%q,"Plaintext":%q}`, id, base64.StdEncoding.EncodeToString(make([]byte, 32)))
	var sealed struct{ CiphertextBlob string }
	if err := s.ask("Encrypt", encrypt, &sealed); err != nil {
		return nil, err
	}
	return []loadRequest{
		{"Encrypt", encrypt},
		{"Decrypt", fmt.Sprintf(`{"CiphertextBlob":%q}`, sealed.CiphertextBlob)},
		{"DescribeKey", fmt.Sprintf(`{"KeyId":%q}`, id)},
		{"GenerateDataKey", fmt.Sprintf(`{"KeyId":%q,"KeySpec":"AES_256"}`, id)},
		{"CreateKey", `{}`},
		{"GetParametersForImport", fmt.Sprintf(`{"KeyId":%q,"WrappingAlgorithm":"RSAES_OAEP_SHA_256","WrappingKeySpec":"RSA_2048"}`, waiting.KeyMetadata.KeyID)},
	}, nil
}

// server is a process that prints its URL and then serves.
type server struct {
	process *exec.Cmd
	address string
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
			return &server{c, address}, nil
		}
	}
	return nil, fmt.Errorf("%s printed no address", program)
}

func (s *server) stop() {
	s.process.Process.Signal(os.Interrupt)
	s.process.Wait()
}

// rate is what a load came to.
type rate struct {
	perSecond float64
	p99       time.Duration
}

// loadTime is how long one load lasts.
const loadTime = 2 * time.Second

// load sends the same request from so many clients at once, each over one
// connection, one after the other.
func (s *server) load(r loadRequest, clients int) (rate, error) {
	var mu sync.Mutex
	var times []time.Duration
	var failed error
	var all sync.WaitGroup
	start := time.Now()
	for range clients {
		all.Go(func() {
			mine, err := s.repeat(r, start.Add(loadTime))
			mu.Lock()
			defer mu.Unlock()
			times = append(times, mine...)
			if err != nil {
				failed = err
			}
		})
	}
	all.Wait()
	if failed != nil || len(times) == 0 {
		return rate{}, fmt.Errorf("%s: %v", r.operation, failed)
	}
	slices.Sort(times)
	return rate{float64(len(times)) / time.Since(start).Seconds(), times[len(times)*99/100]}, nil
}

func (s *server) repeat(r loadRequest, until time.Time) ([]time.Duration, error) {
	connection, err := net.Dial("tcp", s.address)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	request, answers := s.request(r), bufio.NewReader(connection)
	var times []time.Duration
	for before := time.Now(); before.Before(until); {
		if _, err := connection.Write(request); err != nil {
			return nil, err
		}
		if _, err := readAnswer(answers); err != nil {
			return nil, err
		}
		now := time.Now()
		times = append(times, now.Sub(before))
		before = now
	}
	return times, nil
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
