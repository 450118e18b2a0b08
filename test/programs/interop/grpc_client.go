package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// freshCredentials reads the files again for each new connection: the configuration that credentials.NewTLS takes is
// copied once and has no callback for the server's CAs.
type freshCredentials struct {
	credentials.TransportCredentials
	mounted *Mounted
	version string
}

func (c *freshCredentials) ClientHandshake(ctx context.Context, authority string, connection net.Conn) (net.Conn, credentials.AuthInfo, error) {
	material, err := c.mounted.Current()
	if err != nil {
		return nil, nil, err
	}
	config := onlyVersion(material.ClientConfig(), c.version)
	return credentials.NewTLS(config).ClientHandshake(ctx, authority, connection)
}

func (c *freshCredentials) Clone() credentials.TransportCredentials {
	return &freshCredentials{TransportCredentials: c.TransportCredentials.Clone(), mounted: c.mounted, version: c.version}
}

func newGRPCConnection(mounted *Mounted, target, version string) (*grpc.ClientConn, error) {
	// The embedded credentials answer the questions about the protocol; the handshake is ours.
	fresh := &freshCredentials{credentials.NewTLS(&tls.Config{}), mounted, version}
	return grpc.NewClient(target, grpc.WithTransportCredentials(fresh))
}

func askGRPC(connection *grpc.ClientConn) answerLine {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	reply := new(wrapperspb.StringValue)
	if err := connection.Invoke(ctx, whoAmI, new(emptypb.Empty), reply); err != nil {
		return answerLine{Error: status.Convert(err).Code().String() + ": " + status.Convert(err).Message()}
	}
	return answerLine{Status: http.StatusOK, Body: reply.Value}
}
