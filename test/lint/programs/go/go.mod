module certwheel.io/test/certificate-reader

go 1.26
