// SPDX-License-Identifier: Apache-2.0

// Least is the least that a Go HTTP server can do for a KMS request: read it
// whole, find out what it asks for, and answer something of the usual size. It
// is the yardstick for the mock's speed.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "least:", err)
		os.Exit(1)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	fmt.Fprintln(os.Stderr, http.Serve(listener, http.HandlerFunc(answer)))
}

func answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var request struct{ KeyID string }
	if json.Unmarshal(body, &request) != nil || !strings.HasPrefix(r.Header.Get("X-Amz-Target"), "TrentService.") {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("x-amzn-RequestId", "00000000-0000-0000-0000-000000000000")
	answer, err := json.Marshal(map[string]string{"KeyId": request.KeyID, "Filler": strings.Repeat("x", 300)})
	if err == nil {
		w.Write(answer)
	}
}
