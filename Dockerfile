# The image of `make image-tar`, for those who build with a container engine; `make image-tar` makes dist/rootfs.
# What it says below is what tools/image/settings.ts says; a test holds the two against each other.
FROM scratch
COPY dist/rootfs/ /
LABEL org.opencontainers.image.title="certwheel" \
      org.opencontainers.image.description="A Kubernetes controller that rotates mTLS client certificates, and proves that it did" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
ENV MALLOC_ARENA_MAX=2 \
    MALLOC_MMAP_THRESHOLD_=65536 \
    UV_THREADPOOL_SIZE=6
EXPOSE 8080/tcp 8081/tcp
WORKDIR /
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/node", "--max-semi-space-size=4", "--max-old-space-size-percentage=55", "--expose-gc", "/app/certwheel.mjs"]
