package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"
)

var clientAuths = map[string]tls.ClientAuthType{
	"none":     tls.NoClientCert,
	"optional": tls.VerifyClientCertIfGiven,
	"required": tls.RequireAndVerifyClientCert,
}

// serveHTTPS answers every request with the identity of its client.
func serveHTTPS(arguments []string) {
	flags := flag.NewFlagSet("https-server", flag.ExitOnError)
	folder := flags.String("folder", "", "where the Secret is mounted")
	address := flags.String("address", "127.0.0.1:0", "where to listen")
	version := flags.String("tls", "", "the only TLS version; both unless given")
	maxAge := flags.Duration("max-connection-age", 0, "close connections that are older; never unless given")
	linger := flags.Duration("linger", 0, "read on for so long before a connection is closed")
	tickets := flags.Bool("session-tickets", true, "let clients resume sessions")
	clientAuth := flags.String("client-auth", "required", "none, optional or required")
	must(flags.Parse(arguments))

	mounted := &Mounted{Folder: *folder}
	// So that a wrong file is an error at the start, and not at the first handshake.
	if _, err := mounted.Current(); err != nil {
		log.Fatal(err)
	}
	auth, ok := clientAuths[*clientAuth]
	if !ok {
		log.Fatalf("no client-auth %s", *clientAuth)
	}
	config := withEach(mounted.ServerConfig("h2", "http/1.1"), func(fresh *tls.Config) {
		fresh.SessionTicketsDisabled = !*tickets
		fresh.ClientAuth = auth
	})
	server := &http.Server{
		Handler:           limitAge(*maxAge, http.HandlerFunc(answer)),
		TLSConfig:         onlyVersion(config, *version),
		ConnContext:       rememberAge,
		ErrorLog:          log.New(os.Stderr, "", 0),
		ReadHeaderTimeout: 10 * time.Second,
	}
	listener, err := listen(*address, *linger)
	must(err)
	must(server.ServeTLS(listener, "", ""))
}

// The configuration that the callback returns decides.
func withEach(config *tls.Config, change func(*tls.Config)) *tls.Config {
	inner := config.GetConfigForClient
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		fresh, err := inner(hello)
		if err == nil {
			change(fresh)
		}
		return fresh, err
	}
	return config
}

func answer(response http.ResponseWriter, request *http.Request) {
	response.Header().Set("Content-Type", "application/json")
	if len(request.TLS.PeerCertificates) == 0 {
		log.Printf("without a certificate: %s", request.RemoteAddr)
		return
	}
	fmt.Fprintln(response, identityOf(request.TLS))
}
