// SPDX-License-Identifier: Apache-2.0

package entropy

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
)

// The two tests of SP 800-90B section 4.4 for bytes of 8 bits of entropy each and a chance of a false alarm of 2^-40 per test.
const (
	sampleBytes  = 1 << 20
	runCutoff    = 6   // Repetition Count Test, 1 + 40/8
	window       = 512 // Adaptive Proportion Test, for more than two values
	windowCutoff = 19  // 1 + critical binomial(512, 2^-8, 1 - 2^-40)
)

// Sample is what was counted in output of the generator that was then thrown away. That output is conditioned: only a generator
// that is broken outright can fail, and entropy is not measured. Counts below the cut-offs are what is expected.
type Sample struct {
	Bytes        int    `json:"bytes"`
	FirstSHA256  string `json:"first_sha256"` // of the first 512 bytes; the same in two records only if a machine was cloned with its generator
	LongestRun   int    `json:"longest_run"`  // how many times in a row one byte came, at most
	RunCutoff    int    `json:"run_cutoff"`
	Window       int    `json:"window"`         // bytes, of which the first is counted in the others
	MostInWindow int    `json:"most_in_window"` // at most
	WindowCutoff int    `json:"window_cutoff"`
}

// TakeSample reads 1 MiB from crypto/rand, counts, and throws it away. A [*StuckError] comes with the sample.
func TakeSample() (Sample, error) { return sample(rand.Reader) }

func sample(r io.Reader) (Sample, error) {
	s := Sample{RunCutoff: runCutoff, Window: window, WindowCutoff: windowCutoff}
	block := make([]byte, window)
	defer clear(block)
	run, last := 0, -1
	for s.Bytes < sampleBytes {
		if _, err := io.ReadFull(r, block); err != nil {
			return s, fmt.Errorf("reading a sample of the generator: %w", err)
		}
		if s.Bytes == 0 {
			s.FirstSHA256 = fmt.Sprintf("%x", sha256.Sum256(block))
		}
		s.Bytes += len(block)
		same := 0
		for _, b := range block {
			if int(b) == last {
				run++
			} else {
				run, last = 1, int(b)
			}
			s.LongestRun = max(s.LongestRun, run)
			if b == block[0] {
				same++
			}
		}
		s.MostInWindow = max(s.MostInWindow, same)
	}
	if !s.Passed() {
		return s, &StuckError{Sample: s}
	}
	return s, nil
}

// Passed reports whether both counts are below their cut-offs.
func (s Sample) Passed() bool { return s.LongestRun < s.RunCutoff && s.MostInWindow < s.WindowCutoff }

// standard reports whether the sample is of the size and has the cut-offs that [TakeSample] uses.
func (s Sample) standard() bool {
	return s.Bytes == sampleBytes && digest().MatchString(s.FirstSHA256) && s.RunCutoff == runCutoff && s.Window == window && s.WindowCutoff == windowCutoff &&
		s.LongestRun >= 1 && s.LongestRun <= sampleBytes && s.MostInWindow >= 1 && s.MostInWindow <= window
}
