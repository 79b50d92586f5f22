import { expect, test } from 'vitest';
import { renderFunctionsFile } from './functions-file.ts';

test('every sample function has its URL', () => {
  const entries = renderFunctionsFile('http://127.0.0.1:8091').split('\n').slice(1);
  expect(entries.slice(0, 3)).toEqual(['functions:', '  echo:', '    url: http://127.0.0.1:8091/echo']);
  expect(entries.filter((line) => line.includes('url:'))).toHaveLength(4);
});
