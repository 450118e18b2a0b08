package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"math/big"
	"net"
	"net/url"
)

func serial(number *big.Int) string {
	if number.Sign() == 0 {
		return "00"
	}
	return hex.EncodeToString(number.Bytes())
}

func attributes(name pkix.Name) [][2]string {
	all := [][2]string{}
	for _, attribute := range name.Names {
		all = append(all, [2]string{attribute.Type.String(), text(fmt.Sprint(attribute.Value))})
	}
	return all
}

func sizesOfRdns(der []byte) ([]int, error) {
	var rdns []asn1.RawValue
	if _, err := asn1.Unmarshal(der, &rdns); err != nil {
		return nil, err
	}
	sizes := []int{}
	for _, rdn := range rdns {
		var all []asn1.RawValue
		if _, err := asn1.UnmarshalWithParams(rdn.FullBytes, &all, "set"); err != nil {
			return nil, err
		}
		sizes = append(sizes, len(all))
	}
	return sizes, nil
}

func key(public any) string {
	switch key := public.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", key.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + key.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return fmt.Sprintf("%T", public)
}

func extensions(list []pkix.Extension) [][2]any {
	all := [][2]any{}
	for _, extension := range list {
		all = append(all, [2]any{extension.Id.String(), extension.Critical})
	}
	return all
}

func names(dns, email []string, uris []*url.URL, addresses []net.IP) object {
	found := object{"dnsNames": texts(dns), "emailAddresses": texts(email)}
	uriTexts, ips := []string{}, []string{}
	for _, uri := range uris {
		uriTexts = append(uriTexts, text(uri.String()))
	}
	for _, address := range addresses {
		ips = append(ips, hex.EncodeToString(address))
	}
	found["uris"], found["ipAddresses"] = uriTexts, ips
	return found
}

func texts(values []string) []string {
	all := []string{}
	for _, value := range values {
		all = append(all, text(value))
	}
	return all
}

func usages(certificate *x509.Certificate) (bits []int, purposes []string) {
	if has(certificate, 2, 5, 29, 15) {
		bits = []int{}
		for bit := range 9 {
			if certificate.KeyUsage&(1<<bit) != 0 {
				bits = append(bits, bit)
			}
		}
	}
	// crypto/x509 has numbers for some purposes and the identifiers of the others, so that their order is lost.
	for _, extension := range certificate.Extensions {
		if extension.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 37}) {
			var all []asn1.ObjectIdentifier
			_, err := asn1.Unmarshal(extension.Value, &all)
			must(err)
			if len(all) != len(certificate.ExtKeyUsage)+len(certificate.UnknownExtKeyUsage) {
				panic("crypto/x509 has lost a purpose")
			}
			for _, purpose := range all {
				purposes = append(purposes, purpose.String())
			}
		}
	}
	return bits, purposes
}

func constraints(certificate *x509.Certificate) object {
	found := object{"isCA": nil, "pathLength": nil, "subjectKeyId": nil, "authorityKeyId": nil}
	if has(certificate, 2, 5, 29, 19) {
		found["isCA"] = certificate.IsCA
		if certificate.MaxPathLen > 0 || certificate.MaxPathLenZero {
			found["pathLength"] = certificate.MaxPathLen
		}
	}
	if has(certificate, 2, 5, 29, 14) {
		found["subjectKeyId"] = hex.EncodeToString(certificate.SubjectKeyId)
	}
	if len(certificate.AuthorityKeyId) > 0 {
		found["authorityKeyId"] = hex.EncodeToString(certificate.AuthorityKeyId)
	}
	return found
}

func has(certificate *x509.Certificate, id ...int) bool {
	for _, extension := range certificate.Extensions {
		if extension.Id.Equal(id) {
			return true
		}
	}
	return false
}
