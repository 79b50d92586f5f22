import { QueueError } from '@asyncfn/queue-core';
import { type FunctionConfig, FunctionRegister } from '@asyncfn/queue-core/functions';
import type { LaneId, LaneState, LaneTarget } from '@asyncfn/queue-core/jetstream';
import { createLogger } from '@asyncfn/service-kit';
import { eventually } from '@asyncfn/testkit';
import { beforeEach, describe, expect, test } from 'vitest';
import type { LaneStatus } from './dispatcher.ts';
import { idleMs, type LaneDispatcher, LaneReconciler, type LaneTopology } from './lane-reconciler.ts';
import { abandonedMs, unknownMs } from './orphan-lanes.ts';

/** The consumers that a broker has, by queue and function. */
class TestTopology implements LaneTopology {
  readonly queues = new Map<string, Map<string, LaneState>>();
  readonly scheduled = new Set<string>();
  readonly paused = new Set<string>();
  /** Calls that were stored in a lane without a consumer. */
  readonly stray = new Set<string>();
  readonly forgotten: string[] = [];
  /** When the consumers were created. */
  createdAt = 1_000_000;
  /** Consumers by what the worker has ensured. */
  readonly #known = new Map<string, number>();
  isAway = false;
  /** A function whose consumer the broker refuses to set up. */
  spoiled = '';

  /** Largest number of consumers that were ensured at once. */
  maxEnsuring = 0;
  #ensuring = 0;

  /** How often a whole queue was listed. */
  lists = 0;

  /** Another process has created a consumer, or calls have come. */
  set(queue: string, name: string, pending = 0, inFlight = 0): void {
    const lanes = this.queues.get(queue) ?? new Map<string, LaneState>();
    const state = { function: name, pending, inFlight, paused: this.paused.has(name), deliveredSequence: 0 };
    this.queues.set(queue, lanes.set(name, state));
  }

  async ensureFunction({ queue, name, paused }: LaneTarget): Promise<void> {
    this.#ensuring += 1;
    this.maxEnsuring = Math.max(this.maxEnsuring, this.#ensuring);
    await this.#answer().finally(() => {
      this.#ensuring -= 1;
    });
    if (name === this.spoiled) {
      const cause = Object.assign(new Error('no such file or directory'), { name: 'JetStreamApiError' });
      throw new QueueError('broker', `the consumer of ${name} cannot be set up`, { cause });
    }
    if (paused !== undefined) {
      this.paused[paused ? 'add' : 'delete'](name);
    }
    if (this.queues.get(queue)?.get(name) === undefined) {
      this.set(queue, name);
    }
    this.#known.set(`${queue}/${name}`, this.createdAt);
  }

  async listQueues(): Promise<string[]> {
    await this.#answer();
    return [...this.queues.keys()];
  }

  async findLane(queue: string, name: string): Promise<LaneState | undefined> {
    await this.#answer();
    return this.queues.get(queue)?.get(name);
  }

  async listLanes(queue: string): Promise<LaneState[]> {
    this.lists += 1;
    await this.#answer();
    return [...(this.queues.get(queue)?.values() ?? [])];
  }

  async hasScheduled(queue: string, name: string): Promise<boolean> {
    await this.#answer();
    return this.scheduled.has(`${queue}/${name}`);
  }

  async hasCalls(queue: string, name: string): Promise<boolean> {
    await this.#answer();
    const key = `${queue}/${name}`;
    const lane = this.queues.get(queue)?.get(name);
    return this.scheduled.has(key) || this.stray.has(key) || (lane?.pending ?? 0) + (lane?.inFlight ?? 0) > 0;
  }

  async removeLane(queue: string, name: string): Promise<void> {
    await this.#answer();
    this.queues.get(queue)?.delete(name);
  }

  forgetLane(queue: string, name: string): void {
    this.forgotten.push(`${queue}/${name}`);
    this.#known.delete(`${queue}/${name}`);
  }

  laneCreatedAt(queue: string, name: string): number | undefined {
    return this.#known.get(`${queue}/${name}`);
  }

  #answer(): Promise<void> {
    return this.isAway ? Promise.reject(new QueueError('broker', 'no answer')) : Promise.resolve();
  }
}

/** The open lanes, each with the URL that its calls go to. */
class TestDispatcher implements LaneDispatcher {
  readonly lanes = new Map<string, string | undefined>();
  readonly paused = new Set<string>();
  readonly createdAt = new Map<string, number | undefined>();
  readonly unfilledLanes: string[] = [];
  readonly backlogs = new Map<string, number>();
  blind: LaneId[] = [];

