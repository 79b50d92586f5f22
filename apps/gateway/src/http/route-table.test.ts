import { expect, test } from 'vitest';
import { RouteTable } from './route-table.ts';

const table = new RouteTable();
table.add('/letters', ['GET']);
table.add('/letters/:id', ['GET']);
table.add('/letters/:id', ['DELETE']);
table.add('/letters/:id/replay', ['POST']);
table.add('/letters/replay', ['POST']);
table.add('/docs/*', ['GET']);

test.each([
  ['/letters', '/letters', ['GET']],
  ['/letters/a', '/letters/:id', ['GET', 'DELETE']],
  ['/letters/a%2Fb', '/letters/:id', ['GET', 'DELETE']],
  ['/letters/a/replay', '/letters/:id/replay', ['POST']],
  // Also the id of a dead letter: if one pattern does not match, the other may.
  ['/letters/replay', '/letters/replay', ['GET', 'DELETE', 'POST']],
  ['/letters/', undefined, []],
  ['/letters//replay', undefined, []],
  ['/letters/a/b', undefined, []],
  ['/docs/page', undefined, []],
  ['', undefined, []],
])('%s fits %s', (path, pattern, methods) => {
  expect(table.patternOf(path)).toBe(pattern);
  expect([...table.methodsOf(path)]).toEqual(methods);
});
