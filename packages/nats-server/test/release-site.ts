import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { arch, platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildName } from '../src/find/github-release.ts';
import type { Release } from '../src/find/pinned-release.ts';

export const RELEASE = '2.15.1';

/** A program that prints the output of `nats-server --version`. */
export function fakeServer(version: string): string {
  return `#!/bin/sh\necho "nats-server: v${version}"\n`;
}

/** A release archive for this machine as nats-server's own are built, big enough to arrive in many pieces. */
export function buildArchive(program = fakeServer(RELEASE)): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'release-'));
  try {
    const name = `nats-server-v${RELEASE}-${ownBuild()}`;
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'nats-server'), program, { mode: 0o755 });
    writeFileSync(join(folder, name, 'README.md'), randomBytes(512 * 1024));
    execFileSync('tar', ['-czf', 'archive', name], { cwd: folder });
    return readFileSync(join(folder, 'archive'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** This archive as the one to fetch. */
export function releaseOf(archive: Buffer): Release {
  return { version: RELEASE, checksums: { [ownBuild()]: sha256(archive) } };
}

export interface SiteOptions {
  /** The published files, with a correct SHA256SUMS. */
  readonly archive: Buffer;
  /** Answers the request for the archive, instead of sending it whole. */
  readonly sendArchive?: (response: ServerResponse) => void;
}

export interface ReleaseSite extends AsyncDisposable {
  readonly url: string;
  /** Paths in the order of the requests. */
  readonly requests: readonly string[];
}

/**
 * A download site laid out as GitHub's: SHA256SUMS beside the archive, and a redirect to where the archive really is.
 */
export async function startReleaseSite(options: SiteOptions): Promise<ReleaseSite> {
  const { archive, sendArchive = (response) => response.end(archive) } = options;
  const file = `nats-server-v${RELEASE}-${ownBuild()}.tar.gz`;
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    if (request.url === `/v${RELEASE}/SHA256SUMS`) {
      response.end(`${sha256(archive)}  ${file}\n`);
    } else if (request.url === `/v${RELEASE}/${file}`) {
      response.writeHead(302, { location: '/objects/1' }).end();
    } else if (request.url === '/objects/1') {
      sendArchive(response);
    } else {
      response.writeHead(404).end();
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}

function ownBuild(): string {
  return buildName({ platform: platform(), arch: arch() });
}

function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
