import { EventEmitter } from 'node:events';
import { eventually } from '@asyncfn/testkit';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { capturedLogger } from '../../test/captured-logger.ts';
import { ConfigError } from '../config/config.ts';
import { integer } from '../config/config-fields.ts';
import { createService, type ServiceHooks } from '../lifecycle/service.ts';
import { processConfig } from './common-config.ts';
import { type ProcessContext, type ProcessHandle, runProcess } from './process.ts';

class FakeProcess extends EventEmitter {
  readonly pid = 4711;
  exitCode?: number;
  readonly exits: number[] = [];
  errors = '';
  readonly env: Record<string, string>;
  readonly stderr = {
    write: (text: string) => {
      this.errors += text;
    },
  };

  constructor(env: Record<string, string> = {}) {
    super();
    this.env = env;
  }

  exit(code: number): void {
    this.exits.push(code);
  }
}

const schema = { ...processConfig, port: integer({ env: 'PORT', default: 8080, doc: 'Port.' }) };

interface Scenario extends Partial<ServiceHooks> {
  env?: Record<string, string>;
  create?: (context: ProcessContext) => void | Promise<void>;
  stopGraceMs?: number;
  lingerMs?: number;
}

/** Runs a service of the given hooks in a fake process. */
function run({ env, create, stopGraceMs = 60_000, lingerMs = 60_000, ...hooks }: Scenario) {
  const { logger, lines, sentences } = capturedLogger();
  const process = new FakeProcess(env);
  const events: string[] = [];
  const service = createService({
    async start(signal) {
      events.push('start');
      await hooks.start?.(signal);
    },
    async stop() {
      events.push('stop');
      await hooks.stop?.();
    },
  });
  const ended = runProcess({
    process,
    name: 'test',
    version: '1.2.3',
    schema,
    logger,
    stopGraceMs,
    lingerMs,
    create: async (_, context) => {
      events.push('create');
      await create?.(context);
      return service;
    },
  });
  const says = (sentence: string) => eventually(() => sentences().includes(sentence), { message: sentence });
  return { process, events, lines, sentences, ended, says };
}

const never = () => new Promise<void>(() => {});

describe('a service that runs', () => {
  test.each(['SIGTERM', 'SIGINT'])('%s stops it once, and the exit code is 0', async (signal) => {
    const { process, events, ended, says, lines } = run({});
    await says('started');
    process.emit(signal, signal);
    await ended;
    expect(events).toEqual(['create', 'start', 'stop']);
    expect(process).toMatchObject({ exitCode: 0, exits: [], errors: '' });
    expect(lines).toMatchObject([
      { msg: 'started', version: '1.2.3', pid: 4711 },
      { msg: 'stop requested', signal },
      { msg: 'stopped', exitCode: 0 },
    ]);
  });

  test('a second signal ends the process at once with 1', async () => {
    const { process, says } = run({ stop: never });
    await says('started');
    process.emit('SIGTERM', 'SIGTERM');
    expect(process.exits).toEqual([]);
    process.emit('SIGINT', 'SIGINT');
    expect(process.exits).toEqual([1]);
  });

  test('a stop that fails is 1', async () => {
    const { process, ended, says, lines } = run({ stop: () => Promise.reject(new Error('not drained')) });
    await says('started');
    process.emit('SIGTERM', 'SIGTERM');
    await ended;
    expect(process.exitCode).toBe(1);
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: 'stop failed', err: expect.objectContaining({ message: 'not drained' }) }),
    );
  });

  test('a stop that hangs is ended by force', async () => {
    const { process, ended, says, lines } = run({ stop: never, env: { SHUTDOWN_TIMEOUT: '10ms' }, stopGraceMs: 10 });
    await says('started');
    process.emit('SIGTERM', 'SIGTERM');
    await ended;
    expect(process.exits).toEqual([1]);
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'not stopped in time', limitMs: 20 }));
  });

  test('an event loop that runs dry during its stop does not count as success', async () => {
    const { process, says } = run({ stop: never });
    await says('started');
    process.emit('SIGTERM', 'SIGTERM');
    await eventually(() => process.exitCode === 1);
  });

  test('a process with handles left open is ended with the exit code it has earned', async () => {
    const { process, ended, says } = run({ lingerMs: 5 });
    await says('started');
    process.emit('SIGTERM', 'SIGTERM');
    await ended;
    expect(process.exits).toEqual([]);
    await says('ended by force: handles were left open');
    expect(process.exits).toEqual([0]);
  });

  test.each(['uncaughtException', 'unhandledRejection'])('%s stops it, and the exit code is 1', async (event) => {
    const { process, events, ended, says, lines } = run({});
    await says('started');
    process.emit(event, new Error('bug', { cause: new Error('typo') }));
    await ended;
    expect(events.at(-1)).toBe('stop');
    expect(process.exitCode).toBe(1);
    expect(lines[1]).toMatchObject({ level: 'fatal', err: { message: 'bug', cause: { message: 'typo' } } });
  });

  test('it may report itself that it cannot continue', async () => {
    let context: ProcessContext | undefined;
    const { process, events, ended, says, lines } = run({
      create: (given) => {
        context = given;
      },
    });
    await says('started');
    context?.fail(new Error('NATS closed the connection for good'));
    await ended;
    expect(events.at(-1)).toBe('stop');
    expect(process.exitCode).toBe(1);
    expect(lines[1]).toMatchObject({ level: 'fatal', msg: 'service failed' });
  });

  test('a mistake that it finds in its configuration later is reported as such, and is 78', async () => {
    let context: ProcessContext | undefined;
    const { process, events, ended, says } = run({
      create: (given) => {
        context = given;
      },
    });
    await says('started');
    context?.fail(new ConfigError([{ name: 'worker', problem: 'cannot run' }]));
    await ended;
    expect(events.at(-1)).toBe('stop');
    expect(process.exitCode).toBe(78);
    expect(process.errors).toBe('worker: cannot run\n');
  });

  test('a failure after a clean stop still counts', async () => {
    const { process, ended, says } = run({ lingerMs: 5 });
    await says('started');
    process.emit('SIGTERM', 'SIGTERM');
    await ended;
    process.emit('unhandledRejection', new Error('late'));
    expect(process.exitCode).toBe(1);
  });

  test('a signal after a failure changes nothing, the next one ends the process', async () => {
    const { process, says } = run({ stop: never });
    await says('started');
    process.emit('uncaughtException', new Error('bug'));
    process.emit('SIGTERM', 'SIGTERM');
    expect(process.exits).toEqual([]);
    process.emit('SIGTERM', 'SIGTERM');
    expect(process.exits).toEqual([1]);
  });
});

