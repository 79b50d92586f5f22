import type { CallbackTask } from '@asyncfn/queue-core';
import { CallbackPolicy } from '@asyncfn/queue-core/callback-guard';
import { parseConfig } from '@asyncfn/service-kit';
import { describe, expect, test } from 'vitest';
import { workerConfig } from '../config.ts';
import { NameLookupError } from '../names/dns-query.ts';
import { namesBusy } from '../names/name-resolver.ts';
import { type Admission, Receivers, type ReceiversOptions } from './receivers.ts';

const { signal } = new AbortController();
/** The deadline of a delivery. */
const timeoutMs = 15_000;

interface Setup extends Partial<Pick<ReceiversOptions, 'max' | 'maxPerHost'>> {
  /** Default: each name has an address of its own. */
  readonly resolve?: ReceiversOptions['names']['resolve'];
  readonly env?: Record<string, string>;
}

function open({ max = 100, maxPerHost = 10, resolve = ownAddress, env = {} }: Setup = {}) {
  let now = 1_000_000;
  const policy = new CallbackPolicy(parseConfig(workerConfig, env));
  const receivers = new Receivers({ max, maxPerHost, names: { resolve }, policy, now: () => now });
  const admit = (url: string, submitter?: string): Promise<Admission> =>
    receivers.admit(taskFor(url, submitter), 0, signal);
  return {
    receivers,
    admit,
    pass: (ms: number): void => {
      now += ms;
    },
    /** Sends as many callbacks as are admitted, at most `count`; resolves with their ends. */
    send: async (count: number, urlOf: string | ((call: number) => string), submitter?: string) => {
      const ends: ((answered: boolean) => void)[] = [];
      for (let call = 0; call < count; call += 1) {
        const admission = await admit(typeof urlOf === 'string' ? urlOf : urlOf(call), submitter);
        if (admission.kind === 'admitted') {
          ends.push(admission.begin());
        }
      }
      return ends;
    },
    /** One callback that is answered. */
    deliver: async (url: string, submitter?: string): Promise<void> => {
      const admission = await admit(url, submitter);
      if (admission.kind !== 'admitted') {
        throw new Error(`the callback to ${url} is not admitted`);
      }
      const end = admission.begin();
      now += 10;
      end(true);
    },
  };
}

const addresses = new Map<string, string>();
const ownAddress: ReceiversOptions['names']['resolve'] = async (name) => {
  const address = addresses.get(name) ?? `93.184.${addresses.size >> 8}.${addresses.size & 255}`;
  addresses.set(name, address);
  return [address];
};

function taskFor(url: string, submitter: string | undefined): CallbackTask {
  return {
    v: 1,
    callId: 'id',
    generation: 0,
    ...(submitter !== undefined && { submitter }),
    function: 'echo',
    queue: 'default',
    url,
    functionStatus: 200,
    durationMs: 1,
    startTime: '1700000000000000000',
    retry: 0,
    maxRetries: 0,
    headers: [],
    tries: 0,
  };
}

