// Command interop has the servers and clients in Go that the interoperability tests run.
//
// A server prints "ready PORT" and answers with the identity of the client. A client reads a question in JSON per line and
// writes an answer in JSON per line.
package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"runtime"
	"strings"

	"google.golang.org/grpc"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		log.Fatal("usage: interop https-server|grpc-server|client|version")
	}
	switch command, rest := os.Args[1], os.Args[2:]; command {
	case "https-server":
		serveHTTPS(rest)
	case "grpc-server":
		serveGRPC(rest)
	case "client":
		answerQuestions()
	case "version":
		fmt.Printf("Go %s, grpc-go %s\n", strings.TrimPrefix(runtime.Version(), "go"), grpc.Version)
	default:
		log.Fatalf("no command %s", command)
	}
}

type questionLine struct {
	// https://HOST:PORT/PATH, or grpc://HOST:PORT.
	URL    string `json:"url"`
	Folder string `json:"folder"`
	// The only version; both unless given.
	TLS string `json:"tls"`
	// The name of a client that keeps its connections; a new one unless given.
	Keep string `json:"keep"`
	// Shows a certificate only to servers that list its CA, as Go does by default. With HTTPS alone.
	OnlyListed bool `json:"onlyListed"`
	// Shows no certificate. With gRPC alone.
	Anonymous bool `json:"anonymous"`
}

type answerLine struct {
	Status int    `json:"status,omitempty"`
	Body   string `json:"body,omitempty"`
	Error  string `json:"error,omitempty"`
	// Of the server's certificate; lower-case hex. With gRPC alone.
	ServerSerial string `json:"serverSerial,omitempty"`
	Protocol     string `json:"protocol,omitempty"`
}

func answerQuestions() {
	kept := map[string]func() answerLine{}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var question questionLine
		must(json.Unmarshal(lines.Bytes(), &question))
		ask, end := kept[question.Keep], func() {}
		if ask == nil || question.Keep == "" {
			ask, end = newClient(question)
		}
		text, err := json.Marshal(ask())
		must(err)
		fmt.Println(string(text))
		if question.Keep == "" {
			end()
		} else {
			kept[question.Keep] = ask
		}
	}
	must(lines.Err())
}

func newClient(question questionLine) (ask func() answerLine, end func()) {
	mounted := &Mounted{Folder: question.Folder}
	if target, ok := strings.CutPrefix(question.URL, "grpc://"); ok {
		connection, err := newGRPCConnection(credentialsFor(mounted, question), target)
		must(err)
		return func() answerLine { return askGRPC(connection) }, func() { must(connection.Close()) }
	}
	client := newHTTPClient(mounted, question.TLS)
	if transport := client.Transport.(*reloading); question.OnlyListed {
		adjust := transport.adjust
		transport.adjust = func(config *tls.Config) *tls.Config { return onlyListed(adjust(config)) }
	}
	return func() answerLine { return askHTTPS(client, question.URL) }, client.CloseIdleConnections
}

func onlyListed(config *tls.Config) *tls.Config {
	certificate, err := config.GetClientCertificate(nil)
	must(err)
	config.Certificates, config.GetClientCertificate = []tls.Certificate{*certificate}, nil
	return config
}

func onlyVersion(config *tls.Config, version string) *tls.Config {
	versions := map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}
	if only, ok := versions[version]; ok {
		config.MinVersion, config.MaxVersion = only, only
	}
	if inner := config.GetConfigForClient; inner != nil {
		config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			fresh, err := inner(hello)
			if err == nil && version != "" {
				fresh.MinVersion, fresh.MaxVersion = config.MinVersion, config.MaxVersion
			}
			return fresh, err
		}
	}
	return config
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
