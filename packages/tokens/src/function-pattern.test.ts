import { describe, expect, test } from 'vitest';
import { parseFunctionPattern } from './function-pattern.ts';

describe.each([
  ['thumbnail', ['thumbnail'], ['thumbnails', 'Thumbnail', 'thumbnail.team-a', 'a-thumbnail']],
  ['pdf-*', ['pdf-', 'pdf-merge', 'pdf-a_b'], ['pdf', 'pdf-merge.team-a', 'x-pdf-merge']],
  ['*-pdf', ['to-pdf', '-pdf'], ['pdf', 'to-pdf.ns']],
  ['a*z', ['az', 'abcz'], ['a', 'z', 'abc']],
  ['*', ['anything'], ['anything.team-a']],
  ['*.team-a', ['anything.team-a'], ['anything', 'anything.team-b', 'anything.team-a-b']],
  ['pdf-*.team-*', ['pdf-x.team-a'], ['pdf-x', 'pdf-x.ops']],
])('%s', (pattern, inside, outside) => {
  test.each(inside)('includes %s', (name) => expect(parseFunctionPattern(pattern)?.test(name)).toBe(true));
  test.each(outside)('does not include %s', (name) => expect(parseFunctionPattern(pattern)?.test(name)).toBe(false));
});

test.each(['', '.', 'a.', '.a', 'a.b.c', '**', 'a*b*c', 'a b', 'a/b', 'a?', '[ab]', 'ä'])(
  '%j is not a pattern',
  (text) => {
    expect(parseFunctionPattern(text)).toBeUndefined();
  },
);
