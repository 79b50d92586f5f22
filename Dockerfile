# One image for each app: docker build --build-arg APP=gateway . (or worker, or local)

FROM node:24-slim AS pnpm
ENV TURBO_TELEMETRY_DISABLED=1 npm_config_update_notifier=false npm_config_verify_deps_before_run=false
WORKDIR /repository
COPY package.json ./
RUN npm install --global "$(node -p 'require("./package.json").packageManager')"

# Leaves only what the app is made of, so that a change elsewhere builds nothing anew.
FROM pnpm AS prune
ARG APP
COPY . .
RUN npx --yes "turbo@$(sed -n 's/^  turbo: //p' pnpm-workspace.yaml)" prune "@asyncfn/${APP}" --docker

FROM pnpm AS build
ARG APP
COPY --from=prune /repository/out/json/ ./
RUN pnpm install --frozen-lockfile --filter "@asyncfn/${APP}..."
COPY --from=prune /repository/out/full/ ./
RUN pnpm --filter "@asyncfn/${APP}..." run build \
  && pnpm --filter "@asyncfn/${APP}" --prod deploy --legacy /app

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app ./
USER node
# Node itself, so that it gets the signals; no shell, no package manager in between.
CMD ["node", "--enable-source-maps", "dist/main.js"]
