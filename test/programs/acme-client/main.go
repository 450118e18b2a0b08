// Command acme-client orders one certificate with the ACME client of the Go project, which answers no challenge itself: it
// prints each one as a line of JSON, and accepts it when it reads a line. Its last line is the certificate, or the error.
package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/crypto/acme"
)

type challenge struct {
	Domain           string `json:"domain"`
	Token            string `json:"token"`
	KeyAuthorization string `json:"keyAuthorization"`
	Thumbprint       string `json:"thumbprint"`
}

type result struct {
	Certificate string `json:"certificate,omitempty"`
	Error       string `json:"error,omitempty"`
}

// acme-client DIRECTORY CA-FILE CHALLENGE-TYPE ACCOUNT-KEY-FILE NAME...
func main() {
	if len(os.Args) == 2 {
		version()
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	certificate, err := order(ctx, os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5:])
	if err != nil {
		print(result{Error: err.Error()})
		return
	}
	print(result{Certificate: certificate})
}

func order(ctx context.Context, directory, caFile, kind, keyFile string, names []string) (string, error) {
	client, err := connect(directory, caFile, keyFile)
	if err != nil {
		return "", err
	}
	if _, err := client.Register(ctx, &acme.Account{}, acme.AcceptTOS); err != nil && err != acme.ErrAccountAlreadyExists {
		return "", err
	}
	order, err := client.AuthorizeOrder(ctx, acme.DomainIDs(names...))
	if err != nil {
		return "", err
	}
	uri := order.URI
	lines := bufio.NewScanner(os.Stdin)
	for _, url := range order.AuthzURLs {
		if err := authorize(ctx, client, url, kind, lines); err != nil {
			return "", err
		}
	}
	if order, err = client.WaitOrder(ctx, uri); err != nil {
		return "", err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: names}, key)
	if err != nil {
		return "", err
	}
	chain, _, err := client.CreateOrderCert(ctx, order.FinalizeURL, csr, true)
	if err != nil {
		// Pebble signs later, and its answer doesn't repeat the address of the order, without which the client can't wait. Until it
		// begins, the order still counts as ready.
		done := &acme.Order{}
		for done.CertURL == "" {
			var waited error
			if done, waited = client.WaitOrder(ctx, uri); waited != nil {
				return "", err
			}
			time.Sleep(50 * time.Millisecond)
		}
		if chain, err = client.FetchCert(ctx, done.CertURL, true); err != nil {
			return "", err
		}
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: chain[0]})), nil
}

func connect(directory, caFile, keyFile string) (*acme.Client, error) {
	ca, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	return &acme.Client{
		Key:          parsed.(*ecdsa.PrivateKey),
		DirectoryURL: directory,
		HTTPClient:   &http.Client{Transport: transport},
		// Pebble refuses nonces at random, and after a few of them the pauses of the default are longer than an order may take.
		RetryBackoff: func(int, *http.Request, *http.Response) time.Duration { return 50 * time.Millisecond },
	}, nil
}

func authorize(ctx context.Context, client *acme.Client, url, kind string, lines *bufio.Scanner) error {
	authorization, err := client.GetAuthorization(ctx, url)
	if err != nil {
		return err
	}
	if authorization.Status == acme.StatusValid {
		return nil
	}
	for _, offered := range authorization.Challenges {
		if offered.Type != kind {
			continue
		}
		// The key authorization is the same text for every type of challenge.
		answer, err := client.HTTP01ChallengeResponse(offered.Token)
		if err != nil {
			return err
		}
		thumbprint := answer[strings.LastIndex(answer, ".")+1:]
		print(challenge{authorization.Identifier.Value, offered.Token, answer, thumbprint})
		lines.Scan()
		if _, err := client.Accept(ctx, offered); err != nil {
			return err
		}
		_, err = client.WaitAuthorization(ctx, url)
		return err
	}
	return fmt.Errorf("no challenge of type %s for %s", kind, authorization.Identifier.Value)
}

func print(value any) {
	line, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

func version() {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		fmt.Println(module.Path, module.Version)
	}
}
