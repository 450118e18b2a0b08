module certwheel.io/test/pause

go 1.26
