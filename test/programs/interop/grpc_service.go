package main

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const whoAmI = "/certwheel.interop.Identity/WhoAmI"

type identityServer interface {
	whoAmI(ctx context.Context) (*wrapperspb.StringValue, error)
}

// What protoc-gen-go-grpc writes for: rpc WhoAmI(google.protobuf.Empty) returns (google.protobuf.StringValue).
var identityService = grpc.ServiceDesc{
	ServiceName: "certwheel.interop.Identity",
	HandlerType: (*identityServer)(nil),
	Methods: []grpc.MethodDesc{{
		MethodName: "WhoAmI",
		Handler: func(service any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			if err := decode(new(emptypb.Empty)); err != nil {
				return nil, err
			}
			return service.(identityServer).whoAmI(ctx)
		},
	}},
}

type identityFromPeer struct{}

func (identityFromPeer) whoAmI(ctx context.Context) (*wrapperspb.StringValue, error) {
	caller, ok := peer.FromContext(ctx)
	if !ok {
		return nil, status.Error(codes.Unauthenticated, "no peer")
	}
	info, ok := caller.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.PeerCertificates) == 0 {
		return nil, status.Error(codes.Unauthenticated, "no client certificate")
	}
	return wrapperspb.String(identityOf(&info.State)), nil
}
