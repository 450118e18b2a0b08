package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
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

func credentialsFor(mounted *Mounted, question questionLine) credentials.TransportCredentials {
	if question.Anonymous {
		cas, err := readCAs(filepath.Join(question.Folder, "ca.crt"))
		must(err)
		return credentials.NewTLS(onlyVersion(&tls.Config{RootCAs: cas}, question.TLS))
	}
	// The embedded credentials answer the questions about the protocol; the handshake is ours.
	return &freshCredentials{credentials.NewTLS(&tls.Config{}), mounted, question.TLS}
}

func newGRPCConnection(fresh credentials.TransportCredentials, target string) (*grpc.ClientConn, error) {
	return grpc.NewClient(target, grpc.WithTransportCredentials(fresh))
}

func askGRPC(connection *grpc.ClientConn) answerLine {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	reply, server := new(wrapperspb.StringValue), new(peer.Peer)
	if err := connection.Invoke(ctx, whoAmI, new(emptypb.Empty), reply, grpc.Peer(server)); err != nil {
		return answerLine{Error: status.Convert(err).Code().String() + ": " + status.Convert(err).Message()}
	}
	state := server.AuthInfo.(credentials.TLSInfo).State
	return answerLine{
		Status:       http.StatusOK,
		Body:         reply.Value,
		ServerSerial: state.PeerCertificates[0].SerialNumber.Text(16),
		Protocol:     tls.VersionName(state.Version),
	}
}
