package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
)

// As the projects write it: PKCS#1 for RSA, SEC 1 for EC.
func writePair(der []byte, key crypto.Signer) error {
	if err := writePem("tls.crt", "CERTIFICATE", der, 0o644); err != nil {
		return err
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return writePem("tls.key", "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key), 0o600)
	case *ecdsa.PrivateKey:
		bytes, err := x509.MarshalECPrivateKey(key)
		must(err)
		return writePem("tls.key", "EC PRIVATE KEY", bytes, 0o600)
	}
	return errors.New("unknown kind of key")
}

func writePem(file, label string, bytes []byte, mode os.FileMode) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: label, Bytes: bytes}), mode)
}
