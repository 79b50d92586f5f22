import { allOf } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { toLines } from './lines.ts';
import { toEvents } from './server-sent-events.ts';

async function parse(text: string, pieceLength: number) {
  const bytes = new TextEncoder().encode(text);
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += pieceLength) {
      yield bytes.subarray(at, at + pieceLength);
    }
  }
  return await allOf(toEvents(toLines(pieces())));
}

test.each([1, 2, 3, 7, 1_000])('events are the same in pieces of %i bytes', async (length) => {
  const text = ': hello\n\nevent: ended\ndata: {"a":"ä"}\n\ndata:x\r\ndata: y\r\nid: 1\r\n\r\nevent: cut\ndata: off\n';
  expect(await parse(text, length)).toEqual([
    { type: 'ended', data: '{"a":"ä"}' },
    { type: 'message', data: 'x\ny' },
  ]);
});

test('an event without data is none, and its type is forgotten', async () => {
  expect(await parse('event: a\n\ndata: 1\n\n', 5)).toEqual([{ type: 'message', data: '1' }]);
});