  open(id: LaneId, config: FunctionConfig | undefined, { paused, createdAt }: LaneStatus = {}): void {
    this.lanes.set(keyOf(id), config?.url);
    this.createdAt.set(keyOf(id), createdAt);
    this.paused[paused ? 'add' : 'delete'](keyOf(id));
  }

  lost(id: LaneId): void {
    this.createdAt.set(keyOf(id), undefined);
  }

  close(id: LaneId): void {
    this.lanes.delete(keyOf(id));
    this.paused.delete(keyOf(id));
  }

  unfilled(id: LaneId): void {
    this.unfilledLanes.push(keyOf(id));
  }

  counted(id: LaneId, backlog: number): void {
    this.backlogs.set(keyOf(id), backlog);
  }

  lanesWithUnknownBacklog(): LaneId[] {
    return this.blind;
  }
}

function keyOf({ queue, function: name }: LaneId): string {
  return `${queue}/${name}`;
}

const retry = { attempts: undefined, minWaitMs: undefined, maxWaitMs: undefined, backoff: undefined, codes: undefined };

let topology: TestTopology;
let dispatcher: TestDispatcher;
let register: FunctionRegister;
let logged: string[];
let now: number;
let isCurrent: boolean;
let loosened: string[];

beforeEach(() => {
  topology = new TestTopology();
  dispatcher = new TestDispatcher();
  register = new FunctionRegister();
  logged = [];
  now = 0;
  isCurrent = true;
  loosened = [];
});

function createKeeper(queues?: readonly string[]): LaneReconciler {
  const destination = { write: (line: string) => void logged.push((JSON.parse(line) as { msg: string }).msg) };
  const logger = createLogger({ name: 'worker', level: 'info', format: 'json', destination });
  return new LaneReconciler({
    register,
    topology,
    dispatcher,
    logger,
    queues,
    now: () => now,
    isCurrent: () => isCurrent,
    onLoosened: (id) => loosened.push(keyOf(id)),
  });
}

/** Registers functions, each as `queue/name`. */
function registerAll(...keys: readonly string[]): void {
  registerPaused(new Set(), ...keys);
}

function registerPaused(paused: ReadonlySet<string> | undefined, ...keys: readonly string[]): void {
  const configs = keys.map((key): FunctionConfig => {
    const [queue = '', name = ''] = key.split('/');
    return {
      name,
      url: `http://${name}.test`,
      queue,
      timeoutMs: 0,
      concurrency: undefined,
      maxPending: undefined,
      adaptive: true,
      retry,
    };
  });
  register.replace({ functions: new Map(configs.map((config) => [config.name, config])), fallback: undefined }, paused);
}

