import { expect, test } from 'vitest';
import { endedCall } from '../../test/call-fixture.ts';
import { resultHeaders } from './result-headers.ts';

function given(...headers: [string, string][]): Record<string, string | string[]> {
  return resultHeaders(endedCall('call-1', { headers, functionStatus: 201 }));
}

const ours = {
  'cache-control': 'private, no-store',
  'content-security-policy': 'sandbox',
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-call-id': 'call-1',
  'x-function-status': '201',
};

test.each([
  ['Content-Type', 'text/html'],
  ['Content-Encoding', 'gzip'],
  ['Content-Disposition', 'attachment; filename="a.pdf"'],
  ['ETag', '"1"'],
  ['Last-Modified', 'Sat, 31 Jan 2026 12:00:00 GMT'],
  ['Location', '/things/1'],
  ['Retry-After', '5'],
  ['X-Own', 'yes'],
  ['X-Request-Id', '1'],
  ['Ce-Type', 'done'],
])('%s of a function is given out with its result', (name, value) => {
  expect(given([name, value])).toEqual({ ...ours, [name.toLowerCase()]: value });
});

test.each([
  ['Cache-Control', 'public, max-age=31536000'],
  ['CDN-Cache-Control', 'public, max-age=60'],
  ['Surrogate-Control', 'max-age=60'],
  ['Expires', 'Fri, 01 Jan 2100 00:00:00 GMT'],
  ['Pragma', 'public'],
  ['Age', '0'],
  ['Vary', '*'],
  ['X-Content-Type-Options', 'none'],
  ['Content-Security-Policy', "default-src *; script-src 'unsafe-inline'"],
  ['Content-Security-Policy-Report-Only', 'default-src *; report-uri https://evil.example'],
  ['Strict-Transport-Security', 'max-age=31536000; includeSubDomains'],
  ['Clear-Site-Data', '"*"'],
  ['Refresh', '0; url=https://evil.example'],
  ['Access-Control-Allow-Origin', '*'],
  ['Access-Control-Allow-Credentials', 'true'],
  ['Access-Control-Allow-Private-Network', 'true'],
  ['Cross-Origin-Resource-Policy', 'cross-origin'],
  ['Cross-Origin-Opener-Policy', 'unsafe-none'],
  ['Link', '<https://evil.example/a.js>; rel=preload; as=script'],
  ['Service-Worker-Allowed', '/'],
  ['Set-Cookie', 'session=1'],
  ['Alt-Svc', 'h3="evil.example:443"'],
  ['NEL', '{"report_to":"evil","max_age":31536000}'],
  ['Report-To', '{"group":"evil","max_age":31536000,"endpoints":[{"url":"https://evil.example"}]}'],
  ['Reporting-Endpoints', 'evil="https://evil.example"'],
  ['Permissions-Policy', 'geolocation=*'],
  ['Referrer-Policy', 'unsafe-url'],
  ['SourceMap', 'https://evil.example/map'],
  ['Speculation-Rules', '"https://evil.example/rules"'],
  ['WWW-Authenticate', 'Basic realm="asyncfn"'],
  ['Origin-Trial', 'token'],
  ['X-Frame-Options', 'ALLOWALL'],
  ['X-DNS-Prefetch-Control', 'on'],
  ['X-SourceMap', 'https://evil.example/map'],
  ['X-Accel-Redirect', '/internal/secrets'],
  ['X-Accel-Expires', '3600'],
  ['X-Sendfile', '/etc/passwd'],
  ['X-Sendfile2', '/etc/passwd 0-'],
  ['X-Sendfile-Temporary', '/etc/passwd'],
  ['X-Cascade', 'pass'],
  ['X-XRDS-Location', 'https://evil.example/xrds'],
  ['X-Callback-Signature', 'v1,AAAA'],
  ['X-LiteSpeed-Purge', '*'],
  ['X-Envoy-Immediate-Health-Check-Fail', 'true'],
  ['X-Call-Id', 'call-2'],
  ['X-Function-Status', '999'],
  ['Content-Length', '4711'],
  ['Transfer-Encoding', 'chunked'],
  ['Date', 'Fri, 01 Jan 2100 00:00:00 GMT'],
  ['Trailer', 'X-Own'],
])('%s, which browsers or caches heed or which is ours to say, is not', (name, value) => {
  expect(given([name, value])).toEqual(ours);
});

test('the values of a repeated name stay together, and headers of the connection are left out', () => {
  expect(given(['Connection', 'X-Hop'], ['X-Hop', '1'], ['X-Own', 'a'], ['x-own', 'b'])).toEqual({
    ...ours,
    'x-own': ['a', 'b'],
  });
});

test('the status of a function that never answered is 503', () => {
  const { outcome, ...rest } = endedCall('call-1');
  const { functionStatus: _, ...unanswered } = outcome;
  expect(resultHeaders({ ...rest, outcome: unanswered })).toMatchObject({ 'x-function-status': '503' });
});
