// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"slices"
	"time"
)

// A contender is one of the things compared with each other.
type contender struct {
	name string
	once func() error // what is measured; called many times
}

// compare lets the contenders take turns and prints a table of the median time
// of each, and how often the first one's fits into it.
func compare(title string, rounds int, contenders ...contender) error {
	times := make([][]time.Duration, len(contenders))
	for round := range rounds + 1 {
		for i, c := range contenders {
			start := time.Now()
			if err := c.once(); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			if round > 0 { // the first one fills caches
				times[i] = append(times[i], time.Since(start))
			}
		}
	}
	fmt.Printf("\n| %s | median | ratio |\n| --- | ---: | ---: |\n", title)
	first := median(times[0])
	for i, c := range contenders {
		m := median(times[i])
		fmt.Printf("| %s | %s | %.2f |\n", c.name, short(m), float64(m)/float64(first))
	}
	return nil
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return (d[(len(d)-1)/2] + d[len(d)/2]) / 2
}

// short keeps three digits or so.
func short(d time.Duration) time.Duration {
	switch {
	case d > time.Second:
		return d.Round(10 * time.Millisecond)
	case d > time.Millisecond:
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(100 * time.Nanosecond)
}
