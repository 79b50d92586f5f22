# One image for each app: docker build --build-arg APP=gateway -t asyncfn-gateway .
# APP is gateway, worker, or asyncfn: everything in one container, with nats-server, sample functions and an inbox.
ARG APP=unset

FROM node:24-slim AS pnpm
ENV TURBO_TELEMETRY_DISABLED=1 npm_config_update_notifier=false
WORKDIR /repository
COPY package.json ./
RUN npm install --global "$(node -p 'require("./package.json").packageManager')"

# Keeps only the files of the app, so that a change elsewhere does not rebuild it.
FROM pnpm AS prune
ARG APP
COPY . .
RUN apps=$(node scripts/image/apps.js "${APP#unset}") \
  && npx --yes "turbo@$(sed -n 's/^  turbo: //p' pnpm-workspace.yaml)" prune $apps --docker

# The app's dependencies: installed again only if a version changes.
FROM pnpm AS dependencies
COPY --from=prune /repository/out/json/ ./
COPY scripts/image/trim.js /image/
RUN pnpm install --prod --frozen-lockfile --filter-prod "{apps/*}..." \
  && node /image/trim.js .

FROM pnpm AS build
COPY --from=prune /repository/out/json/ ./
RUN pnpm install --frozen-lockfile
COPY --from=prune /repository/out/full/ ./
COPY scripts/image/trim.js /image/
RUN pnpm --config.verify-deps-before-run=false --recursive run build \
  && find . -name node_modules -prune -exec rm -rf {} + \
  && node /image/trim.js .

FROM node:24-slim AS runtime
ENV NODE_ENV=production
COPY LICENSE scripts/image/health.mjs /app/
COPY --from=dependencies /repository/ /app/
COPY --from=build /repository/ /app/
# Runs Node directly, so that it receives signals without a shell or a package manager in between.
CMD ["node", "--enable-source-maps", "dist/main.js"]
ARG VERSION=0.3.0
ARG REVISION=unknown
LABEL org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}" \
  org.opencontainers.image.base.name="docker.io/library/node:24-slim"

FROM runtime AS app-gateway
LABEL org.opencontainers.image.title="asyncfn gateway" \
  org.opencontainers.image.description="Takes calls of HTTP functions and puts them into a durable queue on NATS JetStream."
WORKDIR /app/apps/gateway
USER node
# The API, and the operations server: metrics and probes.
EXPOSE 8080 8082
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["node", "/app/health.mjs", "8082"]

FROM runtime AS app-worker
LABEL org.opencontainers.image.title="asyncfn worker" \
  org.opencontainers.image.description="Takes calls from the queue, calls their functions, and delivers the results."
WORKDIR /app/apps/worker
USER node
EXPOSE 8081
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["node", "/app/health.mjs", "8081"]

FROM runtime AS app-asyncfn
LABEL org.opencontainers.image.title="asyncfn" \
  org.opencontainers.image.description="Everything in one container: NATS, gateway, worker, console, sample functions and a callback inbox."
WORKDIR /app/apps/local
COPY --from=nats:2.15-alpine /usr/local/bin/nats-server /usr/local/bin/
# The queue. Any user may write to it, so that --user works; a volume created for it inherits this.
RUN install --directory --mode=1777 /data
VOLUME /data
ENV STATE_DIR=/data HOST=0.0.0.0
USER node
# The API and the inbox. The operations servers of gateway and worker use 8082 and 8081.
EXPOSE 8080 8090
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["node", "/app/health.mjs", "8082"]

# Without APP the build ends in the stage above, which says what to pass.
FROM prune AS app-unset

# APP is gateway, worker or asyncfn: --build-arg APP=gateway
FROM app-${APP}
