import { describe, expect, test } from 'vitest';
import { capturedLogger } from '../test/captured-logger.ts';
import { createLogger } from './logger.ts';

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

  test('of what else hangs on an error nothing is shown: it may be a body or a header (P9)', () => {
    const { logger, lines } = capturedLogger();
    logger.error({ err: Object.assign(new Error('x'), { body: 'secret', headers: { authorization: 'secret' } }) }, 'y');
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  test('the parts of an AggregateError are shown', () => {
    const { logger, lines } = capturedLogger();
    logger.error({ err: new AggregateError([new Error('::1'), new Error('127.0.0.1')]) }, 'attempt failed');
    expect(lines[0]?.['err']).toMatchObject({ errors: [{ message: '::1' }, { message: '127.0.0.1' }] });
  });

  test('an error that is its own cause, and a thrown value that is no error, are shown too', () => {
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
  test('a line is for people, without colours where there is no terminal', () => {
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const logger = createLogger({ name: 'gateway', level: 'info', format: 'console', destination });
    logger.info({ port: 8080 }, 'listening');
    const cause = Object.assign(new Error('because\u001b[31m'), { code: 'EPIPE' });
    logger.error({ err: new Error('no', { cause }) }, 'failed');
    expect(lines[0]).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO \(gateway\): listening \{"port":8080\}\n$/);
    expect(lines[1]).toMatch(/ERROR \(gateway\): failed *\n.*Error: no\n.*caused by Error: because\[31m \(EPIPE\)\n/s);
    expect(lines.join('')).not.toContain('\u001b');
  });
});
