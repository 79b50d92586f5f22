import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseFunctionEntry, parseFunctions } from './functions-document.ts';

function definitionOf(text: string) {
  const parsed = parseFunctions(text);
  if (parsed.kind === 'refused') {
    throw new Error(JSON.stringify(parsed.problems));
  }
  return parsed.definition;
}

function problemsOf(text: string): string[] {
  const parsed = parseFunctions(text);
  return parsed.kind === 'refused' ? parsed.problems.map((p) => `${p.line}: ${p.path} ${p.problem}`) : [];
}

test('a function has the settings that the file gives it', () => {
  const { functions } = definitionOf(`
functions:
  thumbnail:
    url: http://thumbnail:8080
    queue: images
    timeout: 15m
    concurrency: 50
    adaptive: false
    retry: { attempts: 3, minWait: 1s, maxWait: 2m, backoff: full, codes: [429, 503] }
`);
  expect(functions.get('thumbnail')).toEqual({
    name: 'thumbnail',
    url: 'http://thumbnail:8080',
    queue: 'images',
    timeoutMs: 900_000,
    concurrency: 50,
    adaptive: false,
    retry: { attempts: 3, minWaitMs: 1000, maxWaitMs: 120_000, backoff: 'full', codes: [429, 503] },
  });
});

test('a function without settings waits in the default queue, without a deadline or a cap, adaptively', () => {
  const { functions, fallback } = definitionOf('functions: { echo: { url: "http://echo" } }');
  expect(functions.get('echo')).toMatchObject({
    queue: 'default',
    timeoutMs: 0,
    concurrency: undefined,
    adaptive: true,
  });
  expect(fallback).toBeUndefined();
});

test('defaults apply to settings that a function does not have, retry settings one by one', () => {
  const { functions } = definitionOf(`
functions:
  a: { url: http://a, retry: { attempts: 1 } }
defaults: { queue: slow, timeout: 5s, retry: { attempts: 9, minWait: 2s } }
`);
  expect(functions.get('a')).toMatchObject({ queue: 'slow', timeoutMs: 5000, retry: { attempts: 1, minWaitMs: 2000 } });
});

test('the url of defaults is that of each function that names none, with its name in it', () => {
  const { functions, settings } = definitionOf(`
functions:
  thumbnail: { concurrency: 5 }
  own: { url: http://own }
  resize.prod: {}
defaults: { url: "http://gateway:8080/function/{name}", timeout: 5m }
`);
  expect([...functions.values()]).toMatchObject([
    { name: 'thumbnail', url: 'http://gateway:8080/function/thumbnail', concurrency: 5, timeoutMs: 300_000 },
    { name: 'own', url: 'http://own' },
    { name: 'resize.prod', url: 'http://gateway:8080/function/resize.prod' },
  ]);
  expect(settings.get('thumbnail')?.url).toBe('http://gateway:8080/function/thumbnail');
  expect(parseFunctionEntry('a', { concurrency: 5 }, { url: 'http://x/{name}' })).toEqual({
    kind: 'settings',
    name: 'a',
    settings: { url: 'http://x/a', concurrency: 5 },
  });
});

const wrongUrls = [
  ...['http://$GATEWAY:8080', 'http://{{host}}:8080', 'http://*:8080', 'http://http://gw:8080', 'http:gw:8080'],
  ...['http:/gw:8080', 'http://:8080', 'http://gw:0', 'http://8080'],
];

test.each(wrongUrls)('%s is refused and shown wherever a URL may be written', (url) => {
  const quoted = JSON.stringify(url);
  const [of, problem] = [`functions:\n  a: { url: ${quoted} }\n`, `must be an absolute http or https URL`];
  const found = problemsOf(`${of}defaults:\n  url: ${quoted}\n`);
  expect(found).toEqual([
    expect.stringContaining(`2: functions.a.url ${problem}`),
    expect.stringContaining(`4: defaults.url ${problem}`),
  ]);
  const stack = problemsOf(`provider:\n  name: openfaas\n  gateway: ${quoted}\n${of}`);
  expect(stack).toEqual([
    expect.stringContaining('3: provider.gateway must be the URL of an OpenFaaS gateway'),
    expect.stringContaining(`5: functions.a.url ${problem}`),
  ]);
  const entry = parseFunctionEntry('a', { url }, {});
  const byApi = entry.kind === 'refused' ? entry.problems : [];
  expect(byApi).toEqual([expect.stringContaining(`url ${problem}`)]);
  for (const each of [...found, ...stack, ...byApi]) {
    expect(each).toContain(quoted);
  }
});

