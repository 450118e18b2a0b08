// Command go-cas makes CA files as projects that are written in Go make them, and says what crypto/x509 thinks of CA files.
//
//	go-cas kubeadm|k3s|cert-manager|istio|consul   writes tls.crt and tls.key into the current folder
//	go-cas pair CRT KEY                            exit code 1 and the reason if crypto/tls can't load the pair
//	go-cas verify USAGE LEAF UNTRUSTED ROOTS       exit code 1 and the reason if there is no path for the usage
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 3 && args[0] == "pair":
		_, err := tls.LoadX509KeyPair(args[1], args[2])
		return err
	case len(args) == 5 && args[0] == "verify":
		return verify(args[1], args[2], args[3], args[4])
	case len(args) == 1 && makers[args[0]] != nil:
		return makers[args[0]]()
	}
	return fmt.Errorf("unknown command %q", args)
}

var usages = map[string]x509.ExtKeyUsage{
	"sslclient": x509.ExtKeyUsageClientAuth,
	"sslserver": x509.ExtKeyUsageServerAuth,
}

func verify(usage, leafFile, untrustedFile, rootsFile string) error {
	leaves, err := certificates(leafFile)
	if err != nil {
		return err
	}
	if len(leaves) != 1 {
		return fmt.Errorf("%d leaves", len(leaves))
	}
	options := x509.VerifyOptions{
		Intermediates: x509.NewCertPool(),
		Roots:         x509.NewCertPool(),
		KeyUsages:     []x509.ExtKeyUsage{usages[usage]},
	}
	// A file of a Secret may hold certificates that Go can't read beside those that it needs.
	untrusted, unreadable := certificates(untrustedFile)
	roots, unreadableRoot := certificates(rootsFile)
	for _, each := range untrusted {
		options.Intermediates.AddCert(each)
	}
	for _, each := range roots {
		options.Roots.AddCert(each)
	}
	_, err = leaves[0].Verify(options)
	if err != nil && (unreadable != nil || unreadableRoot != nil) {
		return fmt.Errorf("%w (unreadable: %v, %v)", err, unreadable, unreadableRoot)
	}
	return err
}
