// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// measureLoad asks a mock server as fast as it answers, beside a server that
// does the least and, if it is given, another KMS. The client is as cheap as it
// can be: it has the same cores.
//
// Requests per second depend on who else uses the machine. The processor time
// that a server takes for one request does so far less.
func measureLoad(dir, keymat string, beside *server, rounds int) error {
	least := filepath.Join(dir, "least")
	if err := build("", least, "./internal/bench/least"); err != nil {
		return err
	}
	yardstick, err := serve(least)
	if err != nil {
		return err
	}
	defer yardstick.stop()
	fmt.Printf("\n| requests a second, p99, processor time of one | at once | mock | | | other | | | least server | | | mock/other | mock/least |\n" +
		"| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, state := range [][]string{{"--memory"}, {"--state", filepath.Join(dir, "load.db")}} {
		mock, err := serve(keymat, append([]string{"mock", "serve", "--listen", "127.0.0.1:0", "--shared-wrapping-keys"}, state...)...)
		if err != nil {
			return err
		}
		err = loadOperations(mock, beside, yardstick, state[0], rounds)
		mock.stop()
		if err != nil {
			return err
		}
	}
	return nil
}

func loadOperations(mock, other, yardstick *server, state string, rounds int) error {
	requests, err := mock.requests()
	if err != nil {
		return err
	}
	others := requests
	if other != nil {
		if others, err = other.requests(); err != nil {
			return fmt.Errorf("the other KMS: %w", err)
		}
	}
	for i, r := range requests {
		for _, clients := range []int{1, 8, 64} {
			median, err := takeTurns(rounds, clients, turn{mock, r}, turn{other, others[i]}, turn{yardstick, r})
			if err != nil {
				return err
			}
			o, t, l := median[0], median[1], median[2]
			fmt.Printf("| %s %s | %d | %s | %s | %s | %s | %.2f |\n", r.operation, state, clients, o, t, l, o.over(t), o.perSecond/l.perSecond)
		}
	}
	return nil
}

// A turn is the load of one server; none if there is no server.
type turn struct {
	of   *server
	what loadRequest
}

// takeTurns loads servers in turns, and gives the median of each.
func takeTurns(rounds, clients int, turns ...turn) ([]rate, error) {
	rates := make([][]rate, len(turns))
	for range rounds {
		for i, t := range turns {
			if t.of == nil {
				continue
			}
			got, err := t.of.load(t.what, clients)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", t.of.address, err)
			}
			rates[i] = append(rates[i], got)
		}
	}
	medians := make([]rate, len(turns))
	for i := range turns {
		medians[i] = medianRate(rates[i])
	}
	return medians, nil
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

// rate is what a load came to.
type rate struct {
	perSecond float64
	p99       time.Duration
	processor time.Duration // that the server took for one request; 0 if it is not known
}

// String is three columns.
func (r rate) String() string {
	if r.perSecond == 0 {
		return "| |"
	}
	return fmt.Sprintf("%.0f | %s | %s", r.perSecond, short(r.p99), short(r.processor))
}

// over is how many times as many requests it was; nothing where there is no other.
func (r rate) over(other rate) string {
	if other.perSecond == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", r.perSecond/other.perSecond)
}

// medianRate is the median of each.
func medianRate(rates []rate) (m rate) {
	if len(rates) == 0 {
		return m
	}
	var gaps, p99s, processors []time.Duration
	for _, r := range rates {
		gaps = append(gaps, time.Duration(float64(time.Second)/r.perSecond))
		p99s, processors = append(p99s, r.p99), append(processors, r.processor)
	}
	return rate{float64(time.Second) / float64(median(gaps)), median(p99s), median(processors)}
}

// loadTime is how long one load lasts.
const loadTime = time.Second

// load sends the same request from so many clients at once, each over one
// connection, one after the other.
func (s *server) load(r loadRequest, clients int) (rate, error) {
	var mu sync.Mutex
	var times []time.Duration
	var failed error
	var all sync.WaitGroup
	before, err := s.processorTime()
	if err != nil {
		return rate{}, err
	}
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
	took := time.Since(start)
	after, err := s.processorTime()
	slices.Sort(times)
	n := len(times)
	return rate{float64(n) / took.Seconds(), times[n*99/100], (after - before) / time.Duration(n)}, err
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