test('a default url makes a function of every name', () => {
  const { fallback } = definitionOf('defaults: { url: "http://gateway.openfaas:8080/function/{name}" }');
  expect(fallback?.('resize.prod')).toMatchObject({
    name: 'resize.prod',
    url: 'http://gateway.openfaas:8080/function/resize.prod',
  });
});

test.each(['', '# nothing yet', 'functions:', '{}'])('an empty file (%j) has no functions', (text) => {
  expect(definitionOf(text).functions.size).toBe(0);
});

test('every problem is reported at once with its line and path', () => {
  expect(
    problemsOf(`functions:
  thumbnail:
    url: thumbnail:8080
    timeout: soon
    concurrency: 0
    retry:
      attempts: -1
      backoff: linear
      codes: [429, 42]
      minWait: 10
  "bad name!":
    url: http://x
  empty:
    timeuot: 5s
default: {}
`),
  ).toEqual([
    '3: functions.thumbnail.url must be an absolute http or https URL without query or fragment, for example http://thumbnail:8080: "thumbnail:8080" does not begin with http:// or https://',
    '4: functions.thumbnail.timeout must be a duration such as 30s, 15m or 2h, or 0 for none',
    '5: functions.thumbnail.concurrency must be a whole number from 1 to 1000000',
    '7: functions.thumbnail.retry.attempts must be a whole number from 0 to 1000',
    '8: functions.thumbnail.retry.backoff must be exponential, full or equal',
    '9: functions.thumbnail.retry.codes.1 must be a list of different HTTP statuses, for example [429, 503]',
    '10: functions.thumbnail.retry.minWait must be a duration such as 250ms or 10s',
    '11: functions.bad name! must be NAME or NAME.NAMESPACE, each [A-Za-z0-9_-]{1,63}',
    '13: functions.empty.url is missing; must be an absolute http or https URL without query or fragment, for example http://thumbnail:8080',
    '14: functions.empty.timeuot is not a known setting',
    '15: default is not a known setting',
  ]);
});

test.each([
  ['functions: 7', '1: functions must be a map of settings'],
  ['functions:\n  a: http://x', '2: functions.a must be a map of settings'],
  ['- a', '1:  must be a map of settings'],
  [
    'functions:\n  a: { url: http://x?y }',
    '2: functions.a.url must be an absolute http or https URL without query or fragment, for example http://thumbnail:8080: "http://x?…" has a query or a fragment',
  ],
  ['functions:\n  a: { url: http://x }\n  a: { url: http://y }', '3:  Map keys must be unique'],
  [
    'functions:\n  a: { url: http://x, retry: { minWait: 2m, maxWait: 1s } }',
    '2: functions.a.retry.minWait must not be longer than maxWait',
  ],
  [
    'defaults: { url: http://x, retry: { minWait: 2m, maxWait: 1s } }',
    '1: defaults.retry.minWait must not be longer than maxWait',
  ],
  [
    'defaults:\n  retry: { minWait: 2m }\nfunctions:\n  a: { url: http://x }\n  b: { url: http://x, retry: { maxWait: 1s } }',
    '5: functions.b.retry.minWait must not be longer than maxWait',
  ],
  ['functions:\n  a: *nothing', '2:  *nothing stands for nothing: no &nothing before it'],
  ['functions:\n  a:', '2: functions.a must be a map of settings'],
  ['functions: !!set { a }', '1: functions.a must be a map of settings'],
  [
    'functions:\n  a..b: { url: http://x }',
    '2: functions.a..b must be NAME or NAME.NAMESPACE, each [A-Za-z0-9_-]{1,63}',
  ],
])('%j is refused', (text, problem) => {
  expect(problemsOf(text)).toEqual([problem]);
});

