import { expect, test } from 'vitest';
import { isMet, parsePrecondition, toEntityTag } from './entity-tag.ts';

function met(headers: Record<string, string>, tag: string | undefined): boolean | 'malformed' {
  const precondition = parsePrecondition(headers);
  return precondition === undefined ? 'malformed' : isMet(precondition, tag);
}

test('without a precondition every request passes', () => {
  expect(met({}, undefined)).toBe(true);
  expect(met({}, '"1"')).toBe(true);
});

test('If-Match passes if one of its tags is that of the resource', () => {
  expect(met({ 'if-match': '"7"' }, toEntityTag(7))).toBe(true);
  expect(met({ 'if-match': '"3", "7"' }, '"7"')).toBe(true);
  expect(met({ 'if-match': '"3","4"' }, '"7"')).toBe(false);
  expect(met({ 'if-match': '"7"' }, undefined)).toBe(false);
  expect(met({ 'if-match': '"7"' }, toEntityTag(undefined))).toBe(false);
});

test('a star matches any existing resource', () => {
  expect(met({ 'if-match': '*' }, '"7"')).toBe(true);
  expect(met({ 'if-match': '*' }, undefined)).toBe(false);
  expect(met({ 'if-none-match': '*' }, '"7"')).toBe(false);
  expect(met({ 'if-none-match': ' * ' }, undefined)).toBe(true);
});

test('If-None-Match passes if none of its tags is that of the resource', () => {
  expect(met({ 'if-none-match': '"3"' }, '"7"')).toBe(true);
  expect(met({ 'if-none-match': '"3", "7"' }, '"7"')).toBe(false);
});

test('a weak tag is never that of the resource', () => {
  expect(met({ 'if-match': 'W/"7"' }, '"7"')).toBe(false);
});

test.each(['7', '"7', '"3" 7', '', ', ,', '"a b"'])('%j is not a list of entity tags', (header) => {
  expect(met({ 'if-match': header }, '"7"')).toBe('malformed');
});