describe('a service that starts', () => {
  test('a failure is logged as fatal with its cause, half-started parts are stopped, and the exit code is 1', async () => {
    const { process, events, ended, lines } = run({
      start: () => Promise.reject(new Error('no port', { cause: new Error('EADDRINUSE') })),
    });
    await ended;
    expect(events).toEqual(['create', 'start', 'stop']);
    expect(process.exitCode).toBe(1);
    expect(lines[0]).toMatchObject({ level: 'fatal', msg: 'start failed', err: { cause: { message: 'EADDRINUSE' } } });
  });

  test('a failure to create it is the same', async () => {
    const { process, events, ended, sentences } = run({ create: () => Promise.reject(new Error('no file')) });
    await ended;
    expect(events).toEqual(['create']);
    expect(process.exitCode).toBe(1);
    expect(sentences()).toEqual(['start failed', 'stopped']);
  });

  test('a signal meanwhile stops it cleanly', async () => {
    const { process, events, ended } = run({
      start: (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
    });
    await eventually(() => events.includes('start'));
    process.emit('SIGTERM', 'SIGTERM');
    await ended;
    expect(events).toEqual(['create', 'start', 'stop']);
    expect(process.exitCode).toBe(0);
  });

  test('a signal while it is being created: it is not started at all', async () => {
    const { process, events, ended } = run({
      create: ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
    });
    process.emit('SIGTERM', 'SIGTERM');
    await ended;
    expect(events).toEqual(['create']);
    expect(process.exitCode).toBe(0);
  });
});

describe('configuration', () => {
  test('reaches the service with its types', async () => {
    const process = new FakeProcess({ PORT: '99', LOG_LEVEL: 'silent' });
    let port: number | undefined;
    const ended = runProcess({
      process,
      name: 'test',
      version: '1.2.3',
      schema,
      create(config) {
        expectTypeOf(config.port).toEqualTypeOf<number>();
        port = config.port;
        process.emit('SIGTERM', 'SIGTERM');
        return createService({ start() {}, stop() {} });
      },
    });
    await ended;
    expect(port).toBe(99);
  });

  test('every problem is on stderr, one a line, and the exit code is 78', async () => {
    const { process, events, ended } = run({ env: { PORT: 'x', LOG_LEVEL: 'loud' } });
    await ended;
    expect(events).toEqual([]);
    expect(process.exitCode).toBe(78);
    expect(process.errors).toMatch(/^LOG_LEVEL: "loud" is not .*\nPORT: "x" is not .*\n$/);
  });

  test('problems which only the service can see count as well', async () => {
    const { process, ended } = run({
      create: () => {
        throw new ConfigError([{ name: 'functions.yaml:3', problem: 'url is missing' }]);
      },
    });
    await ended;
    expect(process.exitCode).toBe(78);
    expect(process.errors).toBe('functions.yaml:3: url is missing\n');
  });
});

test("Node's own process fits", () => {
  expectTypeOf<NodeJS.Process>().toExtend<ProcessHandle>();
});
