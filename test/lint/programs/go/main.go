// Command certificate-reader prints what crypto/x509 reads. Each line of its input is "certificate" or "request" and its
// DER in base64; each line of its output is a JSON object: the fields of readers/reading.ts, or {"refused": REASON}.
package main

import (
	"bufio"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
)

type object map[string]any

func main() {
	if len(os.Args) > 1 {
		fmt.Println(runtime.Version())
		return
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		kind, text, _ := strings.Cut(lines.Text(), " ")
		der, err := base64.StdEncoding.DecodeString(text)
		must(err)
		answer, err := readers[kind](der)
		if err != nil {
			answer = object{"refused": err.Error()}
		}
		line, err := json.Marshal(answer)
		must(err)
		fmt.Println(string(line))
	}
	must(lines.Err())
}

var readers = map[string]func([]byte) (object, error){"certificate": readCertificate, "request": readRequest}

func readCertificate(der []byte) (object, error) {
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	algorithm, err := signatureAlgorithm(der)
	if err != nil {
		return nil, err
	}
	rdns, err := sizesOfRdns(certificate.RawSubject)
	if err != nil {
		return nil, err
	}
	bits, purposes := usages(certificate)
	answer := names(certificate.DNSNames, certificate.EmailAddresses, certificate.URIs, certificate.IPAddresses)
	for key, value := range constraints(certificate) {
		answer[key] = value
	}
	for key, value := range (object{
		"version":            certificate.Version,
		"serialNumber":       serial(certificate.SerialNumber),
		"signatureAlgorithm": algorithm,
		"issuer":             attributes(certificate.Issuer),
		"subject":            attributes(certificate.Subject),
		"subjectRdns":        rdns,
		"notBefore":          certificate.NotBefore.Unix(),
		"notAfter":           certificate.NotAfter.Unix(),
		"key":                key(certificate.PublicKey),
		"spkiSHA256":         digest(certificate.RawSubjectPublicKeyInfo),
		"extensions":         extensions(certificate.Extensions),
		"keyUsage":           bits,
		"extendedKeyUsage":   purposes,
	}) {
		answer[key] = value
	}
	return answer, nil
}

// A request has fewer fields; its signature is checked too.
func readRequest(der []byte) (object, error) {
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, err
	}
	if err := request.CheckSignature(); err != nil {
		return nil, err
	}
	algorithm, err := signatureAlgorithm(der)
	if err != nil {
		return nil, err
	}
	answer := names(request.DNSNames, request.EmailAddresses, request.URIs, request.IPAddresses)
	answer["signatureAlgorithm"] = algorithm
	answer["subject"] = attributes(request.Subject)
	answer["key"] = key(request.PublicKey)
	answer["spkiSHA256"] = digest(request.RawSubjectPublicKeyInfo)
	answer["extensions"] = extensions(request.Extensions)
	return answer, nil
}

// Both kinds are SEQUENCE {content, algorithm, signature}.
func signatureAlgorithm(der []byte) (string, error) {
	var outer struct {
		Content   asn1.RawValue
		Algorithm struct {
			Algorithm  asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		return "", err
	}
	return outer.Algorithm.Algorithm.String(), nil
}

func digest(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

func text(value string) string {
	return hex.EncodeToString([]byte(value))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
