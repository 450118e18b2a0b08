package main

import (
	"flag"
	"log"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
)

func serveGRPC(arguments []string) {
	flags := flag.NewFlagSet("grpc-server", flag.ExitOnError)
	folder := flags.String("folder", "", "where the Secret is mounted")
	address := flags.String("address", "127.0.0.1:0", "where to listen")
	version := flags.String("tls", "", "the only TLS version; both unless given")
	maxAge := flags.Duration("max-connection-age", 0, "close connections that are older; never unless given")
	linger := flags.Duration("linger", 0, "read on for so long before a connection is closed")
	must(flags.Parse(arguments))

	mounted := &Mounted{Folder: *folder}
	// So that a wrong file is an error at the start, and not at the first handshake.
	if _, err := mounted.Current(); err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(
		grpc.Creds(credentials.NewTLS(onlyVersion(mounted.ServerConfig("h2"), *version))),
		// A connection keeps the certificate that it began with. After this age the server sends GOAWAY, and the client
		// connects again; calls that run may still end within the grace. Zero means never.
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionAge:      *maxAge,
			MaxConnectionAgeGrace: 10 * time.Second,
		}),
	)
	server.RegisterService(&identityService, identityFromPeer{})
	listener, err := listen(*address, *linger)
	must(err)
	must(server.Serve(listener))
}
