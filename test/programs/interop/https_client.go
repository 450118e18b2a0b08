package main

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"time"
)

// newHTTPClient reads the files again for each new connection, so it needs no reload. HTTP/2 has to be asked for, since
// the transport no longer configures TLS itself.
func newHTTPClient(mounted *Mounted, version string) *http.Client {
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		config, err := mounted.ClientConfig(host, "h2", "http/1.1")
		if err != nil {
			return nil, err
		}
		dialer := tls.Dialer{Config: onlyVersion(config, version)}
		return dialer.DialContext(ctx, network, address)
	}
	return &http.Client{
		Transport: &http.Transport{DialTLSContext: dial, ForceAttemptHTTP2: true, IdleConnTimeout: time.Minute},
		Timeout:   10 * time.Second,
	}
}

func askHTTPS(client *http.Client, url string) answerLine {
	response, err := client.Get(url)
	if err != nil {
		return answerLine{Error: err.Error()}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answerLine{Error: err.Error()}
	}
	return answerLine{Status: response.StatusCode, Body: string(body)}
}
