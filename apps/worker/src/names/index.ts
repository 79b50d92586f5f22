// Looks up the names that callers choose, without libuv's threads.

export { NameLookupError } from './dns-query.ts';
export { dnsServerType } from './dns-server-type.ts';
export { NameResolver, namesBusy } from './name-resolver.ts';
