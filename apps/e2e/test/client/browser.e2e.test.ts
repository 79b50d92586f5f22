import { createReadStream } from 'node:fs';
import { createServer, request as forward, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { hash, startTestFunction } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { startBrowser } from '../harness/browser/index.ts';
import { startStack } from '../harness/stack.ts';

const built = new URL('../../../../packages/client/dist/', import.meta.url);

/** Serves an empty page, the client as it is built, and the gateway below `/asyncfn`. */
async function startSite(gatewayUrl: string): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    const { url = '', method, headers } = incoming;
    if (url.startsWith('/asyncfn/')) {
      const { port } = new URL(gatewayUrl);
      const path = url.slice('/asyncfn'.length);
      const onward = forward({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(outgoing);
      });
      outgoing.once('close', () => onward.destroy());
      incoming.pipe(onward.once('error', () => outgoing.destroy()));
    } else if (url.endsWith('.js')) {
      outgoing.writeHead(200, { 'Content-Type': 'text/javascript' });
      createReadStream(fileURLToPath(new URL(`.${url}`, built))).pipe(outgoing);
    } else {
      outgoing.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>A page</title>');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

test('the client runs in a browser: it calls, waits, follows events and verifies', async () => {
  await using target = await startTestFunction({ handler: hash });
  await using stack = await startStack({ functions: { hash: target.url } });
  const site = await startSite(stack.gateway.url);
  const browser = await startBrowser();
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
    const seen = await page.evaluate(`(async () => {
      const { AsyncfnClient, verifyCallback } = await import('/index.js');
      const client = new AsyncfnClient({ url: location.origin + '/asyncfn' });
      const events = client.events();
      const first = events.next();
      const calling = setInterval(() => client.call('hash', 'before'), 200);
      const { value: event } = await first.finally(() => clearInterval(calling));
      await events.return();
      const form = new FormData();
      form.set('a', 'b');
      const calls = await Promise.all([client.call('hash', 'hello'), client.call('hash', form)]);
      const states = await Promise.all(calls.map(({ callId }) => client.wait(callId)));
      const result = await client.result(calls[0].callId);
      const refused = await client.call('missing').catch((error) => error.code);
      const callback = await verifyCallback({
        headers: new Headers({
          'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
          'webhook-timestamp': '1614265330',
          'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
        }),
        body: '{"test": 2432232314}',
      }, { secrets: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', now: () => 1614265330_000 });
      const statuses = states.map(({ status }) => status);
      return { event: event.call.function, statuses, text: result.text(), refused, id: callback.id };
    })()`);
    expect(seen).toEqual({
      event: 'hash',
      statuses: ['succeeded', 'succeeded'],
      text: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
      refused: 'unknown_function',
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    });
  } finally {
    await browser.close();
    site.closeAllConnections();
    site.close();
  }
});
