# coras in a container: the static program of a release, certificates, and nothing else. After scripts/release:
#   docker build -t coras .
#   docker run --rm coras version
#   docker run -p 127.0.0.1:5000:5000 -v models:/var/lib/coras coras serve --root /var/lib/coras/registry --listen :5000
# scripts/package image makes the same without a daemon.
FROM debian:12-slim AS system
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates
ARG VERSION=0.1.0
ARG TARGETARCH=amd64
COPY dist/coras_${VERSION}_linux_${TARGETARCH}.tar.gz /coras.tar.gz
# A tree of its own: of a link that is copied alone the image would get the file once more.
RUN install -d /image/etc/ssl/certs /image/usr/bin /image/usr/share/doc/coras && install -d -m 1777 /image/tmp \
    && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
    && echo 'coras:x:65532:65532:coras:/var/lib/coras:/nonexistent' > /image/etc/passwd \
    && tar --no-same-owner -C /image/usr/bin -xzf /coras.tar.gz coras && ln -s coras /image/usr/bin/oras \
    && tar --no-same-owner -C /image/usr/share/doc/coras -xzf /coras.tar.gz LICENSE NOTICE THIRD-PARTY \
    && mkdir -p /var/lib/coras

FROM scratch
COPY --from=system /image/ /
COPY --from=system --chown=65532:65532 /var/lib/coras/ /var/lib/coras/
USER 65532:65532
WORKDIR /var/lib/coras
ENV HOME=/var/lib/coras PATH=/usr/bin
VOLUME /var/lib/coras
EXPOSE 5000
# Of `coras serve`, where everybody may read; without a registry at this port the container is no service to be judged.
HEALTHCHECK --interval=30s --timeout=5s CMD ["/usr/bin/coras", "repo", "ls", "--plain-http", "127.0.0.1:5000"]
ENTRYPOINT ["/usr/bin/coras"]
CMD ["help"]
