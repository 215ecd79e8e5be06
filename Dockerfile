# The packages apart from the source: a change of the source reinstalls nothing.
FROM node:24-slim AS packages
WORKDIR /app
COPY .npmrc package.json package-lock.json ./
# better-sqlite3 brings its binaries: no package needs its install script.
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts --no-audit --no-fund

# The page and the server are built with packages that the image does not keep.
FROM node:24-slim AS built
WORKDIR /app
COPY .npmrc package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY console ./console
RUN npm run build:console
COPY tools/build-server.ts ./tools/
COPY bin ./bin
COPY src ./src
RUN npm run build:server && rm -r console node_modules tools tsconfig.json

FROM node:24-slim
WORKDIR /app
RUN mkdir /data compiled && chown node:node /data compiled
ENV NODE_ENV=production HOST=0.0.0.0 DATA_DIR=/data LIVE_URL=http://127.0.0.1:8000/livez
COPY --from=packages /app/node_modules ./node_modules
# The source and what is built of it at once, so that both have the same times whatever Docker has kept (bin/main.js looks at them).
# Readable by the user node, whatever umask the files were checked out with.
COPY --chmod=755 --from=built /app ./
# The page shows lines of the two.
COPY --chmod=755 Dockerfile docker-compose.yml ./
USER node
# Compiled once, and not by each container at each start. Node takes what the same user has compiled.
ENV NODE_COMPILE_CACHE=/app/compiled
RUN node bin/main.js topology \
  && node -e "for (const file of require('node:fs').globSync('{dist/server/*-*.js,src/**/*-worker.ts}')) import('./' + file)"
VOLUME /data
EXPOSE 8000
# Its own life, not that of others: who waits for a module that is away need not be started again. An agent of its own goes
# through no proxy that the environment names.
HEALTHCHECK --interval=3s --timeout=3s --retries=3 --start-period=30s \
  CMD ["node", "-e", "require('node:http').get(process.env.LIVE_URL, { agent: false }, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
CMD ["node", "bin/main.js"]