test('broken YAML is refused with the line of the fault', () => {
  expect(problemsOf('functions:\n  a: {url: http://x\n')[0]).toMatch(/^[23]: {2}/);
});

test('aliases that multiply beyond measure are refused', () => {
  const levels = Array.from('bcdefgh').map(
    (name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`,
  );
  expect(problemsOf(['a: &a [x, x, x, x, x, x, x, x, x]', ...levels].join('\n'))).toHaveLength(1);
});

test('a moderate number of aliases works', () => {
  const { functions } = definitionOf(`
functions:
  a: { url: http://a, retry: &patient { attempts: 7 } }
  b: { url: http://b, retry: *patient }
`);
  expect(functions.get('b')?.retry.attempts).toBe(7);
});

test('names that mean something to JavaScript are names like others', () => {
  const { functions } = definitionOf('functions: { __proto__: { url: http://p }, constructor: { url: http://c } }');
  expect([...functions.keys()]).toEqual(['__proto__', 'constructor']);
  expect(functions.get('toString')).toBeUndefined();
});

test('any text yields a definition or a list of problems, each on a line of the text', () => {
  const yaml = fc.array(
    fc.constantFrom(
      'functions',
      'defaults',
      'provider',
      'annotations',
      'com.openfaas.queue',
      ':',
      ' ',
      '\n',
      '  ',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '&a',
      '*a',
      '"',
      "'",
      'url',
      'x',
      '? ',
      '!!set',
      '|',
      '#',
      '<<',
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        yaml.map((parts) => parts.join('')),
      ),
      (text) => {
        const parsed = parseFunctions(text);
        const problems = parsed.kind === 'refused' ? parsed.problems : [];
        expect(parsed.kind === 'functions' || problems.length > 0).toBe(true);
        for (const { line } of problems) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(text.split('\n').length);
        }
      },
    ),
    { numRuns: 1_000 },
  );
});

test('queues have their limits, in bytes', () => {
  const { queueMaxBytes } = definitionOf('queues: { images: { maxBytes: 10GiB }, plain: {} }');
  expect([...queueMaxBytes]).toEqual([['images', 10 * 1024 ** 3]]);
  expect([...definitionOf('queues:').queueMaxBytes]).toEqual([]);
});

test('mistakes in a queue or a limit are named', () => {
  const text = `
functions:
  a: { url: http://a, maxPending: 0 }
queues:
  images: { maxBytes: lots }
  "a b": { maxBytes: 1GiB }
  other: { maxCalls: 5 }
`;
  expect(problemsOf(text)).toEqual([
    '3: functions.a.maxPending must be a whole number from 1 to 1000000000',
    '5: queues.images.maxBytes must be a size such as 512MiB or 10GiB',
    '6: queues.a b must match [A-Za-z0-9_-]{1,63}',
    '7: queues.other.maxCalls is not a known setting',
  ]);
});

test('the settings of a function are complete, and hold nothing else', () => {
  const { settings } = definitionOf(`
provider: { name: openfaas, gateway: http://gateway:8080 }
functions:
  resize:
    image: secret/image
    annotations: { com.openfaas.retry.attempts: "3", com.openfaas.queue: images }
    retry: { minWait: 1s }
defaults: { timeout: 5m, retry: { attempts: 9, maxWait: 1m } }
`);
  expect(settings.get('resize')).toEqual({
    url: 'http://gateway:8080/function/resize',
    queue: 'images',
    timeout: '5m',
    retry: { attempts: 3, minWait: '1s', maxWait: '1m' },
    defaultNamespace: 'openfaas-fn',
  });
});

test("a single entry is checked as in a file, with the file's defaults", () => {
  const defaults = { timeout: '5m', retry: { maxWait: '10s' } };
  expect(parseFunctionEntry('a', { url: 'http://x/{name}', maxPending: 3 }, defaults)).toEqual({
    kind: 'settings',
    name: 'a',
    settings: { url: 'http://x/a', maxPending: 3, timeout: '5m', retry: { maxWait: '10s' } },
  });
  expect(parseFunctionEntry('a', { url: 'http://a', retry: { minWait: '1m' } }, defaults)).toEqual({
    kind: 'refused',
    problems: ['retry.minWait must not be longer than maxWait'],
  });
  expect(parseFunctionEntry('a', null, {})).toMatchObject({ kind: 'refused' });
});

test('any entry yields settings that are valid again as they are, or a list of problems', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (entry) => {
      const parsed = parseFunctionEntry('a', entry, {});
      if (parsed.kind === 'refused') {
        expect(parsed.problems.length).toBeGreaterThan(0);
      } else {
        expect(parseFunctionEntry('a', parsed.settings, {})).toEqual(parsed);
      }
    }),
  );
});

test('a function, and all of them by defaults, can name callback URLs for their calls', () => {
  const { functions } = definitionOf(`
functions:
  a: { url: http://a, callbackUrl: "https://a.test/done?x" }
  b: { url: http://b }
defaults: { failureCallbackUrl: https://ops.test/failed }
`);
  const failureCallbackUrl = 'https://ops.test/failed';
  expect(functions.get('a')).toMatchObject({ callbackUrl: 'https://a.test/done?x', failureCallbackUrl });
  expect(functions.get('b')).toMatchObject({ callbackUrl: undefined, failureCallbackUrl });
});

test.each(['/done', 'ftp://a.test', 'http://u:p@a.test', 'http://0177.0.0.1/', ''])(
  '%j is not a callback URL, wherever it is written',
  (url) => {
    const problem =
      'must be an absolute http or https URL without user and password, for example https://example.com/done';
    const text = `functions:\n  a: { url: "http://a", callbackUrl: "${url}" }\ndefaults:\n  failureCallbackUrl: "${url}"`;
    expect(problemsOf(text)).toEqual([
      `2: functions.a.callbackUrl ${problem}`,
      `4: defaults.failureCallbackUrl ${problem}`,
    ]);
    const entry = parseFunctionEntry('a', { url: 'http://a', callbackUrl: url }, {});
    expect(entry).toMatchObject({ kind: 'refused', problems: [`callbackUrl ${problem}`] });
  },
);

test('a function can name the steps that follow its calls', () => {
  const { functions } = definitionOf(`
functions:
  thumbnail: { url: http://thumbnail, then: [flip.team, "store/a%2Cb?c=d", thumbnail] }
  flip.team: { url: http://flip }
  store: { url: http://store }
`);
  expect(functions.get('thumbnail')?.steps).toEqual(['flip.team', 'store/a%2Cb?c=d', 'thumbnail']);
});

test('mistakes in a step are reported with its place', () => {
  const [list, step] = [
    'must be a list of at most 16 steps, for example [flip, store/thumbnails]',
    'must be a step NAME[.NAMESPACE][/path][?query] without spaces and commas',
  ];
  const many = Array.from({ length: 17 }, () => 'a').join(', ');
  expect(
    problemsOf(`functions:
  a: { url: http://a, then: [a, gone, "a b", "a,a", ""] }
  b: { url: http://b, then: a }
  c: { url: http://c, then: [] }
  d: { url: http://d, then: [${many}] }
  e: { url: http://e, then: [5] }
  f: { url: http://f, then: [a/../.., "a/b/../c", "a?/../.."] }
`),
  ).toEqual([
    '2: functions.a.then.1 names the function gone, which is not among the functions',
    `2: functions.a.then.2 ${step}`,
    `2: functions.a.then.3 ${step}`,
    `2: functions.a.then.4 ${step}`,
    `3: functions.b.then ${list}`,
    `4: functions.c.then ${list}`,
    `5: functions.d.then ${list}`,
    `6: functions.e.then.0 ${step}`,
    '7: functions.f.then.0 has ".." segments that lead out of its function',
  ]);
  expect(problemsOf('functions: { a: { then: [any] } }\ndefaults: { url: "http://x/{name}" }')).toEqual([]);
});
