import { describe, expect, test } from 'vitest';
import { parseSearchList, toFullNames } from './search-list.ts';

/** The file as Kubernetes writes it. */
const ofPod = [
  'search team.svc.cluster.local svc.cluster.local cluster.local',
  'nameserver 10.96.0.10',
  'options ndots:5',
].join('\n');

describe('of a resolv.conf', () => {
  test.each([
    ['of a pod', ofPod, { domains: ['team.svc.cluster.local', 'svc.cluster.local', 'cluster.local'], ndots: 5 }],
    ['of a container', 'nameserver 127.0.0.11\noptions edns0 trust-ad ndots:0', { domains: [], ndots: 0 }],
    ['without anything', '', { domains: [], ndots: 1 }],
    ['with a domain', 'domain example.com', { domains: ['example.com'], ndots: 1 }],
    ['with several lines: the last one counts', 'search a b\ndomain c\nsearch d. e', { domains: ['d', 'e'], ndots: 1 }],
    ['with comments', '# search a\n; search b\nsearch c # d', { domains: ['c'], ndots: 1 }],
    ['that searches the root alone', 'search .', { domains: [], ndots: 1 }],
    ['with more dots than there may be', 'options ndots:99', { domains: [], ndots: 15 }],
    ['with an option that is none', 'options ndots:x', { domains: [], ndots: 1 }],
  ])('%s the search list is read', (_, text, list) => {
    expect(parseSearchList(text, 'worker')).toEqual(list);
  });

  test('that names no domain has the domain of the machine searched', () => {
    expect(parseSearchList('', 'worker.example.com')).toEqual({ domains: ['example.com'], ndots: 1 });
    expect(parseSearchList('search a', 'worker.example.com')).toEqual({ domains: ['a'], ndots: 1 });
  });
});

describe('the names to ask for are', () => {
  const pod = parseSearchList(ofPod, 'worker');

  test.each([
    ['a service of the namespace', 'inbox', pod, 'inbox.team.svc.cluster.local'],
    ['a service of another one', 'inbox.other', pod, 'inbox.other.team.svc.cluster.local'],
    [
      'a name with few dots in the search list first',
      'hooks.example.com',
      pod,
      'hooks.example.com.team.svc.cluster.local',
    ],
    ['a name with many dots as it is first', 'a.b.c.d.e.f', pod, 'a.b.c.d.e.f'],
    ['a full name as it is', 'inbox.', pod, 'inbox'],
    ['a service of a compose file', 'inbox', { domains: [], ndots: 0 }, 'inbox'],
  ])('%s', (_, name, list, first) => {
    expect(toFullNames(name, list)[0]).toBe(first);
  });

  test('one after the other, with the name itself at the end or the beginning', () => {
    expect(toFullNames('a.b', { domains: ['x', 'y'], ndots: 2 })).toEqual(['a.b.x', 'a.b.y', 'a.b']);
    expect(toFullNames('a.b', { domains: ['x', 'y'], ndots: 1 })).toEqual(['a.b', 'a.b.x', 'a.b.y']);
    expect(toFullNames('a.b.', { domains: ['x', 'y'], ndots: 2 })).toEqual(['a.b']);
  });
});