describe('a host', () => {
  test('that has answered lately has its whole share, a new one has half, and one that hangs less', async () => {
    const { send, deliver, pass } = open();
    await deliver('http://good.example/');
    expect(await send(20, 'http://good.example/')).toHaveLength(10);
    const hung = await send(20, 'http://new.example/');
    expect(hung).toHaveLength(3);
    expect(await send(20, 'http://new.example/other')).toHaveLength(2);
    pass(timeoutMs);
    for (const end of hung) {
      end(false);
    }
    expect(await send(20, 'http://new.example/')).toHaveLength(1);
  });

  test('does not count as slow while it is sent a large callback, which has its slot as any other', async () => {
    const { receivers, send, deliver, pass } = open();
    await deliver('http://good.example/');
    const bodyObject = { id: 'large', length: 2 ** 30, sha256: '' };
    const large = { ...taskFor('http://good.example/', undefined), bodyObject };
    const admission = await receivers.admit(large, 0, signal);
    const end = admission.kind === 'admitted' ? admission.begin() : undefined;
    pass(60_000);
    expect(await send(20, 'http://good.example/')).toHaveLength(9);
    end?.(false);
    expect(await send(20, 'http://good.example/')).toHaveLength(1);
  });

  test('has a share for each submitter', async () => {
    const { send, deliver } = open();
    await deliver('http://shared.example/a', 'a');
    await deliver('http://shared.example/b', 'b');
    expect(await send(20, 'http://shared.example/a', 'a')).toHaveLength(10);
    expect(await send(20, 'http://shared.example/b', 'b')).toHaveLength(10);
  });

  test('that hangs under one URL still takes the callbacks of another one, known or new', async () => {
    const { send, deliver, pass } = open();
    await deliver('http://shared.example/ok?to=b');
    await send(100, 'http://shared.example/hang');
    pass(1_000);
    await send(100, 'http://shared.example/hang');
    await deliver('http://shared.example/ok?to=b');
    await deliver('http://shared.example/new');
    expect(await send(20, 'http://shared.example/ok?to=b')).toHaveLength(6);
  });

  test('that hangs under every URL gets no more if callers invent others', async () => {
    const { send, pass } = open({ maxPerHost: 100 });
    await send(1, 'http://bad.example/first');
    pass(1_000);
    expect(await send(100, (call) => `http://bad.example/${call}`)).toHaveLength(13 - 1); // a quarter of what its address has
  });
});

describe('hosts that hang', () => {
  test('get no more than half of all slots while they are new, and a quarter from then on', async () => {
    const { send, deliver, pass, receivers } = open();
    const urlOf = (call: number): string => `http://h${call % 40}.hang.example/`;
    const first = await send(200, urlOf);
    expect(first).toHaveLength(50);
    await deliver('http://new.example/').catch(() => undefined);
    pass(timeoutMs);
    for (const end of first) {
      end(false);
    }
    expect(await send(200, urlOf)).toHaveLength(25);
    await deliver('http://another.example/');
    expect(receivers.free).toBe(75);
  });

  test('of one submitter leave half of that to the others', async () => {
    const { send, receivers } = open();
    expect(await send(200, (call) => `http://h${call}.hang.example/`, 'a')).toHaveLength(25);
    expect(await send(200, (call) => `http://h${call}.hang.example/`, 'b')).toHaveLength(25);
    expect(receivers.free).toBe(50);
  });

  test('of one address count as one, whatever their names', async () => {
    const { send } = open({ resolve: async () => ['93.184.216.34'] });
    expect(await send(200, (call) => `http://h${call}.hang.example/`)).toHaveLength(25);
  });

  test.each([
    ['a network of IPv6', '2001:db8:1:2::', '2001:db8:1:2:a:b:c:d', 25],
    ['two networks', '2001:db8:1:2::', '2001:db8:1:3::', 50],
  ])('of %s count as what it is', async (_, one, other, count) => {
    const { send } = open({ resolve: async (name) => [name.startsWith('h1') ? one : other] });
    expect(await send(200, (call) => `http://h${call % 2}.n${call}.example/`)).toHaveLength(count);
  });

  test('leave the slots of hosts that answered, however many hosts hang', async () => {
    const { send, deliver } = open();
    await deliver('http://good.example/');
    await send(1_000, (call) => `http://h${call}.hang.example/${call}`);
    expect(await send(10, 'http://good.example/')).toHaveLength(10);
  });
});

test('a new receiver does not wait for those that hang for another submitter at the same address', async () => {
  const { send, deliver } = open({ resolve: async () => ['93.184.216.34'] });
  await send(200, (call) => `http://h${call}.hang.example/`, 'a');
  await deliver('http://new.example/', 'b');
});

