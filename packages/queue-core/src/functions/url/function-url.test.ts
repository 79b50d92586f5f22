// biome-ignore-all lint/suspicious/noTemplateCurlyInString: URLs whose variables were not filled in
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { objectToUrl, showUrl, urlProblem } from './function-url.ts';

test.each([
  'http://thumbnail:8080',
  'http://thumbnail',
  'https://fn.example.com/base/path/',
  'HTTPS://FN.EXAMPLE.COM:443/Base',
  'http://gateway.openfaas:8080/function/{name}',
  'http://{name}.openfaas-fn.svc.cluster.local:8080',
  'https://{name}-abc123-uc.a.run.app',
  'http://my_service:3000',
  'http://http:8080',
  'http://https:8080/x',
  'http://10.0.0.1:9000',
  'http://[::1]:8080',
  'http://[FD00:0::0001]/x',
  'http://localhost.:80/',
  'http://bücher.example/straße',
  'http://host/odata/$metadata/a$b',
  'http://host/@scope/a:b;c=d/(e)!*',
  'http://host/a%20b%2Fc',
  'http://user:pass@host:8080/x',
  'http://user@host',
  'http://user:p%40ss%3Aw%C3%B6rd@host',
  'http://proxy:3128/http://target/x',
])('%s is a URL of a function', (url) => {
  expect(objectToUrl(url)).toBeUndefined();
});

