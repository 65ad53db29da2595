// SPDX-License-Identifier: Apache-2.0

// Hellohttp is hello with an HTTP client linked in and not used: the least that
// a program which can talk to KMS costs to start.
package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	fmt.Println("hello, world")
	if len(os.Args) > 1 { // keeps the linker from leaving it out
		fmt.Println(http.Get(os.Args[1]))
	}
}
