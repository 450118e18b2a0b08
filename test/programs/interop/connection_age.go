package main

import (
	"context"
	"net"
	"net/http"
	"time"
)

type bornKey struct{}

// rememberAge is the ConnContext of the http.Server.
func rememberAge(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, bornKey{}, time.Now())
}

// net/http has no setting for the age of a connection. This header closes an HTTP/1.1 connection after the answer, and
// ends an HTTP/2 connection with GOAWAY, so that no request is lost.
func limitAge(maxAge time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		born := request.Context().Value(bornKey{}).(time.Time)
		if maxAge > 0 && time.Since(born) > maxAge {
			response.Header().Set("Connection", "close")
		}
		next.ServeHTTP(response, request)
	})
}
