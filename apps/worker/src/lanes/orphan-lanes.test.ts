import { expect, test } from 'vitest';
import { abandonedMs, OrphanLanes, unknownMs } from './orphan-lanes.ts';

test('a consumer whose function is gone is removed when nothing has waited for a while', () => {
  const orphans = new OrphanLanes();
  expect(orphans.see('a', true, 0)).toBe('wait');
  expect(orphans.see('a', true, abandonedMs - 1)).toBe('wait');
  expect(orphans.see('a', true, abandonedMs)).toBe('remove');
});

test('calls that come in the meantime start that wait again', () => {
  const orphans = new OrphanLanes();
  orphans.see('a', true, 0);
  expect(orphans.see('a', false, abandonedMs)).toBe('wait');
  expect(orphans.see('a', true, abandonedMs + 1)).toBe('wait');
  expect(orphans.see('a', true, 2 * abandonedMs + 1)).toBe('remove');
});

test('calls wait for a function that is gone, but not for ever', () => {
  const orphans = new OrphanLanes();
  expect(orphans.see('a', false, 0)).toBe('wait');
  expect(orphans.see('a', false, unknownMs - 1)).toBe('wait');
  expect(orphans.see('a', false, unknownMs)).toBe('end_calls');
});

test('a function that came back and went again has its full time again', () => {
  const orphans = new OrphanLanes();
  orphans.see('a', false, 0);
  orphans.forget('a');
  expect(orphans.isNew('a')).toBe(true);
  expect(orphans.see('a', false, unknownMs)).toBe('wait');
});
