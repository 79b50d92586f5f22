import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCallId } from '../call/call-identity.ts';
import { callbackFollowerId, deriveCallId, type FollowerTarget, type ParentLife } from './derive-call-id.ts';

const parent: ParentLife = { callId: 'parent-1', startTime: '1700000000000000000', generation: 0 };
const target: FollowerTarget = { function: 'next.team', path: '/a', query: 'b=c', submitter: undefined };

const text = fc.string({ unit: 'binary', maxLength: 12 });
const parents = fc.record({ callId: text, startTime: text, generation: fc.nat() });
const targets = fc.record({
  function: text,
  path: text,
  query: text,
  submitter: fc.option(text, { nil: undefined }),
});

describe('the id of the call that a callback makes', () => {
  test('is a UUIDv8, and the same at every delivery, in every process and version', () => {
    const id = callbackFollowerId(parent, target);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(isCallId(id)).toBe(true);
    // Gateways of two versions run side by side: a callback that goes to both of them must not make two calls.
    expect(id).toBe('9522b22a-6843-8585-98d8-c43766698206');
  });

  test.each<[string, Partial<ParentLife>, Partial<FollowerTarget>]>([
    ['another parent', { callId: 'parent-2' }, {}],
    ['an earlier life of its id', { startTime: '1600000000000000000' }, {}],
    ['a replay of it', { generation: 1 }, {}],
    ['another function', {}, { function: 'next' }],
    ['another namespace', {}, { function: 'next.others' }],
    ['another sub-path', {}, { path: '/a/' }],
    ['another query', {}, { query: 'b=d' }],
    ['another token', {}, { submitter: 'partner' }],
    ['a token without a name', {}, { submitter: '' }],
  ])('is another one for %s', (_, otherParent, otherTarget) => {
    const id = callbackFollowerId({ ...parent, ...otherParent }, { ...target, ...otherTarget });
    expect(id).not.toBe(callbackFollowerId(parent, target));
  });

  test('depends only on its parts, and differs for any two of them', () => {
    fc.assert(
      fc.property(parents, targets, parents, targets, (parentA, targetA, parentB, targetB) => {
        const [a, b] = [callbackFollowerId(parentA, targetA), callbackFollowerId(parentB, targetB)];
        expect(callbackFollowerId({ ...parentA }, { ...targetA })).toBe(a);
        expect(a === b).toBe(JSON.stringify([parentA, targetA]) === JSON.stringify([parentB, targetB]));
      }),
    );
  });

  test('does not confuse parts whose texts run into each other', () => {
    const moved: FollowerTarget = { ...target, path: '/a?b', query: 'c' };
    const other: FollowerTarget = { ...target, path: '/a', query: 'b?c' };
    expect(callbackFollowerId(parent, moved)).not.toBe(callbackFollowerId(parent, other));
  });
});

test('followers of different kinds never have the same id', () => {
  expect(deriveCallId(parent, ['callback', 'a'])).not.toBe(deriveCallId(parent, ['step', 'a']));
  expect(deriveCallId(parent, ['callback', 'a'])).not.toBe(deriveCallId(parent, ['callback', 'a', null]));
});
