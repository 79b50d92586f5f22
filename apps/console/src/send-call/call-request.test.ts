import { expect, test } from 'vitest';
import { noTexts, toRequest } from './call-request.ts';

const pathOf = (target: string) => {
  const request = toRequest('status', { ...noTexts, target });
  return request.kind === 'request' ? request.path : request.field;
};

test('a path and a query follow the name of the function', () => {
  expect(pathOf('')).toBe('/async-function/status');
  expect(pathOf('?code=503&times=2')).toBe('/async-function/status?code=503&times=2');
  expect(pathOf('/a/../b?c=..')).toBe('/async-function/status/b?c=..');
  expect(pathOf('a b')).toBe('/async-function/status/a%20b');
});

test.each(['/../../system/queues', '../x', '/%2e%2e/other', '\\..\\..\\system', '/a#b', '#'])(
  'a path that leads elsewhere is refused: %s',
  (target) => expect(pathOf(target)).toBe('target'),
);

test('each field becomes its header, and an empty one becomes none', () => {
  const texts = { ...noTexts, body: '{}', mediaType: 'application/json', labels: 'a, b', delay: '10m', retries: '2' };
  expect(toRequest('status', { ...texts, headers: 'X-Tenant: seven\n\nX-Empty:' })).toEqual({
    kind: 'request',
    path: '/async-function/status',
    headers: [
      ['Content-Type', 'application/json'],
      ['X-Label', 'a, b'],
      ['X-Delay', '10m'],
      ['X-Max-Retries', '2'],
      ['X-Tenant', 'seven'],
      ['X-Empty', ''],
    ],
    body: '{}',
  });
  expect(toRequest('status', noTexts)).toMatchObject({ headers: [], body: '' });
});

test.each([
  ['no colon', 'it is not a header'],
  ['Cookie: a=b', 'browsers do not let a page send Cookie'],
  ['authorization: Bearer x', 'X-Function-Authorization reaches the function'],
  ['X-Name: \u20ac', 'has a character that cannot be in a header'],
])('a header that would not be sent is refused: %s', (line, problem) => {
  const request = toRequest('status', { ...noTexts, headers: `X-Fine: yes\n${line}` });
  expect(request).toMatchObject({ kind: 'refused', field: 'headers', problem: expect.stringContaining(problem) });
  expect(request).toMatchObject({ problem: expect.stringContaining('Line 2') });
});
