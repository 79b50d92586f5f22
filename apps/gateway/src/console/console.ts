import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { qualityOf } from '../http/index.ts';
import { refusal } from '../problem.ts';
import { type ConsoleFile, findFile, page, unzip } from './console-files.ts';
import { type TokenOptions, tokenRoutes } from './token-resource.ts';

export interface ConsoleOptions extends TokenOptions {
  /** Where the built console is; undefined if it is not served. */
  readonly folder: string | undefined;
}

/**
 * No inline script or style, nothing of another host, no frame around it. The console sends no form and has no base: both
 * could only serve an attacker.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const headers = {
  'Content-Security-Policy': contentSecurityPolicy,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  Vary: 'Accept-Encoding',
};

const year = 31_536_000;

/** The files under `/console`, and what the console asks first. */
export function consoleRoutes(app: FastifyInstance, options: ConsoleOptions, done: () => void): void {
  app.register(tokenRoutes, options);
  if (options.folder !== undefined) {
    serveFiles(app, options.folder);
  }
  done();
}

/** The files are open, because they contain nothing that is not in the source. */
function serveFiles(app: FastifyInstance, folder: string): void {
  const config = { scope: 'open' } as const;
  const schema = { hide: true };
  app.get('/console', { config, schema }, (request, reply) => send(folder, page, request, reply));
  app.get<{ Params: { '*': string } }>('/console/*', { config, schema }, (request, reply) =>
    send(folder, toFile(request.params['*']), request, reply),
  );
}

/** Pages are paths without an extension: the script shows them. */
function toFile(path: string): string {
  return path.startsWith('assets/') ? path : page;
}

async function send(folder: string, path: string, request: FastifyRequest, reply: FastifyReply) {
  const file = await findFile(folder, path);
  if (file === undefined) {
    return reply.refuse(
      refusal('not_found', 'The console has no such file. Reload the page: it may be of another version.'),
    );
  }
  const tag = tagOf(file);
  reply.headers({ ...headers, ...cachingOf(file, tag) }).type(file.mediaType);
  if (isKept(request, tag)) {
    return reply.code(304).send();
  }
  return takesGzip(request)
    ? reply.header('Content-Encoding', 'gzip').send(file.zipped)
    : reply.send(await unzip(file.zipped));
}

/** The names of assets contain a hash of their content, so that they never change. */
function cachingOf({ path }: ConsoleFile, tag: string): Record<string, string> {
  return path === page
    ? { 'Cache-Control': 'no-cache', ETag: tag }
    : { 'Cache-Control': `public, max-age=${year}, immutable`, ETag: tag };
}

/** A weak tag, because it is the same with and without gzip (RFC 9110, 8.8.3.3). */
function tagOf({ zipped }: ConsoleFile): string {
  return `W/"${createHash('sha256').update(zipped).digest('base64url').slice(0, 22)}"`;
}

/** Whether the client has this very file: tags are compared without regard to weakness (RFC 9110, 13.1.2). */
function isKept({ headers: { 'if-none-match': known = '' } }: FastifyRequest, tag: string): boolean {
  const opaque = tag.slice('W/'.length);
  return known.split(',').some((each) => each.trim().replace(/^W\//, '') === opaque);
}

function takesGzip({ headers }: FastifyRequest): boolean {
  const accepted = String(headers['accept-encoding'] ?? '');
  const gzip = qualityOf(accepted, ['gzip', '*']) ?? 0;
  return gzip > 0 && gzip >= (qualityOf(accepted, ['identity']) ?? 0);
}
