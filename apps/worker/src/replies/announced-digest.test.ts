import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { announcedDigest } from './announced-digest.ts';

const digest = createHash('sha256').update('body').digest();
const value = `sha-256=:${digest.toString('base64')}:`;

test.each([value, `sha-512=:AAAA:, ${value}`, `${value},unixsum=:AA==:`, ` ${value} `])('is read from "%s"', (text) => {
  expect(announcedDigest([['content-DIGEST', text]])).toEqual(digest);
});

test.each(['', 'sha-256=abc', 'sha-256=:abc:', 'sha-512=:AAAA:', `md5-${value}`])('is none in "%s"', (text) => {
  expect(announcedDigest([['Content-Digest', text]])).toBeUndefined();
  expect(announcedDigest([])).toBeUndefined();
});
