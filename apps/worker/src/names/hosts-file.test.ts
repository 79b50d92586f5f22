import { expect, test } from 'vitest';
import { parseHosts } from './hosts-file.ts';

test('a hosts file gives each name of a line its address, and a name all of its addresses', () => {
  const hosts = parseHosts(
    [
      '# comment',
      '127.0.0.1\tlocalhost',
      '::1 localhost ip6-localhost # both families',
      '  172.17.0.1   host.docker.internal  Gateway. ',
      '172.17.0.1 gateway',
      '10.0.0.1',
      '',
    ].join('\n'),
  );
  expect(Object.fromEntries(hosts)).toEqual({
    localhost: ['127.0.0.1', '::1'],
    'ip6-localhost': ['::1'],
    'host.docker.internal': ['172.17.0.1'],
    gateway: ['172.17.0.1'],
  });
});

test('a line may end as Windows ends lines', () => {
  expect(Object.fromEntries(parseHosts('10.0.0.1 a b\r\n10.0.0.2 c\r\n'))).toEqual({
    a: ['10.0.0.1'],
    b: ['10.0.0.1'],
    c: ['10.0.0.2'],
  });
});