describe('a registered function', () => {
  test('has a consumer and a lane after one round', async () => {
    registerAll('default/echo', 'images/resize');
    await createKeeper().reconcile();
    expect(Object.fromEntries(dispatcher.lanes)).toEqual({
      'default/echo': 'http://echo.test',
      'images/resize': 'http://resize.test',
    });
    expect([...topology.queues.keys()]).toEqual(['default', 'images']);
  });

  test('gets them among a thousand others, a few of which are set up at a time', async () => {
    registerAll(...Array.from({ length: 1_000 }, (_, index) => `default/f${index}`));
    await createKeeper().reconcile();
    expect([dispatcher.lanes.size, topology.queues.get('default')?.size]).toEqual([1_000, 1_000]);
    expect(topology.maxEnsuring).toBe(2);
  });

  test.each(['first', 'second'])('gets them whatever is wrong with another one: %s', async (spoiled) => {
    registerAll('default/first', 'default/second', 'images/resize');
    topology.set('default', 'first', 1);
    topology.set('default', 'second', 1);
    topology.spoiled = spoiled;
    await expect(createKeeper().reconcile()).rejects.toThrow(`the consumer of ${spoiled} cannot be set up`);
    expect([...dispatcher.lanes.keys()].sort()).toEqual(['default/first', 'default/second', 'images/resize']);
    expect(topology.queues.get('images')?.has('resize')).toBe(true);
  });

  test('in a queue that this worker does not serve gets none', async () => {
    registerAll('default/echo', 'images/resize');
    topology.set('images', 'resize', 5);
    const reconciler = createKeeper(['default']);
    await reconciler.reconcile();
    reconciler.created({ queue: 'images', function: 'resize' }, topology.createdAt);
    expect([...dispatcher.lanes.keys()]).toEqual(['default/echo']);
  });

  test('whose consumer another process has just created has its lane at once', () => {
    registerAll('default/echo');
    createKeeper().created({ queue: 'default', function: 'echo' }, topology.createdAt);
    expect([...dispatcher.lanes.keys()]).toEqual(['default/echo']);
  });

  test('that has moved to another queue is served in both', async () => {
    registerAll('new/echo');
    topology.set('old', 'echo', 3);
    await createKeeper().reconcile();
    expect(Object.fromEntries(dispatcher.lanes)).toEqual({
      'new/echo': 'http://echo.test',
      'old/echo': 'http://echo.test',
    });
  });

  test('that is paused has a paused consumer, and one that is resumed does not', async () => {
    const reconciler = createKeeper();
    registerPaused(new Set(['echo']), 'default/echo', 'default/other');
    await reconciler.reconcile();
    expect([...topology.paused]).toEqual(['echo']);
    registerAll('default/echo', 'default/other');
    await reconciler.reconcile();
    expect([...topology.paused]).toEqual([]);
  });

  test('has no lane until the register has been read, and its consumer stays as it is', async () => {
    isCurrent = false;
    registerPaused(undefined, 'default/echo', 'default/other');
    topology.paused.add('echo');
    topology.set('default', 'echo', 3);
    const reconciler = createKeeper();
    await reconciler.refresh();
    await reconciler.reconcile();
    reconciler.created({ queue: 'default', function: 'echo' }, topology.createdAt);
    await reconciler.restore({ queue: 'default', function: 'other' });
    expect([...topology.paused]).toEqual(['echo']);
    expect([...topology.queues.get('default')!.keys()]).toEqual(['echo']);
    expect([...dispatcher.lanes]).toEqual([]);
    isCurrent = true;
    registerPaused(new Set(['echo']), 'default/echo', 'default/other');
    await reconciler.reconcile();
    expect([...topology.paused]).toEqual(['echo']);
    expect([...dispatcher.lanes.keys()].sort()).toEqual(['default/echo', 'default/other']);
    expect([...dispatcher.paused]).toEqual(['default/echo']);
  });

  test('is paused here at once, even while the broker does not answer, and resumed when its consumer is', async () => {
    const reconciler = createKeeper();
    registerAll('default/echo');
    await reconciler.refresh();
    topology.isAway = true;
    registerPaused(new Set(['echo']), 'default/echo');
    await expect(reconciler.refresh()).rejects.toThrow('no answer');
    expect([...dispatcher.paused]).toEqual(['default/echo']);
    topology.isAway = false;
    await reconciler.refresh();
    expect([...topology.paused]).toEqual(['echo']);

    topology.isAway = true;
    registerAll('default/echo');
    await expect(reconciler.refresh()).rejects.toThrow('no answer');
    expect([...dispatcher.paused]).toEqual(['default/echo']);
    topology.isAway = false;
    await reconciler.refresh();
    expect([...dispatcher.paused, ...topology.paused]).toEqual([]);
  });

  test('makes the broker check again if its consumer may hand out more than before, and at no other time', async () => {
    const reconciler = createKeeper();
    registerAll('default/echo', 'default/other');
    await reconciler.reconcile();
    await reconciler.reconcile();
    expect(loosened).toEqual([]);
    registerPaused(new Set(['echo']), 'default/echo', 'default/other');
    await reconciler.refresh();
    loosened.length = 0;
    registerAll('default/echo', 'default/other');
    await reconciler.refresh();
    expect(loosened).toEqual(['default/echo']);

    // It is paused at the broker; the round finds it.
    topology.paused.add('echo');
    topology.set('default', 'echo');
    await reconciler.reconcile();
    expect(loosened).toEqual(['default/echo', 'default/echo']);
    reconciler.pauseChanged({ queue: 'default', function: 'other' });
    reconciler.pauseChanged({ queue: 'default', function: 'unknown' });
    expect(loosened).toEqual(['default/echo', 'default/echo', 'default/other']);
  });

  test('whose consumer an operator has resumed at the broker is paused again', async () => {
    const reconciler = createKeeper();
    registerPaused(new Set(['echo']), 'default/echo');
    await reconciler.reconcile();
    topology.paused.delete('echo');
    topology.set('default', 'echo');
    topology.forgotten.length = 0;
    await reconciler.reconcile();
    expect(topology.forgotten).toContain('default/echo');
    expect([...topology.paused]).toEqual(['echo']);
  });

  test('whose consumer has vanished gets it created again, and asks again', async () => {
    registerAll('default/echo');
    const reconciler = createKeeper();
    await reconciler.reconcile();
    topology.queues.clear();
    await reconciler.restore({ queue: 'default', function: 'echo' });
    expect(topology.queues.get('default')?.has('echo')).toBe(true);
    expect([topology.forgotten, dispatcher.unfilledLanes]).toEqual([['default/echo'], ['default/echo']]);
  });
});

