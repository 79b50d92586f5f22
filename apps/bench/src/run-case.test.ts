import { expect, test } from 'vitest';
import { runCase } from './run-case.ts';
import type { Absence, RunningSubject, Subject } from './scenario.ts';

interface Journal {
  readonly measured: string[];
  readonly ended: string[];
}

/** A subject that notes when it is measured and ended. Its figure is the number of the measurement. */
function subject(name: string, journal: Journal, { fails = false } = {}): Subject {
  let measurements = 0;
  return {
    name,
    start: (): Promise<RunningSubject> =>
      Promise.resolve({
        measure() {
          journal.measured.push(name);
          measurements += 1;
          return fails ? Promise.reject(new Error(`${name} fell over`)) : Promise.resolve({ rate: measurements });
        },
        [Symbol.asyncDispose]() {
          journal.ended.push(name);
          return Promise.resolve();
        },
      }),
  };
}

test('subjects are measured in turn, each round begins with another one, and all are ended', async () => {
  const journal: Journal = { measured: [], ended: [] };
  const subjects = ['ours', 'floor', 'other'].map((name) => subject(name, journal));
  const result = await runCase({ name: 'case', subjects }, 3);
  expect(journal.measured.join(' ')).toBe('ours floor other floor other ours other ours floor');
  expect(journal.ended).toEqual(['ours', 'floor', 'other']);
  const rounds = [{ rate: 1 }, { rate: 2 }, { rate: 3 }];
  expect(result.subjects).toEqual(['ours', 'floor', 'other'].map((name) => ({ subject: name, rounds })));
});

test('a subject that the machine cannot run is left out with the reason', async () => {
  const journal: Journal = { measured: [], ended: [] };
  const absence: Absence = { absent: 'no redis-server' };
  const missing: Subject = { name: 'other', start: () => Promise.resolve(absence) };
  const result = await runCase({ name: 'case', subjects: [missing, subject('ours', journal)] }, 2);
  expect(result.subjects[0]).toEqual({ subject: 'other', rounds: [], absent: 'no redis-server' });
  expect(journal.measured).toEqual(['ours', 'ours']);
});

test('a measurement that fails ends every subject and tells why', async () => {
  const journal: Journal = { measured: [], ended: [] };
  const subjects = [subject('ours', journal), subject('floor', journal, { fails: true })];
  await expect(runCase({ name: 'case', subjects }, 2)).rejects.toThrow('floor fell over');
  expect(journal.ended).toEqual(['ours', 'floor']);
});

test('a subject that does not start ends those that have', async () => {
  const journal: Journal = { measured: [], ended: [] };
  const broken: Subject = { name: 'floor', start: () => Promise.reject(new Error('no port')) };
  await expect(runCase({ name: 'case', subjects: [subject('ours', journal), broken] }, 1)).rejects.toThrow('no port');
  expect(journal.ended).toEqual(['ours']);
});
