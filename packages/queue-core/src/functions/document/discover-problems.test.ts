import { expect, test } from 'vitest';
import { parseFunctions, parseFunctionsFile } from './functions-document.ts';

function problemsOf(discover: string): string[] {
  const parsed = parseFunctionsFile(`functions:\ndiscover: ${discover}\n`, 'f.yaml', {});
  return parsed.kind === 'refused' ? [...parsed.problems] : [];
}

test('an OpenFaaS is named by its URL; user, password and time have defaults', () => {
  const parsed = parseFunctions('discover: { openfaas: { url: "http://gateway.openfaas:8080/" } }');
  expect(parsed.kind === 'functions' && parsed.definition.discovery).toEqual({
    url: 'http://gateway.openfaas:8080',
    user: 'admin',
    tokenFile: undefined,
    everyMs: 30_000,
  });
  const text = 'discover: { openfaas: { url: "http://gw", user: reader, tokenFile: /run/password, every: 5m } }';
  const other = parseFunctions(text);
  expect(other.kind === 'functions' && other.definition.discovery).toEqual({
    url: 'http://gw',
    user: 'reader',
    tokenFile: '/run/password',
    everyMs: 300_000,
  });
  const none = parseFunctions('functions:');
  expect(none.kind === 'functions' && none.definition.discovery).toBe(undefined);
});

test('a stack.yaml may find further functions', () => {
  const parsed = parseFunctions('provider: { name: openfaas }\ndiscover: { openfaas: { url: http://gw } }');
  expect(parsed.kind === 'functions' && parsed.definition.discovery?.url).toBe('http://gw');
});

test.each([
  ['{ openfaas: { url: gateway } }', 'discover.openfaas.url must be the URL of an OpenFaaS gateway'],
  ['{ openfaas: { url: "http://me:secret@gw" } }', 'it holds a user or a password, which belong in user and tokenFile'],
  ['{ openfaas: { url: 8080 } }', 'discover.openfaas.url must be the URL of an OpenFaaS gateway'],
  ['{ openfaas: { every: 30s } }', 'f.yaml:2: discover.openfaas.url is missing'],
  ['{ openfaas: { url: http://gw, every: 10ms } }', 'discover.openfaas.every must be a duration from 1s to 1d'],
  ['{ openfaas: { url: http://gw, every: often } }', 'discover.openfaas.every must be a duration from 1s to 1d'],
  ['{ openfaas: { url: http://gw, tokenFile: "" } }', 'discover.openfaas.tokenFile must be the path of a file'],
  ['{ openfaas: { url: http://gw, password: secret } }', 'discover.openfaas.password is not a known setting'],
  ['{ fission: { url: http://gw } }', 'discover.fission'],
  ['yes', 'discover must be a map with openfaas'],
])('%s is refused', (discover, problem) => {
  expect(problemsOf(discover)).toEqual(expect.arrayContaining([expect.stringContaining(problem)]));
  expect(problemsOf(discover).join()).not.toContain('secret');
});

test('groups and steps may name functions that are still to be found', () => {
  const text = 'functions: { a: { url: http://a, then: [b] } }\ngroups: { all: [a, c] }\n';
  expect(parseFunctions(text).kind).toBe('refused');
  expect(parseFunctions(`${text}discover: { openfaas: { url: http://gw } }`).kind).toBe('functions');
});
