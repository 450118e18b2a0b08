// Command judge verifies certificate paths with crypto/x509 as a TLS server verifies its clients. Each line of the input
// is
//
//	SECONDS USAGES LEAF INTERMEDIATES ANCHORS
//
// as in ../openssl/judge.c; each line of the output is "ok" or the error.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

func main() {
	if len(os.Args) > 1 {
		fmt.Println(runtime.Version())
		return
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		answer := "ok"
		if err := judge(strings.Fields(lines.Text())); err != nil {
			answer = strings.ReplaceAll(err.Error(), "\n", " ")
		}
		fmt.Println(answer)
	}
	must(lines.Err())
}

var usages = map[string][]x509.ExtKeyUsage{
	"client":        {x509.ExtKeyUsageClientAuth},
	"client+server": {x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
}

func judge(fields []string) error {
	seconds, err := strconv.ParseInt(fields[0], 10, 64)
	must(err)
	leaf, err := x509.ParseCertificate(decode(fields[2]))
	if err != nil {
		return fmt.Errorf("unreadable leaf: %w", err)
	}
	intermediates := x509.NewCertPool()
	for _, der := range list(fields[3]) {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			// crypto/tls ends the handshake at a certificate that can't be parsed.
			return fmt.Errorf("unreadable intermediate: %w", err)
		}
		intermediates.AddCert(certificate)
	}
	roots := x509.NewCertPool()
	var unreadable error
	for _, der := range list(fields[4]) {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			// AppendCertsFromPEM passes over it.
			unreadable = err
			continue
		}
		roots.AddCert(certificate)
	}
	options := x509.VerifyOptions{Roots: roots, Intermediates: intermediates, CurrentTime: time.Unix(seconds, 0)}
	// One after the other: for Verify, one of several usages is enough.
	for _, usage := range usages[fields[1]] {
		options.KeyUsages = []x509.ExtKeyUsage{usage}
		if _, err := leaf.Verify(options); err != nil {
			if unreadable != nil {
				return fmt.Errorf("unreadable anchor: %w", unreadable)
			}
			return err
		}
	}
	return nil
}

func list(text string) [][]byte {
	if text == "-" {
		return nil
	}
	var all [][]byte
	for _, item := range strings.Split(text, ",") {
		all = append(all, decode(item))
	}
	return all
}

func decode(text string) []byte {
	der, err := base64.StdEncoding.DecodeString(text)
	must(err)
	return der
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
