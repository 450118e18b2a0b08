// Lists the certificates in the database of a step-ca that doesn't run: serial number and key pin and common name of each.
package main

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"os"

	badger "github.com/smallstep/nosql/badger/v2"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "version" {
		fmt.Println("step-db 1")
		return
	}
	if err := list(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// The keys of the bucket are serial numbers in decimals, and the values certificates in DER.
func list(folder string) error {
	db := &badger.DB{}
	if err := db.Open(folder); err != nil {
		return err
	}
	defer db.Close()
	entries, err := db.List([]byte("x509_certs"))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		certificate, err := x509.ParseCertificate(entry.Value)
		if err != nil {
			return fmt.Errorf("%s: %w", entry.Key, err)
		}
		pin := sha256.Sum256(certificate.RawSubjectPublicKeyInfo)
		fmt.Printf("0d%s %s %q\n", entry.Key, base64.StdEncoding.EncodeToString(pin[:]), certificate.Subject.CommonName)
	}
	return nil
}
