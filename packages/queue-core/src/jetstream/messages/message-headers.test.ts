import { headers } from '@nats-io/transport-node';
import { describe, expect, test } from 'vitest';
import { MessageHeaders } from './message-headers.ts';

type Change = (of: Pick<MessageHeaders, 'set' | 'delete'>) => void;

/** The headers as the client writes them. */
function byTheClient(change: Change): string {
  const written = headers();
  change(written);
  return Buffer.from((written as unknown as { encode(): Uint8Array }).encode()).toString();
}

function byUs(change: Change): string {
  const written = new MessageHeaders();
  change(written);
  return Buffer.from(written.encode()).toString();
}

describe('on the wire they are the same as those of the client', () => {
  test.each<[string, Change]>([
    ['one', (of) => of.set('Asyncfn-Call', '{"v":1,"path":"/\u00fc\u20ac"}')],
    [
      'several, in their order',
      (of) => {
        of.set('B', '1');
        of.set('A', '2');
      },
    ],
    [
      'one that is set again',
      (of) => {
        of.set('A', '1');
        of.set('A', '2');
      },
    ],
    [
      'one that is gone, and one that never was',
      (of) => {
        of.set('A', '1');
        of.set('B', '2');
        of.delete('A');
        of.delete('C');
      },
    ],
  ])('%s', (_, change) => {
    expect(byUs(change)).toBe(byTheClient(change));
  });
});

test('a header is read by its name, and is empty if it does not exist', () => {
  const read = new MessageHeaders();
  read.set('A', '1');
  expect([read.get('A'), read.get('a'), read.get('B')]).toEqual(['1', '', '']);
});

test.each(['a\r\nB: 1', 'a\nB', 'a\rB'])('%j does not break out of a header (P7)', (text) => {
  expect(() => new MessageHeaders().set('A', text)).toThrow('line break');
  expect(() => new MessageHeaders().set(text, '1')).toThrow('line break');
});
