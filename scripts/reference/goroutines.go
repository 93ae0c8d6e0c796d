// A goroutine for each client, in Go: net/http as its users write it. `goroutines PORT` listens on loopback.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

const (
	deadline  = 5 * time.Second
	waitMax   = 10_000
	roundsMax = 100_000_000
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: goroutines PORT")
		os.Exit(2)
	}
	if os.Args[1] == "--version" {
		fmt.Println(runtime.Version())
		return
	}
	server := http.Server{
		Handler:           http.HandlerFunc(answer),
		ReadHeaderTimeout: deadline,
		IdleTimeout:       deadline,
	}
	reuse := net.ListenConfig{Control: func(_, _ string, socket syscall.RawConn) error {
		return socket.Control(func(descriptor uintptr) {
			_ = syscall.SetsockoptInt(int(descriptor), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
		})
	}}
	listener, err := reuse.Listen(context.Background(), "tcp4", "127.0.0.1:"+os.Args[1])
	if err == nil {
		err = server.Serve(listener)
	}
	fmt.Fprintln(os.Stderr, "goroutines:", err)
	os.Exit(1)
}

func answer(out http.ResponseWriter, request *http.Request) {
	body, found := content(request.URL.Path)
	if !found || request.Method != http.MethodGet {
		http.Error(out, "not found", http.StatusNotFound)
		return
	}
	out.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = out.Write([]byte(body))
}

func content(path string) (string, bool) {
	if path == "/" {
		return "Hola, cliente!", true
	}
	for route, reply := range routes {
		if len(path) > len(route) && path[:len(route)] == route {
			number, err := strconv.ParseUint(path[len(route):], 10, 32)
			if err != nil {
				return "", false
			}
			return reply(number)
		}
	}
	return "", false
}

var routes = map[string]func(uint64) (string, bool){
	"/wait/": func(ms uint64) (string, bool) {
		if ms > waitMax {
			return "", false
		}
		time.Sleep(time.Duration(ms) * time.Millisecond)
		return fmt.Sprintf("waited %d ms\n", ms), true
	},
	"/compute/": func(rounds uint64) (string, bool) {
		if rounds > roundsMax {
			return "", false
		}
		return strconv.FormatUint(compute(rounds), 10), true
	},
}

// So many rounds of xorshift64*, as in Hola's /compute.
func compute(rounds uint64) uint64 {
	state := uint64(0x9E3779B97F4A7C15)
	for ; rounds > 0; rounds-- {
		state ^= state >> 12
		state ^= state << 25
		state ^= state >> 27
	}
	return state * 0x2545F4914F6CDD1D
}
