// A goroutine per client: goroutines PORT.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
)

func greet(writer http.ResponseWriter, request *http.Request) {
	switch {
	case request.URL.Path != "/":
		http.NotFound(writer, request)
	case request.Method != http.MethodGet && request.Method != http.MethodHead:
		http.Error(writer, "", http.StatusMethodNotAllowed)
	default:
		fmt.Fprint(writer, "Hola, cliente!")
	}
}

func main() {
	server := http.Server{
		Addr:           "127.0.0.1:" + os.Args[1],
		Handler:        http.HandlerFunc(greet),
		MaxHeaderBytes: 16 << 10,
	}
	log.Fatal(server.ListenAndServe())
}
