// Command probe is what the tests of the local cluster run in pods, and on the client network to ask those pods.
//
//	probe serve DIRECTORY   writes a file named after the host into DIRECTORY and serves on port 8080:
//	                        /lookup?name=NAME the addresses of NAME, /directory the names of DIRECTORY's files
//	probe get URL           prints what the URL answers
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(arguments []string) error {
	if len(arguments) != 2 {
		return errors.New("usage: probe serve DIRECTORY | probe get URL")
	}
	switch command, argument := arguments[0], arguments[1]; command {
	case "serve":
		return serve(argument)
	case "get":
		return get(argument)
	default:
		return fmt.Errorf("unknown command %q", command)
	}
}

func serve(directory string) error {
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(directory, host), nil, 0o644); err != nil {
		return err
	}
	http.HandleFunc("GET /lookup", lookup)
	http.HandleFunc("GET /directory", func(w http.ResponseWriter, _ *http.Request) { list(w, directory) })
	log.Printf("%s serves", host)
	return http.ListenAndServe(":8080", nil)
}

func lookup(w http.ResponseWriter, r *http.Request) {
	addresses, err := net.DefaultResolver.LookupHost(r.Context(), r.FormValue("name"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	for _, address := range addresses {
		fmt.Fprintln(w, address)
	}
}

func list(w http.ResponseWriter, directory string) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	for _, entry := range entries {
		fmt.Fprintln(w, entry.Name())
	}
}

// get asks again while nobody takes the connection: a node learns of a Service's pods a moment after they are Ready.
func get(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for again := time.NewTicker(100 * time.Millisecond); ; {
		err := ask(ctx, url)
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return err
		}
	}
}

func ask(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	_, err = io.Copy(os.Stdout, response.Body)
	return err
}
