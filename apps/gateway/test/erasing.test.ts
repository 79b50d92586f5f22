import { request } from 'undici';
import { expect, test } from 'vitest';
import { activeCall, endedCall } from './call-fixture.ts';
import { startTestGateway } from './gateway-fixture.ts';
import { testToken, tokensOf } from './test-tokens.ts';

const submitter = testToken('submitter', { scopes: ['invoke'] });
const reader = testToken('reader', { scopes: ['read'] });
const admin = testToken('admin', { scopes: ['admin'] });

test('only operators erase calls, and only ended ones', async () => {
  const tokens = tokensOf([submitter, reader, admin]);
  await using gateway = await startTestGateway({ tokens: () => tokens });
  gateway.calls.states.set('active', activeCall('active', 'queued', { submitter: 'submitter' }));
  gateway.calls.states.set('ended', endedCall('ended', { submitter: 'submitter' }));
  const erase = async (token: typeof admin, path: string) => {
    const url = `${gateway.url}/system/calls/${path}`;
    const { statusCode, body } = await request(url, {
      method: 'DELETE',
      headers: { authorization: token.bearer },
    });
    const text = await body.text();
    return [statusCode, text === '' ? undefined : (JSON.parse(text) as { code: string }).code];
  };
  expect(await erase(submitter, 'ended')).toEqual([403, 'forbidden']);
  expect(await erase(reader, 'ended')).toEqual([403, 'forbidden']);
  expect(await erase(admin, 'ended')).toEqual([204, undefined]);
  expect(await erase(admin, 'ended?submitter=submitter')).toEqual([204, undefined]);
  expect(await erase(admin, 'ended?submitter=reader')).toEqual([404, 'call_not_found']);
  expect(await erase(admin, 'active')).toEqual([409, 'not_ended']);
  expect(await erase(admin, 'never')).toEqual([404, 'call_not_found']);
  expect(await erase(admin, 'ended?submiter=typo')).toEqual([400, 'invalid_parameter']);
});
