import { eventually } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { capturedLogger } from '../../test/captured-logger.ts';
import { ConfigError } from '../config/config.ts';
import { type Component, ComponentError } from './component.ts';
import { composeService } from './compose-service.ts';
import { ServiceStoppedError } from './service.ts';

const LONG_MS = 60_000;

/** Components that record their calls in `events`, and a service of them. */
function recorded(overrides: readonly (Partial<Component> & { readonly name: string })[]) {
  const events: string[] = [];
  const { logger, lines } = capturedLogger();
  const components = overrides.map(
    (each): Component => ({
      start: () => void events.push(`start ${each.name}`),
      drain: { name: `drain ${each.name}`, timeoutMs: LONG_MS, run: () => void events.push(`drain ${each.name}`) },
      stop: { name: `stop ${each.name}`, timeoutMs: LONG_MS, run: () => void events.push(`stop ${each.name}`) },
      ...each,
    }),
  );
  const stopping = new AbortController();
  stopping.signal.addEventListener('abort', () => events.push('stopping'));
  return { events, lines, stopping, service: composeService(components, { name: 'the shop', logger, stopping }) };
}

describe('composeService', () => {
  test('starts its components in order, and drains and stops each in reverse', async () => {
    const { service, events } = recorded([{ name: 'till' }, { name: 'shelf' }]);
    await service.start();
    await service.stop();
    expect(events).toEqual([
      'start till',
      'start shelf',
      'stopping',
      'drain shelf',
      'stop shelf',
      'drain till',
      'stop till',
    ]);
  });

  test('waits for a component before it starts the next', async () => {
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const { service, events } = recorded([{ name: 'till', start: () => opened }, { name: 'shelf' }]);
    const started = service.start();
    await turns();
    expect(events).toEqual([]);
    open();
    await started;
    expect(events).toEqual(['start shelf']);
  });

  test('a component may omit each phase', async () => {
    const { logger, lines } = capturedLogger();
    const service = composeService([{ name: 'sign' }], { name: 'the shop', logger });
    await service.start();
    await service.stop();
    expect(lines).toEqual([]);
  });

  test('each phase is logged as it ends', async () => {
    const { service, lines } = recorded([{ name: 'till' }]);
    await service.start();
    await service.stop();
    expect(lines).toMatchObject([
      { level: 'info', phase: 'drain till', msg: 'phase done' },
      { level: 'info', phase: 'stop till', msg: 'phase done' },
    ]);
  });

  test('if one fails to start, it and those before it are stopped, those after it are not started', async () => {
    const broken = { name: 'shelf', start: () => Promise.reject(new Error('no wood')) };
    const { service, events } = recorded([{ name: 'till' }, broken, { name: 'door' }]);
    const error = await service.start().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ComponentError);
    expect(error).toMatchObject({
      component: 'shelf',
      message: 'shelf could not be started: no wood',
      cause: { message: 'no wood' },
    });
    // Without a call of stop().
    await eventually(() => events.at(-1) === 'stop till');
    expect(events).toEqual(['start till', 'stopping', 'drain shelf', 'stop shelf', 'drain till', 'stop till']);
    await service.stop();
    expect(events).toHaveLength(6);
  });

  test('a failed start does not hide that the stop after it fails too', async () => {
    const broken = {
      name: 'shelf',
      start: () => {
        throw new Error('no wood');
      },
      stop: { name: 'clear shelf', timeoutMs: LONG_MS, run: () => Promise.reject(new Error('stuck')) },
    };
    const { service, lines } = recorded([broken]);
    await expect(service.start()).rejects.toThrow('no wood');
    await expect(service.stop()).rejects.toThrow('the shop did not stop cleanly: shelf (clear shelf)');
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'error', phase: 'clear shelf', msg: 'phase failed' }),
    );
  });

  test('a mistake in a setting is reported as it is', async () => {
    const error = new ConfigError([{ name: 'SHELVES', problem: 'must be at least 1' }]);
    const { service } = recorded([{ name: 'shelf', start: () => Promise.reject(error) }]);
    await expect(service.start()).rejects.toBe(error);
    await service.stop();
  });

  test('components that fail or take too long to stop are named, and the rest is stopped all the same', async () => {
    const hung = { name: 'till', drain: { name: 'count coins', timeoutMs: 5, run: () => new Promise<void>(() => {}) } };
    const broken = {
      name: 'door',
      stop: { name: 'lock door', timeoutMs: LONG_MS, run: () => Promise.reject(new Error('no key')) },
    };
    const { service, events } = recorded([{ name: 'sign' }, hung, { name: 'shelf' }, broken]);
    await service.start();
    await expect(service.stop()).rejects.toThrow(
      /^the shop did not stop cleanly: door \(lock door\), till \(count coins\);/,
    );
    expect(events.slice(5)).toEqual([
      'drain door',
      'drain shelf',
      'stop shelf',
      'stop till',
      'drain sign',
      'stop sign',
    ]);
  });

  test('a stop during the start aborts the signal at once, and nothing further is started', async () => {
    const slow = {
      name: 'till',
      start: (signal: AbortSignal) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
    };
    const { service, events } = recorded([slow, { name: 'shelf' }]);
    const refused = expect(service.start()).rejects.toThrow(ServiceStoppedError);
    await turns();
    await service.stop();
    await refused;
    expect(events).toEqual(['stopping', 'drain till', 'stop till']);
  });

  test('a stop before the start touches no component', async () => {
    const { service, events } = recorded([{ name: 'till' }]);
    await service.stop();
    await expect(service.start()).rejects.toThrow(ServiceStoppedError);
    expect(events).toEqual([]);
  });

  test('all callers of stop share one', async () => {
    const { service, events } = recorded([{ name: 'till' }]);
    await service.start();
    await Promise.all([service.stop(), service.stop(), service[Symbol.asyncDispose]()]);
    expect(events).toEqual(['start till', 'stopping', 'drain till', 'stop till']);
  });

  test('under any interleaving of starts and stops each component starts before and stops after its followers, at most once', async () => {
    for (let round = 0; round < 200; round++) {
      const failing = round % 4;
      const { service, events } = recorded(
        ['a', 'b', 'c'].map((name, index) => ({
          name,
          start: async () => {
            events.push(`start ${name}`);
            await turns(round % 3);
            if (index === failing) {
              throw new Error(`${name} fails`);
            }
          },
        })),
      );
      await Promise.allSettled(
        Array.from({ length: 20 }, async (_, i) => {
          await turns((i * 7 + round) % 9);
          await ((i * 13 + round) % 5 === 0 ? service.stop() : service.start());
        }),
      );
      await service.stop();
      const started = events.filter((event) => event.startsWith('start ')).map((event) => event.slice('start '.length));
      const stopped = events.filter((event) => event.startsWith('stop ')).map((event) => event.slice('stop '.length));
      expect('abc').toContain(started.join('')); // in order, none left out
      expect(stopped).toEqual(started.toReversed());
    }
  });
});

/** Lets ticks of the event loop pass. */
async function turns(count = 1): Promise<void> {
  for (let i = 0; i < count; i++) {
    await new Promise(setImmediate);
  }
}
