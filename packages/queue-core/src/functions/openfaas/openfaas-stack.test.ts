import { describe, expect, test } from 'vitest';
import type { DocumentContext } from '../document/document-context.ts';
import { parseFunctions } from '../document/functions-document.ts';

const provider = 'provider: { name: openfaas, gateway: "http://127.0.0.1:8080" }\n';

function definitionOf(text: string, context?: DocumentContext) {
  const parsed = parseFunctions(text, context);
  if (parsed.kind === 'refused') {
    throw new Error(JSON.stringify(parsed.problems));
  }
  return parsed.definition;
}

function urlsOf(text: string, context?: DocumentContext): Record<string, string> {
  return Object.fromEntries([...definitionOf(text, context).functions.values()].map(({ name, url }) => [name, url]));
}

function problemsOf(text: string, context?: DocumentContext): string[] {
  const parsed = parseFunctions(text, context);
  return parsed.kind === 'refused' ? parsed.problems.map((p) => `${p.line}: ${p.path} ${p.problem}`) : [];
}

test('a stack.yaml as faas-cli writes and people extend it is a functions file', () => {
  const { functions, fallback } = definitionOf(`
version: 1.0
provider:
  name: openfaas
  gateway: http://127.0.0.1:8080
  network: func_functions

x-common: &common
  annotations: &patient
    com.openfaas.retry.attempts: "3"

functions:
  resize:
    lang: python3-http
    handler: ./resize
    image: \${DOCKER_USER:-example}/resize:latest
    namespace: dev
    fprocess: python index.py
    environment: { write_debug: true }
    environment_file: [env.yml]
    secrets: [s3]
    labels: { com.openfaas.scale.max: 5, canary: true }
    limits: { memory: 40Mi, cpu: 100m }
    requests: { memory: 20Mi }
    constraints: ["node.platform.os == linux"]
    build_args: { GO111MODULE: "on" }
    build_options: [dev]
    readonly_root_filesystem: true
    skip_build: true
    annotations:
      topic: kafka
      com.openfaas.queue: images
      com.openfaas.retry.attempts: "100"
      com.openfaas.retry.codes: "429,503"
      com.openfaas.retry.min_wait: 500ms
      com.openfaas.retry.max_wait: 1m30s
  plain: { lang: go, handler: ./plain, image: plain }
  merged: { <<: *common, lang: go }
  more: { annotations: { <<: *patient, com.openfaas.queue: slow } }

configuration:
  templates:
    - name: golang-middleware
`);
  expect(functions.get('resize.dev')).toEqual({
    name: 'resize.dev',
    url: 'http://127.0.0.1:8080/function/resize.dev',
    queue: 'images',
    timeoutMs: 0,
    concurrency: undefined,
    adaptive: true,
    retry: { attempts: 100, minWaitMs: 500, maxWaitMs: 90_000, backoff: undefined, codes: [429, 503] },
  });
  expect(functions.get('plain')).toMatchObject({ url: 'http://127.0.0.1:8080/function/plain', queue: 'default' });
  expect(functions.get('merged')?.retry.attempts).toBe(3);
  expect(functions.get('more')).toMatchObject({ queue: 'slow', retry: { attempts: 3 } });
  expect([...functions.keys()]).toEqual(['resize.dev', 'plain', 'merged', 'more']);
  expect(fallback).toBeUndefined();
});

test.each([
  ['http://gateway:8080', 'http://gateway:8080/function/a'],
  ['http://gateway:8080/', 'http://gateway:8080/function/a'],
  ['https://faas.example.com/gw//', 'https://faas.example.com/gw/function/a'],
])('behind the gateway %s a function is at %s', (gateway, url) => {
  expect(urlsOf(`provider: { name: openfaas, gateway: "${gateway}" }\nfunctions: { a: { lang: go } }`)).toEqual({
    a: url,
  });
});

test.each(['', 'namespace:', 'namespace: ""'])('a function with %j has no namespace', (namespace) => {
  expect(urlsOf(`${provider}functions:\n  a:\n    lang: go\n    ${namespace}`)).toEqual({
    a: 'http://127.0.0.1:8080/function/a',
  });
});

test('a name that includes its namespace is used as it is', () => {
  expect(urlsOf(`${provider}functions: { a.dev: { lang: go } }`)).toEqual({
    'a.dev': 'http://127.0.0.1:8080/function/a.dev',
  });
});

