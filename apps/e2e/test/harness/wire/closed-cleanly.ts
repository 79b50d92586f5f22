import type { Load } from '@asyncfn/stack';
import { expect } from 'vitest';

/**
 * Each request was answered, or found the port closed, or its connection: one that stays idle for half a second after a
 * stop begins is closed, and clients on a busy machine are that slow.
 */
export function expectClosedCleanly({ broken }: Pick<Load, 'broken'>): void {
  expect(broken).toContain('ECONNREFUSED');
  expect(broken.filter((code) => code !== 'ECONNREFUSED' && code !== 'UND_ERR_SOCKET')).toEqual([]);
}
