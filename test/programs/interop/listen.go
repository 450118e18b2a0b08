package main

import (
	"fmt"
	"io"
	"net"
	"time"
)

// listen prints the port. With a linger, a connection that the server closes is read to its end for so long.
func listen(address string, linger time.Duration) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	fmt.Printf("ready %d\n", listener.Addr().(*net.TCPAddr).Port)
	return &lingeringListener{listener, linger}, nil
}

type lingeringListener struct {
	net.Listener
	linger time.Duration
}

func (l *lingeringListener) Accept() (net.Conn, error) {
	connection, err := l.Listener.Accept()
	if err != nil || l.linger == 0 {
		return connection, err
	}
	return &lingeringConnection{connection.(*net.TCPConn), l.linger}, nil
}

// In TLS 1.3 a client sends its request before it learns that its certificate is refused. A server that closes with unread
// bytes resets the connection, and the reset may overtake the alert, so that clients report one or the other. Here the alert
// always arrives.
type lingeringConnection struct {
	*net.TCPConn
	linger time.Duration
}

func (c *lingeringConnection) Close() error {
	if err := c.CloseWrite(); err == nil {
		_ = c.SetReadDeadline(time.Now().Add(c.linger))
		_, _ = io.Copy(io.Discard, c.TCPConn)
	}
	return c.TCPConn.Close()
}
