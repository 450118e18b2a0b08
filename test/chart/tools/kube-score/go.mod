module certwheel.io/test/chart/kube-score

go 1.26.0

require github.com/zegl/kube-score v1.20.0