test('a url of defaults wins over the gateway and makes a function of every name', () => {
  const text = `${provider}defaults: { url: "http://x/{name}", timeout: 5s }\nfunctions: { a: { namespace: dev } }`;
  expect(urlsOf(text)).toEqual({ 'a.dev': 'http://x/a.dev' });
  expect(definitionOf(text).fallback?.('b')).toMatchObject({ url: 'http://x/b', timeoutMs: 5_000 });
});

test('the gateway may be missing if it is not needed', () => {
  const without = 'provider: { name: openfaas }\n';
  expect(urlsOf(without)).toEqual({});
  expect(urlsOf(`${without}functions: { a: { url: "http://a" } }`)).toEqual({ a: 'http://a' });
  expect(urlsOf(`${without}functions: { a: { lang: go } }\ndefaults: { url: "http://x" }`)).toEqual({ a: 'http://x' });
});

describe('a stack that names no gateway', () => {
  const without = 'provider:\n  name: openfaas\n\nfunctions:\n  a: { lang: go }\n';

  test.each([
    without,
    without.replace('openfaas\n', 'openfaas\n  gateway:\n'),
    without.replace('openfaas\n', 'openfaas\n  gateway: ""\n'),
  ])('is called behind OPENFAAS_URL: %j', (text) => {
    expect(urlsOf(text, { openfaasUrl: 'http://127.0.0.1:31112/' })).toEqual({
      a: 'http://127.0.0.1:31112/function/a',
    });
    expect(problemsOf(text)).toEqual([expect.stringMatching(/provider\.gateway is missing; .*or set OPENFAAS_URL$/)]);
  });

  test('is told what is wrong with OPENFAAS_URL, without its value', () => {
    const [problem, ...others] = problemsOf(without, { openfaasUrl: 'admin:hunter2@127.0.0.1:8080' });
    expect(others).toEqual([]);
    expect(problem).toMatch(/^1: provider\.gateway is missing, and OPENFAAS_URL, .*: it does not begin with http:/);
    expect(problem).not.toContain('hunter2');
  });

  test('ignores OPENFAAS_URL if it is not needed', () => {
    const own = `${without.replace('lang: go', 'url: http://own')}`;
    expect(urlsOf(own, { openfaasUrl: 'nonsense' })).toEqual({ a: 'http://own' });
    expect(urlsOf(`${provider}functions: { a: {} }`, { openfaasUrl: 'http://other' })).toEqual({
      a: 'http://127.0.0.1:8080/function/a',
    });
  });
});

test('a function of a stack may also have settings of ours', () => {
  const { functions } = definitionOf(
    `${provider}functions: { a: { lang: go, url: "http://a", timeout: 15m, concurrency: 5, queue: q } }`,
  );
  expect(functions.get('a')).toMatchObject({ url: 'http://a', timeoutMs: 900_000, concurrency: 5, queue: 'q' });
});

const annotated = 'annotations: { com.openfaas.queue: q1, com.openfaas.retry.attempts: 1 }';

test.each([
  ['its own', `{ url: "http://a", queue: q0, retry: { attempts: 0 }, ${annotated} }`, 'q0', 0],
  ["its annotations'", `{ url: "http://a", ${annotated} }`, 'q1', 1],
  ["the defaults'", '{ url: "http://a" }', 'q2', 2],
])('what holds for a function are %s settings', (_, settings, queue, attempts) => {
  const defaults = 'defaults: { queue: q2, retry: { attempts: 2, minWait: 7s } }';
  for (const head of ['', provider]) {
    const { functions } = definitionOf(`${head}${defaults}\nfunctions: { a: ${settings} }`);
    expect(functions.get('a')).toMatchObject({ queue, retry: { attempts, minWaitMs: 7_000 } });
  }
});

const gateway = 'must be the URL of an OpenFaaS gateway, for example http://gateway.openfaas:8080';

