module certwheel.io/test/judge

go 1.26
