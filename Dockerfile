# syntax=docker/dockerfile:1
# The image of brokerlink: the production install of the npm package on a base without a shell or a package manager.
#
#   docker build -t brokerlink .
#   docker buildx build --platform linux/amd64,linux/arm64 -t registry.example.org/brokerlink .
#
# test/image builds the same file tree by the same steps and runs it as an unprivileged user on a read-only root.
ARG NODE_VERSION=24
ARG DEBIAN_VERSION=13

# Nothing here depends on the processor: no dependency has native code. So it is built once, on the machine's own kind.
FROM --platform=$BUILDPLATFORM node:${NODE_VERSION}-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build \
  && npm pack --ignore-scripts --pack-destination /tmp \
  && mkdir -p /out/app /out/var/lib/brokerlink \
  && tar -xzf /tmp/brokerlink-*.tgz -C /out/app --strip-components=1 \
  && cp package-lock.json /out/app/ \
  && cd /out/app \
  && npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  && rm -rf docs package-lock.json node_modules/.package-lock.json

FROM gcr.io/distroless/nodejs${NODE_VERSION}-debian${DEBIAN_VERSION}:nonroot
ARG VERSION=0.0.0-dev
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="brokerlink" \
  org.opencontainers.image.description="Links MQTT brokers: two brokers far apart share one topic namespace, and only what somebody subscribed to crosses the wire." \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.documentation="https://www.npmjs.com/package/brokerlink" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}" \
  org.opencontainers.image.created="${CREATED}"
COPY --from=build --chown=0:0 /out/app /app
# For data_dir without a volume of its own, as with docker compose: a named volume takes over this folder's owner.
COPY --from=build --chown=65532:65532 /out/var/lib/brokerlink /var/lib/brokerlink
# Half of the container's memory limit for JavaScript objects, and young generations of 2 MiB instead of 16: by itself
# Node 24 takes up to 259 MiB of heap in a container of 192 MiB, and is killed. The other half is for the program,
# sockets and buffers. A percentage, because only the container knows its limit; without one it means the machine's memory.
ENV NODE_ENV=production \
  NODE_OPTIONS="--max-old-space-size-percentage=50 --max-semi-space-size=2"
USER 65532:65532
WORKDIR /var/lib/brokerlink
EXPOSE 9464
# The base's entry point is node; exec form, so that signals reach the agent, which handles them as process 1.
ENTRYPOINT ["/nodejs/bin/node", "/app/bin/brokerlink.js"]
CMD ["run", "--config", "/etc/brokerlink/brokerlink.yaml"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
  CMD ["/nodejs/bin/node", "/app/bin/brokerlink.js", "healthcheck"]