test.each([
  ['provider: { name: faas }', '1: provider.name must be openfaas'],
  ['provider: { gateway: "http://x" }', '1: provider.name is missing; must be openfaas'],
  ['provider: openfaas', '1: provider must be a map of settings'],
  [
    'provider: { name: openfaas, gateway: gateway }',
    `1: provider.gateway ${gateway}: "gateway" does not begin with http:// or https://`,
  ],
  [
    'provider:\n  name: openfaas\n  gateway: $OPENFAAS_URL',
    `3: provider.gateway ${gateway}: "$OPENFAAS_URL" holds a variable that is not filled in; in a file it is written \${OPENFAAS_URL}`,
  ],
  ['provider: { name: openfaas, gateway: 8080 }', `1: provider.gateway ${gateway}`],
  [
    'provider:\n  name: openfaas\nfunctions: { a: { lang: go } }',
    `1: provider.gateway is missing; it ${gateway}; or set OPENFAAS_URL`,
  ],
  [`${provider}functions:\n  a:`, '3: functions.a must be a map of settings'],
  [`${provider}functions:\n  a: { namespace: x.y }`, '3: functions.a.namespace must match [A-Za-z0-9_-]{1,63}'],
  [
    `${provider}functions:\n  a.b: { namespace: c }`,
    '3: functions.a.b must be NAME or NAME.NAMESPACE, each [A-Za-z0-9_-]{1,63}',
  ],
  [`${provider}functions:\n  a.b.c: {}`, '3: functions.a.b.c must be NAME or NAME.NAMESPACE, each [A-Za-z0-9_-]{1,63}'],
  [
    `${provider}functions:\n  a.b: {}\n  a: { namespace: b }`,
    '4: functions.a is a function that stands here a second time; NAME and NAME.openfaas-fn are one function',
  ],
  [
    `${provider}functions:\n  a: { timeout: soon }`,
    '3: functions.a.timeout must be a duration such as 30s, 15m or 2h, or 0 for none',
  ],
  [`${provider}functions:\n  queue: { annotations: 5 }`, '3: functions.queue.annotations must be a map of texts'],
  [`${provider}defaults:\n  annotations: {}`, '3: defaults.annotations is not a known setting'],
])('%j is refused', (text, problem) => {
  expect(problemsOf(text)).toEqual([problem]);
});

test.each(['', provider])('bad annotations are problems like others, each with its line (%j)', (head) => {
  const first = head === '' ? 1 : 2;
  const own = '    url: http://a\n';
  const go = 'must be a duration as Go writes it, for example 10s or 1m30s';
  expect(
    problemsOf(`${head}functions:
  a:
${own}    concurrency: many
    annotations:
      topic: x
      com.openfaas.queue: a b
      com.openfaas.retry.attempts: lots
      com.openfaas.retry.codes: 4xx
      com.openfaas.retry.min_wait: 10
      com.openfaas.retry.max_wait: 2 m
`),
  ).toEqual([
    `${first + 3}: functions.a.concurrency must be a whole number from 1 to 1000000`,
    `${first + 6}: functions.a.annotations.com.openfaas.queue must match [A-Za-z0-9_-]{1,63}`,
    `${first + 7}: functions.a.annotations.com.openfaas.retry.attempts must be a whole number from 0 to 1000`,
    `${first + 8}: functions.a.annotations.com.openfaas.retry.codes must be a comma-separated list of HTTP statuses, for example "429,503"`,
    `${first + 9}: functions.a.annotations.com.openfaas.retry.min_wait ${go}`,
    `${first + 10}: functions.a.annotations.com.openfaas.retry.max_wait ${go}`,
  ]);
});

test.each([
  [
    'annotations: { com.openfaas.retry.min_wait: 5m, com.openfaas.retry.max_wait: 1m }',
    'annotations.com.openfaas.retry.min_wait must not be longer than the longest wait',
  ],
  [
    'annotations: { com.openfaas.retry.max_wait: 1s }',
    'annotations.com.openfaas.retry.max_wait must not be shorter than the least wait',
  ],
  [
    'retry: { maxWait: 1m }, annotations: { com.openfaas.retry.min_wait: 5m }',
    'retry.minWait must not be longer than maxWait',
  ],
  ['retry: { maxWait: 0 }', 'retry.minWait must not be longer than maxWait'],
])('waits that contradict each other are refused: %s', (settings, problem) => {
  const defaults = 'defaults: { retry: { minWait: 10s, maxWait: 10m } }\n';
  expect(problemsOf(`${defaults}functions:\n  a: { url: "http://a", ${settings} }`)).toEqual([
    `3: functions.a.${problem}`,
  ]);
});

test('a functions file of ours is as strict as ever', () => {
  expect(problemsOf('functions:\n  a: { url: "http://a", lang: go }\nversion: 1.0')).toEqual([
    '2: functions.a.lang is not a known setting',
    '3: version is not a known setting',
  ]);
});