describe('a callback without a slot', () => {
  const delayOf = async (admission: Promise<Admission>): Promise<number> => {
    const settled = await admission;
    return settled.kind === 'later' ? settled.delayMs : Number.NaN;
  };

  test('comes back when it is its turn, in the order of asking', async () => {
    const { send, admit, pass } = open();
    await send(10, 'http://hang.example/');
    pass(timeoutMs);
    const delays = [];
    for (let call = 0; call < 50; call += 1) {
      delays.push(await delayOf(admit('http://hang.example/')));
    }
    // A quarter of ten slots, each for 15 s.
    expect(delays.slice(0, 3)).toEqual([1_000, 7_000, 13_000]);
    expect(Math.max(...delays)).toBe(120_000);
  });

  test('comes back soon if its receiver has only begun to hang, and later the longer it does', async () => {
    const { send, admit, pass } = open();
    await send(10, 'http://hang.example/');
    pass(1_000);
    expect(await delayOf(admit('http://hang.example/'))).toBe(1_000);
    // A quarter of ten slots, each for another second.
    expect(await delayOf(admit('http://hang.example/'))).toBe(1_400);
    pass(4_000);
    expect(await delayOf(admit('http://hang.example/'))).toBe(1_000);
    expect(await delayOf(admit('http://hang.example/'))).toBe(3_000);
    await send(1_000, 'http://hang.example/');
    expect(await delayOf(admit('http://hang.example/'))).toBe(40_000);
  });

  test('does not wait for the turns of others', async () => {
    const { send, admit, pass } = open({ maxPerHost: 4 });
    await send(4, 'http://shared.example/hang', 'a');
    pass(1_000);
    await send(100, 'http://shared.example/hang', 'a');
    await send(4, 'http://shared.example/other', 'b');
    expect(await delayOf(admit('http://shared.example/other', 'b'))).toBeLessThan(2_000);
  });

  test('is no longer delayed for long once the receiver has answered', async () => {
    const { send, admit, pass } = open();
    const [end] = await send(10, 'http://hang.example/');
    pass(1_000);
    await send(100, 'http://hang.example/');
    end?.(true);
    await send(100, 'http://hang.example/');
    expect(await delayOf(admit('http://hang.example/'))).toBeLessThan(20_000);
  });
});

test('a callback that waited for its body, and was not sent, says nothing about its receiver', async () => {
  const { send, admit, pass, deliver } = open();
  await deliver('http://hooks.example/');
  const admission = await admit('http://hooks.example/');
  pass(5_000);
  if (admission.kind === 'admitted') {
    admission.release();
  }
  expect(await send(100, 'http://hooks.example/')).toHaveLength(10);
});

describe('the name of a host', () => {
  test('that cannot be resolved is left to the delivery, which says why', async () => {
    const resolve = () => Promise.reject(new NameLookupError('ETIMEOUT', 'too slow'));
    expect(await open({ resolve }).admit('http://tarpit.example/')).toMatchObject({ kind: 'admitted' });
  });

  test('that must wait for others of its caller sends the callback away', async () => {
    const resolve = () => Promise.reject(new NameLookupError(namesBusy, 'busy'));
    expect(await open({ resolve }).admit('http://tarpit.example/')).toEqual({ kind: 'later', delayMs: 1_000 });
  });

  test.each([
    'http://denied.example/',
    'https://hooks.example:25/',
    'no URL',
    'http://93.184.216.34/',
    'http://[2606:4700::1]/',
  ])('is not looked up where the callback is refused, or the host is an address: %s', async (url) => {
    const asked: string[] = [];
    const resolve = async (name: string): Promise<readonly string[]> => {
      asked.push(name);
      return ['93.184.216.34'];
    };
    const { admit } = open({ resolve, env: { CALLBACK_DENY: 'denied.example' } });
    expect(await admit(url)).toMatchObject({ kind: 'admitted' });
    expect(asked).toEqual([]);
  });
});
