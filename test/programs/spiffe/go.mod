module certwheel.io/test/spiffe

go 1.26

require github.com/spiffe/go-spiffe/v2 v2.6.0
