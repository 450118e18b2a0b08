package main

import (
	"crypto/tls"
	"io"
	"net/http"
	"sync"
	"time"
)

// reloading has a transport for each version of the Secret. Without that an HTTP/2 connection, which lives as long as it is
// used, would keep the certificate that it began with.
type reloading struct {
	mounted *Mounted
	adjust  func(*tls.Config) *tls.Config

	mutex     sync.Mutex
	material  *Material
	transport *http.Transport
}

func (r *reloading) RoundTrip(request *http.Request) (*http.Response, error) {
	transport, err := r.current()
	if err != nil {
		return nil, err
	}
	return transport.RoundTrip(request)
}

func (r *reloading) current() (*http.Transport, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	material, err := r.mounted.Current()
	if err != nil || material == r.material {
		return r.transport, err
	}
	// Requests that run end on the former transport.
	r.CloseIdleConnections()
	r.material = material
	r.transport = &http.Transport{
		TLSClientConfig: r.adjust(material.ClientConfig()),
		// A transport with a TLS configuration of its own speaks HTTP/1.1 alone unless this is set.
		ForceAttemptHTTP2: true,
		IdleConnTimeout:   time.Minute,
	}
	return r.transport, nil
}

func (r *reloading) CloseIdleConnections() {
	if r.transport != nil {
		r.transport.CloseIdleConnections()
	}
}

func newHTTPClient(mounted *Mounted, version string) *http.Client {
	adjust := func(config *tls.Config) *tls.Config { return onlyVersion(config, version) }
	return &http.Client{Transport: &reloading{mounted: mounted, adjust: adjust}, Timeout: 10 * time.Second}
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
