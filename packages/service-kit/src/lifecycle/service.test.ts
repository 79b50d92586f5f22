import { describe, expect, test } from 'vitest';
import { createService, type ServiceHooks, ServiceStoppedError } from './service.ts';

/** A service that records the calls of its hooks in `events`. */
function recorded(hooks: Partial<ServiceHooks> = {}) {
  const events: string[] = [];
  const service = createService({
    async start(signal) {
      events.push('start');
      await hooks.start?.(signal);
      events.push('started');
    },
    async stop() {
      events.push('stop');
      await hooks.stop?.();
      events.push('stopped');
    },
  });
  return { service, events };
}

describe('createService', () => {
  test('starts once and stops once, however often it is asked', async () => {
    const { service, events } = recorded();
    await Promise.all([service.start(), service.start()]);
    await service.start();
    await Promise.all([service.stop(), service.stop()]);
    await service.stop();
    expect(events).toEqual(['start', 'started', 'stop', 'stopped']);
  });

  test('a stop before the start does nothing, and no start follows it', async () => {
    const { service, events } = recorded();
    await service.stop();
    await expect(service.start()).rejects.toThrow(ServiceStoppedError);
    expect(events).toEqual([]);
  });

  test('a stop during the start aborts its signal, waits for it, then stops', async () => {
    const { service, events } = recorded({
      start: (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
    });
    const started = service.start();
    const refused = expect(started).rejects.toThrow(ServiceStoppedError);
    await turns(1);
    await service.stop();
    await refused;
    expect(events).toEqual(['start', 'started', 'stop', 'stopped']);
  });

  test('a stop in the same tick as the start calls neither hook', async () => {
    const { service, events } = recorded();
    const refused = expect(service.start()).rejects.toThrow(ServiceStoppedError);
    await service.stop();
    await refused;
    expect(events).toEqual([]);
  });

  test('a stop does not overtake a start that ignores its signal', async () => {
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const { service, events } = recorded({ start: () => opened });
    const started = service.start().catch((error: unknown) => error);
    await turns(1);
    const stopped = service.stop();
    open();
    await stopped;
    expect(await started).toBeInstanceOf(ServiceStoppedError);
    expect(events).toEqual(['start', 'started', 'stop', 'stopped']);
  });

  test('after a failed start a stop still cleans up', async () => {
    const { service, events } = recorded({ start: () => Promise.reject(new Error('no port')) });
    await expect(service.start()).rejects.toThrow('no port');
    await expect(service.start()).rejects.toThrow('no port');
    await service.stop();
    expect(events).toEqual(['start', 'stop', 'stopped']);
  });

  test('all callers of stop see that it failed', async () => {
    const { service } = recorded({
      stop: () => {
        throw new Error('stuck');
      },
    });
    await service.start();
    const stops = await Promise.allSettled([service.stop(), service.stop(), service[Symbol.asyncDispose]()]);
    expect(stops.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  });

  test('a start hook may call stop() itself', async () => {
    const { service, events } = recorded({ start: () => void service.stop() });
    await expect(service.start()).rejects.toThrow(ServiceStoppedError);
    await service.stop();
    expect(events).toEqual(['start', 'started', 'stop', 'stopped']);
  });

  test('await using stops it', async () => {
    const { service, events } = recorded();
    {
      await using scoped = service;
      await scoped.start();
    }
    expect(events.at(-1)).toBe('stopped');
  });

  test('under any interleaving of starts and stops the hooks run at most once, in order, and all callers agree', async () => {
    for (let round = 0; round < 300; round++) {
      const fails = round % 3 === 0;
      const { service, events } = recorded({
        start: async () => {
          await turns(round % 5);
          if (fails) {
            throw new Error('start failed');
          }
        },
        stop: () => turns(round % 4),
      });
      const calls = Array.from({ length: 40 }, async (_, i) => {
        await turns((i * 7 + round) % 11);
        const wantsStop = (i * 13 + round) % 5 === 0;
        await (wantsStop ? service.stop() : service.start());
        // A caller that waited for a stop finds that nothing runs any more.
        if (wantsStop) {
          expect(events.at(-1) ?? 'stopped').toBe('stopped');
        }
      });
      await Promise.allSettled(calls).then((results) => {
        const broken = results.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
        for (const { reason } of broken) {
          expect(String(reason)).toMatch(/start failed|has been stopped/);
        }
      });
      await service.stop();
      const whole = fails ? ['start', 'stop', 'stopped'] : ['start', 'started', 'stop', 'stopped'];
      expect([[], whole]).toContainEqual(events);
    }
  });
});

/** Lets `count` ticks of the event loop pass. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await new Promise(setImmediate);
  }
}
