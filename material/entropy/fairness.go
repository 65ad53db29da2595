// SPDX-License-Identifier: Apache-2.0

package entropy

import (
	"bytes"
	"math"
)

// Hint is what looks unusual about throws. It is a hint for people to look at their dice and at how they note what they see, and
// no verdict: fair dice give one now and then, about twice in a thousand times.
type Hint string

// The hints.
const (
	Uneven       Hint = "the faces come up unevenly"
	FewRepeats   Hint = "a face follows itself too rarely, as where somebody makes the throws up"
	ManyRepeats  Hint = "a face follows itself too often, as where a die is not thrown high enough"
	minimumDice       = 30 // throws below which nothing can be said
	minimumCoins      = 20
)

// One time in a thousand fair throws are beyond these.
const (
	chiSquareDice  = 20.515 // 5 degrees of freedom
	chiSquareCoins = 10.828 // 1 degree
	normalTails    = 3.291  // standard deviations, both sides together
)

// Hints returns what looks unusual about the throws, if anything does. Of a file, and of few throws, it says nothing.
func (in Input) Hints() (hints []Hint) {
	sides := faces(in.Kind)
	in.content.Expose(func(throws []byte) error {
		if len(throws) < map[Kind]int{Dice: minimumDice, Coins: minimumCoins}[in.Kind] || in.Kind == File {
			return nil
		}
		if chiSquare(throws, sides) > map[Kind]float64{Dice: chiSquareDice, Coins: chiSquareCoins}[in.Kind] {
			hints = append(hints, Uneven)
		}
		switch d := repeatDeviation(throws, len(sides)); {
		case d < -normalTails:
			hints = append(hints, FewRepeats)
		case d > normalTails:
			hints = append(hints, ManyRepeats)
		}
		return nil
	})
	return hints
}

// chiSquare is Pearson's statistic for the hypothesis that all faces are equally likely.
func chiSquare(throws, sides []byte) (sum float64) {
	want := float64(len(throws)) / float64(len(sides))
	for _, side := range sides {
		off := float64(bytes.Count(throws, []byte{side})) - want
		sum += off * off / want
	}
	return sum
}

// repeatDeviation says by how many standard deviations the number of throws that equal the one before differs from what is
// expected.
func repeatDeviation(throws []byte, sides int) float64 {
	repeats := 0
	for i := 1; i < len(throws); i++ {
		if throws[i] == throws[i-1] {
			repeats++
		}
	}
	n, p := float64(len(throws)-1), 1/float64(sides)
	return (float64(repeats) - n*p) / math.Sqrt(n*p*(1-p))
}