describe('a consumer that was created again', () => {
  const echo = { queue: 'default', function: 'echo' };

  test('counts as being as old as it is once it is ensured, and not before', async () => {
    registerAll('default/echo');
    const reconciler = createKeeper();
    await reconciler.reconcile();
    expect(dispatcher.createdAt.get('default/echo')).toBe(1_000_000);

    topology.createdAt = 2_000_000;
    reconciler.created(echo, 2_000_005);
    expect(dispatcher.createdAt.get('default/echo')).toBeUndefined();
    await eventually(() => dispatcher.createdAt.get('default/echo') === 2_000_000);
    topology.forgotten.length = 0;
    reconciler.created(echo, 2_000_010); // the one that we know
    expect(topology.forgotten).toEqual([]);

    topology.createdAt = 3_000_000;
    topology.isAway = true;
    await expect(reconciler.restore(echo)).rejects.toThrow('no answer');
    expect(dispatcher.createdAt.get('default/echo')).toBeUndefined();
    topology.isAway = false;
    await reconciler.restore(echo);
    expect(dispatcher.createdAt.get('default/echo')).toBe(3_000_000);
  });
});

describe('a function that is gone', () => {
  async function forget(pending: number) {
    registerAll('default/echo');
    const reconciler = createKeeper();
    await reconciler.reconcile();
    topology.set('default', 'echo', pending);
    registerAll();
    await reconciler.reconcile();
    return reconciler;
  }

  test('has no lane any more, and its calls wait, which is logged once', async () => {
    const reconciler = await forget(5);
    now = unknownMs - 1;
    await reconciler.reconcile();
    expect([...dispatcher.lanes]).toEqual([]);
    expect(logged).toEqual(['calls wait for a function that is not registered']);
  });

  test('has its calls ended after ten minutes', async () => {
    const reconciler = await forget(5);
    now = unknownMs;
    await reconciler.reconcile();
    expect([...dispatcher.lanes]).toEqual([['default/echo', undefined]]);
  });

  test('and comes back has its calls invoked, however long it was gone', async () => {
    const reconciler = await forget(5);
    now = unknownMs;
    await reconciler.reconcile();
    registerAll('default/echo');
    await reconciler.reconcile();
    expect([...dispatcher.lanes]).toEqual([['default/echo', 'http://echo.test']]);
    registerAll();
    now += unknownMs - 1;
    await reconciler.reconcile();
    expect([...dispatcher.lanes]).toEqual([]);
  });

  test('loses its consumer once nothing has waited for a minute', async () => {
    const reconciler = await forget(0);
    now = abandonedMs - 1;
    await reconciler.reconcile();
    expect(topology.queues.get('default')?.has('echo')).toBe(true);
    now = abandonedMs;
    await reconciler.reconcile();
    expect(topology.queues.get('default')?.has('echo')).toBe(false);
    expect(logged).toEqual(['consumer of a function that is gone removed']);
  });

  test('keeps its consumer while a call is in flight, or waits for its time', async () => {
    const reconciler = await forget(0);
    topology.set('default', 'echo', 0, 1);
    now = abandonedMs;
    await reconciler.reconcile();
    topology.set('default', 'echo');
    topology.scheduled.add('default/echo');
    now = 2 * abandonedMs;
    await reconciler.reconcile();
    expect(topology.queues.get('default')?.has('echo')).toBe(true);
  });

  test('does not get its consumer back when that vanishes', async () => {
    const reconciler = await forget(5);
    topology.queues.clear();
    await reconciler.restore({ queue: 'default', function: 'echo' });
    expect([[...dispatcher.lanes], topology.queues.size]).toEqual([[], 0]);
  });
});

