import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBoundedLabel, otherLabel } from './bounded-label.ts';

test('known names keep their label, however many others come first', () => {
  const toLabel = createBoundedLabel(2, (name) => name === 'known');
  expect(['a', 'b', 'c', 'known', 'a', 'c'].map(toLabel)).toEqual(['a', 'b', 'other', 'known', 'a', 'other']);
});

test('for any names, there are no more labels than the limit, the known ones and one for the rest', () => {
  const names = fc.array(fc.string({ maxLength: 2 }), { maxLength: 200 });
  fc.assert(
    fc.property(names, fc.nat(20), (all, limit) => {
      const toLabel = createBoundedLabel(limit, (name) => name.startsWith('k'));
      const labels = new Set(all.map(toLabel));
      const unknown = [...labels].filter((label) => !label.startsWith('k') && label !== otherLabel);
      expect(unknown.length).toBeLessThanOrEqual(limit);
    }),
  );
});