test.each([
  ['http://$GATEWAY:8080', /variable that is not filled in; in a file it is written \$\{GATEWAY\}/],
  ['http://${GATEWAY_IP}:8080', /variable/],
  ['http://$(GATEWAY):8080', /variable/],
  ['http://gw:8080/$FUNCTION', /variable/],
  ['$OPENFAAS_URL', /variable/],
  ['http://{{host}}:8080', /braces, and \{name\} alone/],
  ['http://gw/{{name}}', /braces/],
  ['http://gw/{function}', /braces/],
  ['http://<gateway>:8080', /holds "<"/],
  ['http://%GATEWAY%:8080', /host or a port/],
  ['http://*:8080', /neither a name nor an address/],
  ['http://*.example.com', /neither a name nor an address/],
  ['http://!:8080', /neither a name nor an address/],
  ['http://a..b', /neither a name nor an address/],
  ['http://http://gw:8080', /twice/],
  ['http://https://gw:8080', /twice/],
  ['https://http//gw:8080', /twice/],
  ['http:gw:8080', /no \/\//],
  ['http:/gw:8080', /no \/\//],
  ['http:///gw:8080', /no \/\//],
  ['http://', /no \/\//],
  ['http:', /no \/\//],
  ['http://:8080', /host or a port/],
  ['http://gw:port', /host or a port/],
  ['http://gw:8080:8080', /host or a port/],
  ['http://gw:99999', /host or a port/],
  ['http://gw:0', /port 0/],
  ['http://%67w', /is read as gw/],
  ['http://１２７.1', /is read as 127\.0\.0\.1/],
  ['http://8080', /is read as 0\.0\.31\.144/],
  ['http://127.1:80/x', /is read as 127\.0\.0\.1/],
  ['http://256.1.1.1', /host or a port/],
  ['gw:8080', /does not begin with/],
  ['localhost', /does not begin with/],
  ['//gw:8080', /does not begin with/],
  ['ftp://gw', /does not begin with/],
  ['tcp://gw:8080', /does not begin with/],
  ['', /is empty/],
  [' http://gw', /space/],
  ['http://gw:8080 ', /space/],
  ['http://gw\t', /space/],
  ['http:\\\\gw', /holds "\\\\"/],
  ['http://gw\u0000', /holds "\\u0000"/],
  ['http://gw?x=1', /query or a fragment/],
  ['http://gw/a#b', /query or a fragment/],
  ['http://gw/100%', /% without two/],
  ['http://gw/%s', /% without two/],
  ['http://u:50%@gw', /percent-encoded/],
  ['http://u:%FF@gw', /percent-encoded/],
  ['http://a%3Ab:c@gw', /colon/],
  ['http://a:%0A@gw', /control character/],
])('%j is none', (url, objection) => {
  expect(objectToUrl(url)).toMatch(objection);
});

describe('an error', () => {
  test('says what is right, shows the URL and says what is wrong with it', () => {
    expect(urlProblem('http://*:8080')).toBe(
      'must be an absolute http or https URL without query or fragment, for example http://thumbnail:8080: ' +
        '"http://*:8080" has a host that is neither a name nor an address',
    );
    expect(urlProblem('http://gw')).toBeUndefined();
  });

  test.each([
    ['http://admin:hunter2@*:8080', '"http://…@*:8080"'],
    ['http://admin:hun/ter2@gw', '"http://…@gw"'],
    ['http:admin:hunter2@gw', '"http:…@gw"'],
    ['admin:hunter2@gw', '"…@gw"'],
    ['http://gw/x?token=hunter2', '"http://gw/x?…"'],
    ['http://gw\n"x"', '"http://gw\\n\\"x\\""'],
    [`http://${'a'.repeat(300)}`, `"http://${'a'.repeat(193)}…"`],
  ])('shows %j as %s', (url, shown) => {
    expect(showUrl(url)).toBe(shown);
  });

  test('never shows a password, however broken the URL', () => {
    const junk = fc.string({
      unit: fc.constantFrom('/', ':', '?', '#', '@', '$', '{', '%', 'a', ' ', '\n'),
      maxLength: 8,
    });
    fc.assert(
      fc.property(junk, junk, junk, (before, within, after) => {
        const url = `http://user:${before}hunter2${within}@gw${after}`;
        expect(urlProblem(url) ?? '').not.toContain('hunter2');
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('any text', () => {
  const piece = fc.constantFrom(
    ...['http', 'https', ':', '/', '//', '@', '.', '?', '#', '$', '{', '}', '{name}', '*', '%', '%41', '\\', ' ', '['],
    ...[']', '::1', '1', '0', '8080', 'gw', 'a-b', 'é', '\u0000', '<', '|'],
  );
  const text = fc.array(piece, { maxLength: 10 }).map((parts) => parts.join(''));

  test('that is accepted is called where it says: the same host, and a path of its own', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          text.map((rest) => `http://${rest}`),
        ),
        (url) => {
          if (objectToUrl(url) === undefined) {
            const sample = url.replaceAll('{name}', 'name');
            const parsed = new URL(sample);
            expect(['http:', 'https:']).toContain(parsed.protocol);
            expect([parsed.search, parsed.hash]).toEqual(['', '']);
            expect(sample.toLowerCase()).toMatch(/^https?:\/\/[^/]/);
            const isAscii = /^[!-~]*$/.test(sample);
            expect(isAscii && !sample.includes('[') ? sample.toLowerCase() : parsed.hostname).toContain(
              parsed.hostname,
            );
          }
        },
      ),
      { numRuns: 5_000 },
    );
  });

  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9_-]{0,10}[a-z0-9])?$/).map((name) => `a${name}`);
  const segment = fc.stringMatching(/^[A-Za-z0-9._~!&'()*+,;=:@-]{0,8}$/);
  const good = fc
    .tuple(
      fc.constantFrom('http', 'https'),
      fc.array(label, { minLength: 1, maxLength: 4 }),
      fc.option(fc.integer({ min: 1, max: 65_535 })),
      fc.array(segment, { maxLength: 3 }),
    )
    .map(([scheme, host, port, path]) => {
      const authority = port === null ? host.join('.') : `${host.join('.')}:${port}`;
      return [`${scheme}://${authority}`, ...path].join('/');
    });

  test('is accepted if it is an ordinary URL', () => {
    fc.assert(
      fc.property(good, (url) => {
        expect(objectToUrl(url)).toBeUndefined();
      }),
    );
  });

  test('with a placeholder left to fill in is refused', () => {
    const holes = fc.constantFrom('$HOST', '${HOST}', '{{host}}', '{host}', '<host>', '$(HOST)', '#{host}', '`host`');
    fc.assert(
      fc.property(good, holes, fc.nat(), (url, hole, at) => {
        const place = at % (url.length + 1);
        expect(objectToUrl(url.slice(0, place) + hole + url.slice(place))).toBeDefined();
      }),
    );
  });
});
