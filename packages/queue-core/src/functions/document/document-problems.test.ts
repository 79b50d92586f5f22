import { expect, test } from 'vitest';
import { contentProblems } from './document-problems.ts';

test('a queue with more functions than it can have is reported once, with the first that is too many', () => {
  const named = (prefix: string, count: number, settings: object) =>
    Array.from({ length: count }, (_, index) => [`${prefix}${index}`, settings] as const);
  const functions = Object.fromEntries([
    ...named('own', 5_000, { queue: 'images' }),
    ...named('annotated', 5_002, { annotations: { 'com.openfaas.queue': 'images' } }),
    ...named('plain', 10_000, {}),
  ]);
  expect(contentProblems({ functions })).toEqual([
    {
      keys: ['functions', 'annotated5000'],
      problem: 'is one function too many for the queue images, which can have 10000; set queue to another',
    },
  ]);
  expect(contentProblems({ functions, defaults: { queue: 'images' } })).toHaveLength(1);
});
