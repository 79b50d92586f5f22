import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { capturedLogger } from '../../test/captured-logger.ts';
import { createLogger } from './logger.ts';

async function connectTo(port: number): Promise<void> {
  await once(connect(port, '127.0.0.1'), 'connect');
}

describe('json', () => {
  test('a line is one object: name, level as a word, epoch milliseconds, fields, sentence', () => {
    const { logger, lines } = capturedLogger();
    logger.info({ callId: 'abc' }, 'call accepted');
    expect(lines).toEqual([
      { name: 'test', level: 'info', time: expect.any(Number), callId: 'abc', msg: 'call accepted' },
    ]);
    expect(Math.abs(Date.now() - Number(lines[0]?.['time']))).toBeLessThan(10_000);
  });

  test('an error shows its type, code and stack, and so do its causes', () => {
    const { logger, lines } = capturedLogger();
    const cause = Object.assign(new TypeError('connect refused'), { code: 'ECONNREFUSED' });
    logger.error({ err: new Error('call failed', { cause }) }, 'attempt failed');
    expect(lines[0]?.['err']).toEqual({
      type: 'Error',
      message: 'call failed',
      stack: expect.stringContaining('logger.test.ts'),
      cause: { type: 'TypeError', message: 'connect refused', code: 'ECONNREFUSED', stack: expect.any(String) },
    });
  });

  test('an expected error shows no stack, and neither do its causes', () => {
    const { logger, lines } = capturedLogger();
    const cause = new Error('connect refused', { cause: new AggregateError([new Error('::1')]) });
    const err = Object.assign(new TypeError('NATS is away', { cause }), { expected: true, code: 'broker' });
    logger.warn({ err }, 'not yet');
    const parts = [{ type: 'Error', message: '::1' }];
    expect(lines[0]?.['err']).toEqual({
      type: 'TypeError',
      message: 'NATS is away',
      code: 'broker',
      cause: {
        type: 'Error',
        message: 'connect refused',
        cause: { type: 'AggregateError', message: '', errors: parts },
      },
    });
  });

  test('an error of a system call or of the HTTP client shows no stack', async () => {
    const { logger, lines } = capturedLogger();
    const refused: unknown = await connectTo(9).catch((error: unknown) => error);
    logger.warn({ err: refused }, 'away');
    logger.warn({ err: Object.assign(new Error('closed'), { code: 'UND_ERR_SOCKET' }) }, 'away');
    expect(lines.map((line) => line['err'])).toEqual([
      { type: 'Error', code: 'ECONNREFUSED', message: 'connect ECONNREFUSED 127.0.0.1:9' },
      { type: 'Error', code: 'UND_ERR_SOCKET', message: 'closed' },
    ]);
  });

  test('other properties of an error are not shown: one may be a body or a header (P9)', () => {
    const { logger, lines } = capturedLogger();
    logger.error({ err: Object.assign(new Error('x'), { body: 'secret', headers: { authorization: 'secret' } }) }, 'y');
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  test('the parts of an AggregateError are shown', () => {
    const { logger, lines } = capturedLogger();
    logger.error({ err: new AggregateError([new Error('::1'), new Error('127.0.0.1')]) }, 'attempt failed');
    expect(lines[0]?.['err']).toMatchObject({ errors: [{ message: '::1' }, { message: '127.0.0.1' }] });
  });

  test('an error that is its own cause, and a thrown value that is not an error, are shown too', () => {
    const { logger, lines } = capturedLogger();
    const loop = new Error('loop');
    loop.cause = loop;
    logger.error({ err: loop }, 'a');
    logger.error({ err: 'just text' }, 'b');
    logger.error({ err: Object.create(null) }, 'c');
    expect(lines.map((line) => line['err'])).toEqual([
      expect.objectContaining({ message: 'loop' }),
      { type: 'string', message: 'just text' },
      { type: 'object', message: expect.any(String) },
    ]);
  });
});

describe('level', () => {
  test.each([
    ['warn', ['warn', 'error']],
    ['silent', []],
  ] as const)('%s logs %j', (level, logged) => {
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(JSON.parse(line).level) };
    const logger = createLogger({ name: 'test', level, format: 'json', destination });
    logger.debug('x');
    logger.info('x');
    logger.warn('x');
    logger.error('x');
    expect(lines).toEqual(logged);
  });
});

describe('console', () => {
  test('a line is for people, without colours if there is no terminal', () => {
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const logger = createLogger({ name: 'gateway', level: 'info', format: 'console', destination });
    logger.info({ port: 8080 }, 'listening');
    const cause = Object.assign(new Error('because\u001b[31m'), { code: 'EPIPE' });
    logger.error({ err: new Error('no', { cause }) }, 'failed');
    expect(lines[0]).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO \(gateway\): listening \{"port":8080\}\n$/);
    expect(lines[1]).toMatch(/ERROR \(gateway\): failed *\n.*Error: no\n.*caused by Error: because\[31m \(EPIPE\)\n/s);
    expect(lines.join('')).not.toContain('\u001b');
    logger.warn({ err: Object.assign(new Error('away', { cause }), { expected: true }) }, 'not yet');
    expect(lines[2]).toMatch(/: not yet *\n.*Error: away, caused by Error: because\[31m \(EPIPE\)\n$/);
  });
});

test('loggers of one process share standard output: a hundred of them leave one listener for its exit', () => {
  createLogger({ name: 'test', level: 'silent', format: 'json' });
  const before = process.listenerCount('exit');
  for (let count = 0; count < 100; count++) {
    createLogger({ name: 'test', level: 'silent', format: 'json' });
  }
  expect(process.listenerCount('exit')).toBe(before);
});