describe('a consumer that is needed only while there are calls', () => {
  /** Creates a function for every name. */
  function registerFallback(): void {
    const fallback = (name: string): FunctionConfig => ({
      name,
      url: `http://${name}.test`,
      queue: 'default',
      timeoutMs: 0,
      concurrency: undefined,
      maxPending: undefined,
      adaptive: true,
      retry,
    });
    register.replace({ functions: new Map(), fallback });
  }

  test('is removed once it has had nothing to do for ten minutes', async () => {
    registerFallback();
    topology.set('default', 'invented');
    const reconciler = createKeeper();
    await reconciler.reconcile();
    expect([...dispatcher.lanes.keys()]).toEqual(['default/invented']);
    now = idleMs - 1;
    await reconciler.reconcile();
    expect(topology.queues.get('default')?.has('invented')).toBe(true);
    now = idleMs;
    await reconciler.reconcile();
    expect(topology.queues.get('default')?.has('invented')).toBe(false);
    expect([...dispatcher.lanes.keys()]).toEqual([]);
  });

  test('is kept while calls wait, are in flight, wait for their time, or come and go unseen', async () => {
    registerFallback();
    const reconciler = createKeeper();
    topology.scheduled.add('default/later');
    for (now = 0; now <= 2 * idleMs; now += idleMs / 2) {
      topology.set('default', 'waits', 1);
      topology.set('default', 'runs', 0, 1);
      topology.set('default', 'later');
      topology.queues
        .get('default')!
        .set('quick', { function: 'quick', pending: 0, inFlight: 0, paused: false, deliveredSequence: now });
      await reconciler.reconcile();
    }
    expect([...topology.queues.get('default')!.keys()].sort()).toEqual(['later', 'quick', 'runs', 'waits']);
  });

  test('of a function that has moved is removed from the old queue alone', async () => {
    registerAll('new/echo');
    topology.set('old', 'echo');
    const reconciler = createKeeper();
    await reconciler.reconcile();
    now = idleMs;
    await reconciler.reconcile();
    expect(topology.queues.get('old')?.has('echo')).toBe(false);
    expect([...dispatcher.lanes.keys()]).toEqual(['new/echo']);
    now = 10 * idleMs;
    await reconciler.reconcile();
    expect(topology.queues.get('new')?.has('echo')).toBe(true);
  });

  test('is created again for a call that was stored at the moment of its removal', async () => {
    registerFallback();
    topology.set('default', 'invented');
    const reconciler = createKeeper();
    await reconciler.reconcile();
    now = idleMs;
    await reconciler.reconcile();
    expect([...dispatcher.lanes.keys()]).toEqual([]);
    topology.stray.add('default/invented');
    now += 5_000;
    await reconciler.reconcile();
    expect([...dispatcher.lanes.keys()]).toEqual(['default/invented']);
    expect(topology.queues.get('default')?.has('invented')).toBe(true);
  });

  test('and that another worker has removed stays removed, unless it has calls', async () => {
    registerFallback();
    topology.set('default', 'invented');
    const reconciler = createKeeper();
    await reconciler.reconcile();
    await topology.removeLane('default', 'invented');
    await reconciler.restore({ queue: 'default', function: 'invented' });
    expect([...dispatcher.lanes.keys()]).toEqual([]);
    expect(topology.queues.get('default')?.has('invented')).toBe(false);
    topology.stray.add('default/invented');
    await reconciler.restore({ queue: 'default', function: 'invented' });
    expect(topology.queues.get('default')?.has('invented')).toBe(true);
  });
});

describe('the backlog', () => {
  test('is counted for the lanes with an unknown backlog', async () => {
    registerAll('default/echo', 'images/resize');
    const reconciler = createKeeper();
    await reconciler.reconcile();
    topology.set('default', 'echo', 7);
    topology.set('images', 'resize', 9);
    dispatcher.blind = [{ queue: 'default', function: 'echo' }];
    await reconciler.countUnknownBacklogs();
    expect(Object.fromEntries(dispatcher.backlogs)).toEqual({ 'default/echo': 7 });
  });

  test('is requested for single lanes if few of many have an unknown backlog', async () => {
    registerAll(...Array.from({ length: 20 }, (_, index) => `default/f${index}`));
    const reconciler = createKeeper();
    await reconciler.reconcile();
    topology.set('default', 'f3', 7);
    topology.set('default', 'f4', 9);
    dispatcher.blind = [
      { queue: 'default', function: 'f3' },
      { queue: 'default', function: 'gone' },
    ];
    const { lists } = topology;
    await reconciler.countUnknownBacklogs();
    expect(topology.lists).toBe(lists);
    expect(Object.fromEntries(dispatcher.backlogs)).toEqual({ 'default/f3': 7, 'default/gone': 0 });
  });
});
