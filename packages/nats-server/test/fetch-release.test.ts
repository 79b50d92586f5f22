import { mkdirSync } from 'node:fs';
import { readdir, readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Release } from '../src/find/pinned-release.ts';
import { type FindOptions, type FoundServer, findNatsServer } from '../src/index.ts';
import { buildArchive, fakeServer, RELEASE, releaseOf, type SiteOptions, startReleaseSite } from './release-site.ts';
import { createTemporaryFolder } from './temporary-folder.ts';

const archive = buildArchive();

function find(cacheDir: string, releaseUrl: string, options: Partial<FindOptions> = {}): Promise<FoundServer> {
  const release = releaseOf(archive);
  return findNatsServer({ env: {}, cacheDir, releaseUrl, release, sources: ['cache', 'github'], ...options });
}

test('a release is fetched, checked and kept, and the next time no request is made', async () => {
  await using site = await startReleaseSite({ archive });
  await using cache = await createTemporaryFolder();
  const path = join(cache.path, RELEASE, 'nats-server');
  expect(await find(cache.path, site.url)).toEqual({ path, version: RELEASE, source: 'github' });
  expect(site.requests).toEqual([expect.stringMatching(/\/nats-server-v[^/]+\.tar\.gz$/), '/objects/1']);
  expect(await readFile(path, 'utf8')).toBe(fakeServer(RELEASE));

  expect(await find(cache.path, site.url)).toEqual({ path, version: RELEASE, source: 'cache' });
  expect(site.requests).toHaveLength(2);
  expect(await readdir(cache.path)).toEqual([RELEASE]);
});

test('a caller that waits for a download sees its progress', async () => {
  const send: SiteOptions['sendArchive'] = (response) => {
    response.writeHead(200, { 'content-length': archive.length });
    response.write(archive.subarray(0, archive.length / 2));
    response.end(archive.subarray(archive.length / 2));
  };
  await using site = await startReleaseSite({ archive, sendArchive: send });
  await using cache = await createTemporaryFolder();
  const lines: string[] = [];
  await find(cache.path, site.url, { sources: ['github'], log: (line) => lines.push(line) });
  expect(lines[0]).toContain(`downloading ${site.url}/v${RELEASE}/nats-server-v${RELEASE}`);
  expect(lines.at(-1)).toMatch(/^0\.5 of 0\.5 MiB \(100 %\)$/);
});

test('two fetches at once both end with a whole binary', async () => {
  await using site = await startReleaseSite({ archive });
  await using cache = await createTemporaryFolder();
  const found = await Promise.all([find(cache.path, site.url), find(cache.path, site.url)]);
  expect(found.map(({ source }) => source)).toEqual(['github', 'github']);
  expect(await readdir(cache.path, { recursive: true })).toEqual([RELEASE, join(RELEASE, 'nats-server')]);
  expect((await find(cache.path, site.url)).source).toBe('cache');
});

test('the next fetch removes the files of a killed one, and keeps those of a running one', async () => {
  await using site = await startReleaseSite({ archive });
  await using cache = await createTemporaryFolder();
  for (const name of ['.fetching-old', '.fetching-new']) {
    mkdirSync(join(cache.path, name));
  }
  const twoHoursAgo = Date.now() / 1000 - 2 * 3600;
  await utimes(join(cache.path, '.fetching-old'), twoHoursAgo, twoHoursAgo);
  await find(cache.path, site.url);
  expect((await readdir(cache.path)).sort()).toEqual(['.fetching-new', RELEASE]);
});

describe('refused, with nothing left in the cache:', () => {
  const damaged = Buffer.from(archive);
  damaged.writeUInt8(damaged.readUInt8(100_000) ^ 1, 100_000);
  const half = archive.subarray(0, archive.length / 2);
  const emptied = buildArchive('');
  const tooOld = buildArchive(fakeServer('2.9.0'));

  const cases: Record<string, { site: SiteOptions; expected?: Release; reason: string }> = {
    'a corrupted archive': {
      site: { archive, sendArchive: (response) => response.end(damaged) },
      reason: 'is not the expected archive',
    },
    'a truncated archive': {
      site: { archive, sendArchive: (response) => response.end(half) },
      reason: 'is not the expected archive',
    },
    'an archive whose transfer breaks off': {
      site: {
        archive,
        sendArchive: (response) => {
          response.writeHead(200, { 'content-length': archive.length });
          response.write(half, () => response.destroy());
        },
      },
      reason: 'terminated',
    },
    'another archive, which the site itself vouches for': {
      site: { archive: buildArchive() },
      reason: 'is not the expected archive',
    },
    'an archive whose checksum is not known': {
      site: { archive },
      expected: { version: RELEASE, checksums: {} },
      reason: `no checksum of nats-server ${RELEASE}`,
    },
    'an archive that is not there': {
      site: { archive, sendArchive: (response) => response.writeHead(404).end() },
      reason: 'answered 404',
    },
    'a site that takes the request and says nothing': {
      site: { archive, sendArchive: () => {} },
      reason: 'no answer within 300 ms',
    },
    'a site that stops in the middle': {
      site: { archive, sendArchive: (response) => void response.write(half) },
      reason: 'nothing more came within 300 ms',
    },
    'an archive whose binary is no nats-server': {
      site: { archive: emptied },
      expected: releaseOf(emptied),
      reason: 'nats-server',
    },
    'an archive whose binary is too old': {
      site: { archive: tooOld },
      expected: releaseOf(tooOld),
      reason: 'it is 2.9.0, older than 2.12.0',
    },
  };

  test.for(Object.entries(cases))('%s', async ([, { site: options, expected, reason }]) => {
    await using site = await startReleaseSite(options);
    await using cache = await createTemporaryFolder();
    const found = find(cache.path, site.url, {
      ...(expected !== undefined && { release: expected }),
      connectTimeoutMs: 300,
      stallTimeoutMs: 300,
    });
    await expect(found).rejects.toMatchObject({ name: 'NatsServerError', code: 'not_found' });
    await expect(found).rejects.toThrow(reason);
    expect(await readdir(cache.path)).toEqual([]);
  });
});
