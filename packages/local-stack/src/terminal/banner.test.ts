import { expect, test } from 'vitest';
import { type BannerFacts, renderBanner } from './banner.ts';

const FACTS: BannerFacts = {
  consoleUrl: 'http://127.0.0.1:8080/console',
  gatewayUrl: 'http://127.0.0.1:8080',
  gatewayOpsUrl: 'http://127.0.0.1:8082',
  workerOpsUrl: 'http://127.0.0.1:8081',
  inboxUrl: 'http://127.0.0.1:8090',
  samplesUrl: 'http://127.0.0.1:8091',
  natsUrl: 'nats://127.0.0.1:4222',
  stateDir: '/repo/.asyncfn',
  signingSecretFile: '/repo/.asyncfn/callback-signing-secret',
  functionsFile: undefined,
  command: undefined,
};

test('four lines can be pasted, and every page is named', () => {
  const banner = renderBanner(FACTS);
  expect(banner.match(/^ {2}curl .*$/gm)).toEqual([
    "  curl -i http://127.0.0.1:8080/async-function/echo -d 'hello'",
    "  curl -i http://127.0.0.1:8080/async-function/hash -d 'hello' -H 'X-Callback-Url: http://127.0.0.1:8090/callbacks/demo'",
    '  curl http://127.0.0.1:8090/',
    "  curl 'http://127.0.0.1:8080/async-function/CALL-ID?wait=30s'",
  ]);
  for (const place of [':8080/docs', ':8082/metrics', ':8081/metrics', 'nats://127.0.0.1:4222', '/repo/.asyncfn']) {
    expect(banner).toContain(place);
  }
});

test('the console comes first, unless the gateway serves none', () => {
  expect(renderBanner(FACTS)).toMatch(/^\nasyncfn is ready\..*\n\n {2}http:\/\/127\.0\.0\.1:8080\/console\n/);
  const without = renderBanner({ ...FACTS, consoleUrl: undefined });
  expect(without).toMatch(/^\nasyncfn is ready\. Put a call into the queue;/);
  expect(without).not.toContain('console');
});

test('the file of the secret is named, unless the user has secrets', () => {
  expect(renderBanner(FACTS)).toContain('secret     /repo/.asyncfn/callback-signing-secret (signs the callbacks)');
  expect(renderBanner({ ...FACTS, signingSecretFile: undefined })).not.toContain('secret');
});

test('with a functions file of the user, the banner does not promise the samples', () => {
  const banner = renderBanner({ ...FACTS, functionsFile: 'mine.yaml' });
  expect(banner).toContain('/async-function/NAME ');
  expect(banner).toContain('NAME is one of your functions in mine.yaml');
  expect(banner).not.toMatch(/echo|hash/);
});

test('users who have the command see it, with the URL of a gateway on another port', () => {
  expect(renderBanner(FACTS)).not.toContain('npx asyncfn');
  const [usual, other] = [FACTS, { ...FACTS, gatewayUrl: 'http://127.0.0.1:4711' }].map((facts) =>
    renderBanner({ ...facts, command: 'npx asyncfn' }),
  );
  expect(usual).toContain('\n  npx asyncfn call hash -d hello --wait\n');
  expect(other).toContain('\n  npx asyncfn call hash -d hello --wait --url http://127.0.0.1:4711\n');
});
