// SPDX-License-Identifier: Apache-2.0

// Hello is what keymat's start is measured against.
package main

import "fmt"

func main() { fmt.Println("hello, world") }
