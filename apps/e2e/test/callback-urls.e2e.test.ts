import { ApiClient, type Stack } from '@asyncfn/stack';
import { startTestFunction, type TestFunction } from '@asyncfn/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';
import { rawExchange, rawPost } from './harness/wire/raw-exchange.ts';
import { WireReceiver } from './harness/wire/wire-receiver.ts';

let fn: TestFunction;
let stack: Stack;
let receiver: WireReceiver;

beforeAll(async () => {
  fn = await startTestFunction();
  receiver = await WireReceiver.open('127.0.0.1');
  stack = await startStack({ functions: { echo: fn.url } });
});

afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
  await fn[Symbol.asyncDispose]();
});

/** Makes a call and returns the head of its callback. */
async function headOf(url: string, at = receiver): Promise<string> {
  await using client = new ApiClient(stack.gateway.url);
  return at.headOf(await client.accept('echo', { callbackUrl: url }));
}

function requestLine(target: string): string {
  return `POST ${target} HTTP/1.1`;
}

describe('path and query of a callback URL', () => {
  test.each([
    ['', '/'],
    ['?', '/?'],
    ['?a=b', '/?a=b'],
    ['/?', '/?'],
    ['/a?', '/a?'],
    ["/it's?it's", "/it's?it's"],
    ['/a/./b/../c/%2e%2E/..', '/a/./b/../c/%2e%2E/..'],
    ['/../a', '/../a'],
    ['/a\\b\\..\\c?d\\e', '/a\\b\\..\\c?d\\e'],
    ['//a//', '//a//'],
    ['/%zz%?%', '/%zz%?%'],
    ['/"<>^`{|}?"<>^`{|}', '/"<>^`{|}?"<>^`{|}'],
    ['/a;b=c@d:e?f=g?h&i#j?k', '/a;b=c@d:e?f=g?h&i'],
    ['#a', '/'],
  ])('(%j) are on the wire as they came', async (written, sent) => {
    const [line] = (await headOf(`http://127.0.0.1:${receiver.port}${written}`)).split('\r\n');
    expect(line).toBe(requestLine(sent));
  });
});

describe('the authority of a callback URL', () => {
  test.each([
    ['user:pass%20word@', 'user:pass word'],
    ['user@', 'user:'],
    [':t0ken@', ':t0ken'],
    ['us%40er:a:b%2F@', 'us@er:a:b/'],
    ['evil.example:80@', 'evil.example:80'],
    ['@', undefined],
  ])('with %j goes to its host, and sends %j as HTTP basic', async (userinfo, pair) => {
    const head = await headOf(`http://${userinfo}127.0.0.1:${receiver.port}/a`);
    expect(head.split('\r\n')[0]).toBe(requestLine('/a'));
    expect(head).toMatch(new RegExp(`^host: 127\\.0\\.0\\.1:${receiver.port}\\r?$`, 'im'));
    const [, sent] = /^authorization: *Basic (.*?)\r?$/im.exec(head) ?? [];
    expect(sent && Buffer.from(sent, 'base64').toString()).toBe(pair);
  });

  test('may be an IPv6 address in any spelling, or a name in capitals', async () => {
    await using six = await WireReceiver.open('::1');
    for (const host of ['[::1]', '[0:0:0:0:0:0:0:1]', '[::0001]']) {
      const head = await headOf(`http://user:p@${host}:${six.port}/a?`, six);
      expect(head.split('\r\n')[0]).toBe(requestLine('/a?'));
      expect(head).toMatch(new RegExp(`^host: \\[::1\\]:${six.port}\\r?$`, 'im'));
    }
    const head = await headOf(`HTTP://LocalHost:${receiver.port}/a`);
    expect(head).toMatch(new RegExp(`^host: localhost:${receiver.port}\\r?$`, 'im'));
  });

  test.each([
    ['a backslash in front of another host', 'evil.example\\@127.0.0.1', 'a backslash'],
    ['a backslash for a slash', '127.0.0.1\\a', 'a backslash'],
    ['a second @', 'evil.example@user@127.0.0.1', 'an @ in its user'],
    ['an @ in the password', 'user:p@ss@127.0.0.1', 'an @ in its user'],
    ['half an escape in the password', 'user:%f@127.0.0.1', 'a percent sign in its user'],
    ['a colon in the user', 'us%3Aer:p@127.0.0.1', 'a colon'],
    ['a line end in the password', 'user:p%0d%0aX-A:%20b@127.0.0.1', 'control character'],
    ['a third slash', '/127.0.0.1', 'slashes'],
    ['a host in escapes', '%31%32%37.0.0.1', 'percent-encoded'],
    ['a name with an escape', 'local%68ost', 'percent-encoded'],
    ['an octal number', '0177.0.0.1', 'usual form'],
    ['a hexadecimal number', '0x7f000001', 'usual form'],
    ['a number for all four', '2130706433', 'usual form'],
    ['a short address', '127.1', 'usual form'],
    ['a tab', '127.0.0.1\t', 'visible ASCII'],
    ['a tab in a name', 'local\thost', 'visible ASCII'],
    ['a space', '127.0.0.1 @evil.example', 'visible ASCII'],
    ['a name that is not in ASCII', 'b\u00fccher.example', 'visible ASCII'],
    ['an address with a zone', '[::1%25lo]', 'visible ASCII'],
    ['a name with a soft hyphen in escapes', 'local%C2%ADhost', 'percent-encoded'],
  ])('with %s is 400 and says why', async (_, authority, why) => {
    const invocations = fn.invocations.length;
    const heads = receiver.heads.length;
    const header = `X-Callback-Url: http://${authority}:${receiver.port}/`;
    const answer = await rawExchange(stack.gateway.url, rawPost('/async-function/echo', [header]));
    expect(JSON.parse(answer.body)).toMatchObject({
      status: 400,
      code: 'invalid_callback_url',
      detail: expect.stringContaining(why),
    });
    expect([fn.invocations.length, receiver.heads.length]).toEqual([invocations, heads]);
  });
});
