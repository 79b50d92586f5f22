import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { quote, toCurl } from './curl.ts';

test('a shell reads every value as it was, and runs nothing', () => {
  const values = [
    'plain',
    "it's",
    '$(touch /tmp/never) `id` "x" \\ !! ; & | > < * ?',
    'two\nlines',
    '\u001b[201~\rrm -rf',
    "\t'\\\u0007'",
    'right-to-left \u202e sign',
    '',
    '-n',
  ];
  const line = `printf '%s\\0' ${values.map(quote).join(' ')}`;
  expect(execFileSync('bash', ['-c', line], { encoding: 'utf8' }).split('\0').slice(0, -1)).toEqual(values);
});

test('a line has no control character that a terminal could obey', () => {
  expect(quote('\u001b[201~\r\u009b\u202e')).toMatch(/^[\x20-\x7e]+$/);
});

test('a token is named, not shown', () => {
  expect(toCurl({ url: 'http://127.0.0.1:8080/async-function/a?b=c', needsToken: true })).toBe(
    `curl -i 'http://127.0.0.1:8080/async-function/a?b=c' -H "Authorization: Bearer $ASYNCFN_TOKEN"`,
  );
});

test('a request has its headers and its body', () => {
  const headers = [['Content-Type', 'application/json']] as const;
  expect(toCurl({ url: 'http://a/b', method: 'POST', headers, body: '@file' })).toBe(
    `curl -i http://a/b -H 'Content-Type: application/json' --data-raw @file`,
  );
  expect(toCurl({ url: 'http://a/b', method: 'POST' })).toBe('curl -i -X POST http://a/b');
});
